//! The way out.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::{self, Problem},
    components::problem_notice::ProblemNotice,
    problem::ProblemCode,
    session::CurrentSession,
    texts::{frame, pages, t},
};

/// A button that ends the session: by a request where there is a script, else by the form it stands in.
#[component]
pub fn SignOut(
    /// Whether it ends all of the user's other sessions, too.
    #[prop(optional)]
    everywhere: bool,
) -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let navigate = use_navigate();
    let signing_out = RwSignal::new(false);
    let problem = RwSignal::new(None::<Problem>);
    let waiting = RwSignal::new(false);
    let sign_out = move |event: SubmitEvent| {
        event.prevent_default();
        if signing_out.get_untracked() {
            return;
        }
        signing_out.set(true);
        problem.set(None);
        let navigate = navigate.clone();
        spawn_local(async move {
            let mut answer = api::log_out(everywhere).await;
            // Whoever wanted to leave is not kept by a hole in the network.
            while answer.as_ref().is_err_and(|problem| problem.is(ProblemCode::Offline)) {
                waiting.try_set(true);
                api::back_online().await;
                waiting.try_set(false);
                answer = api::log_out(everywhere).await;
            }
            match answer.map(|answer| answer.redirect_to.filter(|address| is_web_address(address))) {
                // The provider ends its own session too, and sends the browser back.
                Ok(Some(address)) => {
                    // Nothing of the user is left for whoever comes back to this page.
                    session.sign_out();
                    if location().assign(&address).is_err() {
                        navigate("/", NavigateOptions::default());
                    }
                }
                Ok(None) => {
                    session.sign_out();
                    navigate("/", NavigateOptions::default());
                }
                Err(failure) => {
                    signing_out.try_set(false);
                    problem.try_set(Some(failure));
                }
            }
        });
    };
    let label = if everywhere { t(pages::SIGN_OUT_EVERYWHERE) } else { t(pages::SIGN_OUT_HERE) };
    view! {
        <form class="sign-out" method="post" action="/api/v1/oauth/logout" on:submit=sign_out>
            <input type="hidden" name="csrf_token" value=csrf_token() />
            {everywhere.then(|| view! { <input type="hidden" name="everywhere" value="true" /> })}
            <button type="submit" class="button button-quiet" disabled=move || signing_out.get()>
                {move || if signing_out.get() { t(pages::SIGN_OUT_SIGNING_OUT) } else { label }}
            </button>
        </form>
        {move || waiting.get().then(|| view! { <p class="fine-print" role="status">{t(frame::PAGE_OFFLINE_SIGN_OUT)}</p> })}
        {move || problem.get().map(|problem| view! { <ProblemNotice problem /> })}
    }
}

/// Whether the browser may be sent there: anything but a plain address could be a script.
fn is_web_address(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://") || (address.starts_with('/') && !address.starts_with("//"))
}

/// What the form carries instead of a header; a script sends the header, so only the server writes it.
#[cfg(feature = "ssr")]
pub(crate) fn csrf_token() -> String {
    use_context::<crate::shell::RequestContext>().and_then(|context| context.csrf_token).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
pub(crate) fn csrf_token() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::is_web_address;

    #[test]
    fn only_web_addresses_are_followed() {
        for address in ["https://provider.example/end", "http://127.0.0.1:4000/end-session?x", "/"] {
            assert!(is_web_address(address), "{address}");
        }
        for address in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "ftp://x"] {
            assert!(!is_web_address(address), "{address}");
        }
    }
}
