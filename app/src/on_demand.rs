//! Parts of the app that come when they are gone to: each is a WebAssembly module of its own, beside the one that every page starts
//! with.
//!
//! [`crate::routes`] says which parts there are. Without the feature `split` there is one module with everything in it: on the server, in
//! tests, and for tools that do not take the module apart.

use leptos::prelude::*;

#[cfg(feature = "split")]
use crate::{
    components::{heading::Heading, skeleton::Skeleton},
    erased::erased,
};
#[cfg(feature = "split")]
use leptos::{task::spawn_local, wasm_split::SplitLoaderError};
#[cfg(feature = "split")]
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// `on_demand!(module::name, view)`: a [`Part`] that shows the view. The parts of one module come together; what several modules need comes
/// in files of its own, so there are better few modules than many.
macro_rules! on_demand {
    ($module:ident :: $name:ident, $view:expr) => {{
        #[cfg(feature = "split")]
        {
            #[leptos::wasm_split::wasm_split($module, wasm_split_path = ::leptos::wasm_split, preload(load), fallible)]
            fn $name() -> Result<AnyView, leptos::wasm_split::SplitLoaderError> {
                Ok($view.into_any())
            }
            $crate::on_demand::Part { load: || Box::pin(load()), view: || Box::pin($name()) }
        }
        #[cfg(not(feature = "split"))]
        {
            $crate::on_demand::Part { view: || $view.into_any() }
        }
    }};
}
pub(crate) use on_demand;

/// A part of the app that may have to be loaded before it can be shown.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    #[cfg(feature = "split")]
    pub(crate) load: fn() -> Loading<()>,
    #[cfg(feature = "split")]
    pub(crate) view: fn() -> Loading<AnyView>,
    #[cfg(not(feature = "split"))]
    pub(crate) view: fn() -> AnyView,
}

#[cfg(feature = "split")]
type Loading<T> = Pin<Box<dyn Future<Output = Result<T, SplitLoaderError>>>>;

#[cfg(feature = "split")]
impl Part {
    /// Loads the part, unless it is there. Tells whether it is there now; if not, it can be tried again.
    pub(crate) async fn load(self) -> bool {
        (self.load)().await.is_ok()
    }

    /// What the part shows, at once if it is there: so it can take over what the server has rendered.
    pub(crate) fn show(self) -> AnyView {
        let mut loading = (self.load)();
        let outcome = RwSignal::new(at_once(&mut loading).map(|loaded| loaded.is_ok()));
        match outcome.get_untracked() {
            Some(true) => return self.loaded(),
            Some(false) => {}
            None => spawn_local(async move { outcome.set(Some(loading.await.is_ok())) }),
        }
        erased(move || match outcome.get() {
            None => erased(view! { <Skeleton lines=6 /> }),
            Some(true) => self.loaded(),
            Some(false) => erased(view! { <NotLoaded /> }),
        })
    }

    fn loaded(self) -> AnyView {
        match at_once(&mut (self.view)()) {
            Some(Ok(view)) => view,
            _ => erased(view! { <NotLoaded /> }),
        }
    }
}

#[cfg(not(feature = "split"))]
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
}

/// What the future gives, if it need not be waited for.
#[cfg(feature = "split")]
fn at_once<T>(loading: &mut Loading<T>) -> Option<Result<T, SplitLoaderError>> {
    match loading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// In the place of a part that did not come. After an update of the app its old parts are gone: then a reload brings the new ones.
#[cfg(feature = "split")]
#[component]
fn NotLoaded() -> impl IntoView {
    let address = [location().pathname(), location().search()].into_iter().flatten().collect::<String>();
    view! {
        <Heading>"This page did not arrive"</Heading>
        <p class="lead">"This device may be offline, or the app has just been updated."</p>
        <p>
            <a class="button" href=address rel="external">
                "Load it again"
            </a>
        </p>
    }
}
