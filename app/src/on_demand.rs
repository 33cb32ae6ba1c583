//! Parts of the app that come when they are gone to: each is a WebAssembly module of its own, beside the one that every page starts
//! with.
//!
//! [`crate::routes`] says which parts there are. Without the feature `split` there is one module with everything in it: on the server, in
//! tests, and for tools that do not take the module apart.

use leptos::prelude::*;

use crate::texts::Group;
#[cfg(not(feature = "ssr"))]
use crate::{
    clock::sleep,
    components::{heading::Heading, skeleton::Skeleton},
    erased::erased,
    texts::{self, frame, t},
};
#[cfg(not(feature = "ssr"))]
use leptos::task::spawn_local;
#[cfg(not(feature = "ssr"))]
use leptos_meta::Title;
#[cfg(not(feature = "ssr"))]
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// How long to wait before what a page can go on without is tried again.
#[cfg(not(feature = "ssr"))]
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// `on_demand!(module::name, [Group], view)`: a [`Part`] that shows the view, with the texts that it is made of. The parts of one module come
/// together; what several modules need comes in files of its own, so there are better few modules than many.
macro_rules! on_demand {
    ($module:ident :: $name:ident, [$($group:ident),*], $view:expr) => {{
        const TEXTS: &[$crate::texts::Group] = &[$($crate::texts::Group::$group),*];
        #[cfg(feature = "split")]
        {
            #[leptos::wasm_split::wasm_split($module, wasm_split_path = ::leptos::wasm_split, preload(load), fallible)]
            fn $name() -> Result<AnyView, leptos::wasm_split::SplitLoaderError> {
                Ok($view.into_any())
            }
            $crate::on_demand::Part {
                load: || Box::pin(async { load().await.is_ok() }),
                view: || Box::pin(async { $name().await.ok() }),
                texts: TEXTS,
            }
        }
        #[cfg(not(feature = "split"))]
        {
            $crate::on_demand::Part { view: || $view.into_any(), texts: TEXTS }
        }
    }};
}
pub(crate) use on_demand;

/// A part of the app that may have to be loaded before it can be shown.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    #[cfg(feature = "split")]
    pub(crate) load: fn() -> Loading<bool>,
    #[cfg(feature = "split")]
    pub(crate) view: fn() -> Loading<Option<AnyView>>,
    #[cfg(not(feature = "split"))]
    pub(crate) view: fn() -> AnyView,
    /// What it says.
    #[cfg_attr(feature = "ssr", expect(dead_code, reason = "the server has every text"))]
    pub(crate) texts: &'static [Group],
}

#[cfg(not(feature = "ssr"))]
type Loading<T> = Pin<Box<dyn Future<Output = T>>>;

#[cfg(not(feature = "ssr"))]
impl Part {
    /// Loads the part with its texts, unless they are there. Tells whether they are there now; if not, it can be tried again.
    pub(crate) fn load(self) -> Loading<bool> {
        let mut texts: Loading<bool> = Box::pin(texts::load(self.texts));
        let mut module = self.module();
        let (mut has_texts, mut has_module) = (None, None);
        // Neither waits for the other.
        Box::pin(poll_fn(move |context| {
            poll(&mut texts, &mut has_texts, context);
            poll(&mut module, &mut has_module, context);
            match (has_texts, has_module) {
                (Some(has_texts), Some(has_module)) => Poll::Ready(has_texts && has_module),
                _ => Poll::Pending,
            }
        }))
    }

    #[cfg(feature = "split")]
    fn module(self) -> Loading<bool> {
        (self.load)()
    }

    #[cfg(not(feature = "split"))]
    #[expect(clippy::unused_self, reason = "with parts of their own, it matters which one it is")]
    fn module(self) -> Loading<bool> {
        Box::pin(std::future::ready(true))
    }

    /// What the part shows, at once if it is there: so it can take over what the server has rendered.
    pub(crate) fn show(self) -> AnyView {
        let mut loading = self.load();
        let outcome = RwSignal::new(at_once(&mut loading));
        match outcome.get_untracked() {
            Some(true) => return self.loaded(),
            Some(false) => {}
            None => spawn_local(async move { outcome.set(Some(loading.await)) }),
        }
        erased(move || match outcome.get() {
            None => erased(view! { <Skeleton lines=6 /> }),
            Some(true) => self.loaded(),
            Some(false) => erased(view! { <NotLoaded /> }),
        })
    }

    /// The same for what is not the page itself, but a word beside it: a page goes on without it, and tries again.
    pub(crate) fn show_beside(self) -> AnyView {
        let mut loading = self.load();
        let is_there = RwSignal::new(at_once(&mut loading) == Some(true));
        if !is_there.get_untracked() {
            spawn_local(async move {
                while !loading.await {
                    sleep(AGAIN_AFTER).await;
                    if is_there.is_disposed() {
                        return;
                    }
                    loading = self.load();
                }
                is_there.try_set(true);
            });
        }
        erased(move || is_there.get().then(|| self.loaded()))
    }

    #[cfg(feature = "split")]
    fn loaded(self) -> AnyView {
        at_once(&mut (self.view)()).flatten().unwrap_or_else(|| erased(view! { <NotLoaded /> }))
    }

    #[cfg(not(feature = "split"))]
    fn loaded(self) -> AnyView {
        (self.view)()
    }
}

#[cfg(feature = "ssr")]
impl Part {
    /// The part is there.
    #[expect(clippy::unused_self, reason = "with parts of their own, it matters which one it is")]
    pub(crate) fn load(self) -> impl Future<Output = bool> {
        std::future::ready(true)
    }

    /// What the part shows.
    pub(crate) fn show(self) -> AnyView {
        (self.view)()
    }

    /// The same.
    pub(crate) fn show_beside(self) -> AnyView {
        (self.view)()
    }
}

/// Asks a future that has not given its outcome.
#[cfg(not(feature = "ssr"))]
fn poll(loading: &mut Loading<bool>, outcome: &mut Option<bool>, context: &mut Context<'_>) {
    if outcome.is_none()
        && let Poll::Ready(done) = loading.as_mut().poll(context)
    {
        *outcome = Some(done);
    }
}

/// What the future gives, if it need not be waited for.
#[cfg(not(feature = "ssr"))]
fn at_once<T>(loading: &mut Loading<T>) -> Option<T> {
    match loading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// In the place of a part that did not come. After an update of the app its old parts are gone: then a reload brings the new ones.
#[cfg(not(feature = "ssr"))]
#[component]
fn NotLoaded() -> impl IntoView {
    let address = [location().pathname(), location().search()].into_iter().flatten().collect::<String>();
    view! {
        <Title text=t(frame::NOT_LOADED_HEADING) />
        <Heading>{t(frame::NOT_LOADED_HEADING)}</Heading>
        <p class="lead">{t(frame::NOT_LOADED_WHY)}</p>
        <p>
            <a class="button" href=address rel="external">
                {t(frame::NOT_LOADED_AGAIN)}
            </a>
        </p>
    }
}
