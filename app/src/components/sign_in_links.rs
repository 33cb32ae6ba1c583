//! The ways to sign in.

use leptos::prelude::*;

use crate::{
    api::Provider,
    components::{problem_notice::ProblemNotice, provider_icon::provider_icon, skeleton::Skeleton},
    erased::erased,
    providers::{self, Providers},
    query::login_address,
    session::use_session,
    texts::{fill, frame, t},
};

/// One link for each provider. They leave the app: the backend answers with a redirect to the provider.
#[component]
pub fn SignInLinks(
    /// Where to go after the sign-in: a path with its query and fragment.
    #[prop(into)]
    return_to: Signal<String>,
) -> impl IntoView {
    let providers = expect_context::<Providers>();
    let session = use_session();
    Effect::new(move || providers.load());
    let last_used = RwSignal::new(None);
    Effect::new(move || last_used.set(providers::last_used()));
    // A sign-in that begins before a sign-out is over would be undone by it; and whoever clicks twice does not mean the link.
    let is_inert = Memo::new(move |_| session.departure().is_under_way());
    move || match providers.get() {
        None => erased(view! { <Skeleton lines=1 /> }),
        Some(Err(problem)) => erased(view! { <ProblemNotice problem retry=Callback::new(move |()| providers.load()) /> }),
        Some(Ok(list)) if list.is_empty() => erased(view! { <p class="notice">{t(frame::SIGN_IN_NO_PROVIDER)}</p> }),
        Some(Ok(list)) => {
            let form = form(list.len());
            let is_choice = list.len() > 1;
            erased(view! {
                <ul class=form inert=is_inert>
                    {list.into_iter().map(|provider| view! { <SignInLink provider return_to last_used is_choice /> }).collect_view()}
                </ul>
            })
        }
    }
}

/// One is what the page is for; several are alike, one below the other, and many in two columns.
fn form(count: usize) -> &'static str {
    match count {
        0 | 1 => "sign-in-links",
        2..=6 => "sign-in-links several",
        _ => "sign-in-links several many",
    }
}

#[component]
fn SignInLink(provider: Provider, return_to: Signal<String>, last_used: RwSignal<Option<String>>, is_choice: bool) -> impl IntoView {
    let Provider { id, name, icon } = provider;
    let is_last_used = {
        let id = id.clone();
        move || is_choice && last_used.with(|last_used| last_used.as_ref() == Some(&id))
    };
    let choose = {
        let id = id.clone();
        move |_| {
            if is_choice {
                providers::keep_last_used(&id);
            }
        }
    };
    view! {
        <li>
            <a
                class="button sign-in-link"
                href=move || return_to.with(|return_to| login_address(&id, return_to))
                rel="external"
                on:click=choose
            >
                {provider_icon(&icon)}
                <span>{fill(frame::SIGN_IN_WITH, &[("provider", &name)])}</span>
                {move || is_last_used().then(|| view! { " " <span class="last-used">{t(frame::SIGN_IN_LAST_USED)}</span> })}
            </a>
        </li>
    }
}
