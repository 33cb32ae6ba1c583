//! The Leptos app of oauth2flow.
//!
//! The same components are rendered on the server (`ssr`), taken over in the browser (`hydrate`) and built there from
//! nothing (`csr`).

// The type of a page is the tree of its elements.
#![recursion_limit = "512"]

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{components::Router, hooks::use_location};

use crate::{
    clock::Clock,
    components::{site_footer::SiteFooter, site_header::SiteHeader},
    handover::{HandedOver, Handover},
    providers::Providers,
    routes::Routes,
    session::CurrentSession,
};

pub mod api;
pub mod clock;
pub mod components;
mod erased;
pub mod flow;
pub mod handover;
pub mod pages;
pub mod problem;
pub mod providers;
pub mod query;
pub mod routes;
pub mod session;
pub mod session_events;
#[cfg(feature = "ssr")]
pub mod shell;

/// The whole app, from the skip link to the footer: everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let handover = Handover::receive();
    let clock = Clock::new(handover.now_unix_seconds);
    provide_context(clock);
    let providers = Providers::new(&handover);
    provide_context(providers);
    let session = CurrentSession::new(&handover, clock);
    provide_context(session);
    provide_context(HandedOver::new(handover.notes));
    provide_context(HandedOver::new(handover.sessions));
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
    view! {
        <Title formatter=|page: String| page + " · oauth2flow" />
        <Router>
            <Frame />
        </Router>
    }
}

/// What every page has around it.
#[component]
fn Frame() -> impl IntoView {
    view! {
        <a class="skip-link" href="#content" rel="external">
            "Skip to content"
        </a>
        <SiteHeader path=use_location().pathname />
        <main id="content" tabindex="-1">
            <Routes />
        </main>
        <SiteFooter />
    }
}

/// Starts the app in the page that loaded it: over the server's markup where there is some, else in its own.
///
/// A document without `data-render` is not one of ours, so nothing is started there.
#[cfg(all(target_arch = "wasm32", feature = "hydrate"))]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    let render = document().document_element().and_then(|root| root.get_attribute("data-render"));
    match render.as_deref() {
        Some("ssr") => hydrate_body(App),
        Some(_) => mount(),
        None => {}
    }
}

/// Starts the app in the page that loaded it.
#[cfg(all(target_arch = "wasm32", feature = "csr", not(feature = "hydrate")))]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    if document().document_element().is_some_and(|root| root.has_attribute("data-render")) {
        mount();
    }
}

/// Puts the app in the place of the shell's words of patience.
#[cfg(all(target_arch = "wasm32", any(feature = "hydrate", feature = "csr")))]
fn mount() {
    if let Some(body) = document().body() {
        body.set_inner_html("");
        mount_to_renderer(&body, App).forget();
    }
}
