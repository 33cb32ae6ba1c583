//! The way out.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    components::heading,
    session::{Departure, use_session},
    texts::{pages, t},
};

/// A button that ends the session: by a request where there is a script, else by the form it stands in. The page shows at once that nobody
/// is signed in; where the sign-out fails, [`SessionExpiryNotice`](crate::kit::SessionExpiryNotice) says so, and the user is back.
#[component]
pub fn SignOut(
    /// Whether it ends all of the user's other sessions, too.
    #[prop(optional)]
    everywhere: bool,
) -> impl IntoView {
    let session = use_session();
    let leave = use_leave();
    let is_leaving = Memo::new(move |_| matches!(session.departure(), Departure::UnderWay | Departure::Offline | Departure::Onward(_)));
    let label = if everywhere { t(pages::SIGN_OUT_EVERYWHERE) } else { t(pages::SIGN_OUT_HERE) };
    let sign_out = move |event: SubmitEvent| {
        event.prevent_default();
        leave.run(everywhere);
    };
    view! {
        <form class="sign-out" method="post" action="/api/v1/oauth/logout" on:submit=sign_out>
            <input type="hidden" name="csrf_token" value=csrf_token() />
            {everywhere.then(|| view! { <input type="hidden" name="everywhere" value="true" /> })}
            <button type="submit" class="button button-quiet" disabled=is_leaving>
                {move || if is_leaving.get() { t(pages::SIGN_OUT_SIGNING_OUT) } else { label }}
            </button>
        </form>
    }
}

/// What signs the user out, everywhere or here, and then goes where that leads. Inside a `<Router>` only.
pub(crate) fn use_leave() -> Callback<bool> {
    let session = use_session();
    let navigate = use_navigate();
    Callback::new(move |everywhere| {
        let navigate = navigate.clone();
        let path = || location().pathname().ok();
        let before = path();
        spawn_local(async move {
            match session.sign_out(everywhere).await {
                // The provider ends its own session too, and sends the browser back.
                Some(address) if address != "/" && location().assign(&address).is_ok() => {}
                // Whoever has gone elsewhere meanwhile stays there.
                Some(_) if path() == before => navigate("/", NavigateOptions::default()),
                Some(_) | None => {}
            }
        });
        // The button is gone, and with it the focus; the heading says what the page is now.
        heading::focus_where_nothing_is();
    })
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
