//! What another Leptos app takes over: the session as a signal, and the components around it.
//!
//! ```
//! use leptos::prelude::*;
//! use leptos_router::{components::{FlatRoutes, Route, Router}, path};
//! use oauth2flow_app::kit::*;
//!
//! #[component]
//! fn App() -> impl IntoView {
//!     view! {
//!         <SessionProvider>
//!             <Router>
//!                 <SessionExpiryNotice />
//!                 <FlatRoutes fallback=|| "Not found">
//!                     <Route path=path!("/") view=Home />
//!                     <Route path=path!("/callback") view=CallbackPage />
//!                     <Route path=path!("/signed-in") view=SignedInPage />
//!                 </FlatRoutes>
//!                 <SignInAgain />
//!             </Router>
//!         </SessionProvider>
//!     }
//! }
//!
//! #[component]
//! fn Home() -> impl IntoView {
//!     view! {
//!         <SignedIn let:person>
//!             <p>"Hello, " {person.user.name.clone()}</p>
//!             <SignOutButton />
//!         </SignedIn>
//!         <SignedOut>
//!             <SignInButtons return_to="/" />
//!         </SignedOut>
//!         // Only for whoever has proved in the last five minutes who they are.
//!         <RequireSession max_age=300>
//!             <p>"Your bank account"</p>
//!         </RequireSession>
//!     }
//! }
//! ```
//!
//! Calls to the backend, and through it to your APIs, go by [`fetch`]: it sends what the server wants to see against forged requests, reads
//! its problem documents, and signs the user in again where the session has ended meanwhile.
//!
//! ```
//! use leptos::{prelude::*, task::spawn_local};
//! use oauth2flow_app::kit::*;
//!
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     title: String,
//! }
//!
//! #[component]
//! fn Orders() -> impl IntoView {
//!     let session = use_session();
//!     let orders = RwSignal::new(Ok::<_, Problem>(Vec::<String>::new()));
//!     Effect::new(move || {
//!         spawn_local(async move {
//!             let found = fetch::<Vec<Order>>(session, "GET", "/proxy/orders/open", None::<&()>).await;
//!             orders.set(found.map(|found| found.into_iter().map(|order| order.title).collect()));
//!         });
//!     });
//!     move || match orders.get() {
//!         Ok(titles) => titles.join(", ").into_any(),
//!         Err(problem) => view! { <ProblemNotice problem /> }.into_any(),
//!     }
//! }
//! ```
//!
//! Nothing is lost where the page has to be left to sign in again, if it says what there is to be kept.
//!
//! ```
//! use leptos::{html, prelude::*, task::spawn_local};
//! use oauth2flow_app::kit::*;
//!
//! #[component]
//! fn Comment() -> impl IntoView {
//!     let (session, field) = (use_session(), NodeRef::<html::Textarea>::new());
//!     keep_draft(field, "comment");
//!     let send = move || {
//!         let Some(area) = field.get_untracked() else { return };
//!         spawn_local(async move {
//!             let call = session.kept_as("comment", "send");
//!             if fetch::<()>(call, "POST", "/proxy/blog/comments", Some(&area.value())).await.is_ok() {
//!                 area.set_value("");
//!             }
//!         });
//!     };
//!     // Behind `keep_draft`: so the field is filled by then.
//!     Effect::new(move || {
//!         if field.get().is_some() && take_call(session, "comment").is_some() {
//!             send();
//!         }
//!     });
//!     view! {
//!         <textarea node_ref=field></textarea>
//!         <button on:click=move |_| send()>"Send"</button>
//!     }
//! }
//! ```

use leptos::prelude::*;

pub use crate::{
    api::{self, Problem, fetch},
    components::{
        gates::{RequireSession, SignedIn, SignedOut},
        heading::Heading,
        problem_notice::ProblemNotice,
        session_expiry_notice::SessionExpiryNotice,
        sign_in_again::SignInAgain,
        sign_in_links::SignInLinks as SignInButtons,
        sign_out::SignOut as SignOutButton,
    },
    draft::{Caller, Field, keep_draft, take_call},
    pages::{callback::Callback as CallbackPage, problem::ProblemPage, signed_in::SignedInPage},
    session::{CurrentSession, Departure, SessionState, use_session},
};

/// All of it, for one `use`.
pub mod prelude {
    pub use super::*;
}

use crate::{
    clock::Clock,
    handover::{HandedOver, Handover},
    providers::Providers,
    routes, session_events,
};

/// Knows who is signed in, for everything inside: from the first drawing on where the server has rendered the page, else as soon as it has
/// been asked. It follows what becomes of the session in other tabs, in other browsers and at the provider.
#[component]
pub fn SessionProvider<V: IntoView>(
    /// Everything that may ask who is signed in; its type is kept, since a whole app without its own is a much larger one.
    children: TypedChildren<V>,
) -> impl IntoView {
    let handover = Handover::receive();
    let clock = Clock::new(handover.now_unix_seconds);
    provide_context(clock);
    let providers = Providers::new(&handover);
    provide_context(providers);
    let session = CurrentSession::new(&handover, clock);
    provide_context(session);
    provide_context(HandedOver::new(handover.notes));
    provide_context(HandedOver::new(handover.sessions));
    provide_context(HandedOver::new(handover.flow));
    provide_context(HandedOver::new(handover.run));
    // The browser's clock may be wrong; but what is drawn first is what the server has drawn.
    Effect::new(move || {
        if let Some(now) = handover.now_unix_seconds {
            clock.set_by_page(now);
        }
    });
    // A page that was not rendered with a session asks for it once. That is every page of single-page mode, and a
    // server-rendered one that was reached from another site, which comes without the SameSite=Strict cookie.
    Effect::new(move || {
        if session.get_untracked().signed_in().is_none() && !routes::is_callback() {
            session.refresh();
            // Both answers are likely to be needed, so neither waits for the other.
            providers.load();
        }
    });
    Effect::new(move || session_events::follow(session));
    // A page that comes back from the back/forward cache may show a session that has ended meanwhile.
    Effect::new(move || {
        let handle = window_event_listener(leptos::ev::pageshow, move |event| {
            if event.persisted() {
                session.refresh();
            }
        });
        on_cleanup(move || handle.remove());
    });
    children.into_inner()()
}

/// Starts an app in the page that loaded it: over the server's markup where there is some, else in its own.
///
/// ```
/// # use leptos::prelude::*;
/// # #[component]
/// # fn App() -> impl IntoView {}
/// #[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen(start))]
/// pub fn main() {
///     oauth2flow_app::kit::start(App);
/// }
/// ```
#[cfg(any(feature = "hydrate", feature = "csr"))]
pub fn start<V: IntoView + 'static>(app: fn() -> V) {
    crate::start::start(app, |_| None);
}
