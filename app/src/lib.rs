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
    components::{site_footer::SiteFooter, site_header::SiteHeader},
    kit::{SessionExpiryNotice, SessionProvider, SignInAgain},
    routes::Routes,
};

pub mod address;
pub mod api;
pub mod clock;
pub mod components;
pub mod draft;
mod erased;
pub mod flow;
pub mod handover;
pub mod json;
pub mod kit;
mod on_demand;
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
    view! {
        <Title formatter=|page: String| page + " · oauth2flow" />
        <SessionProvider>
            <Router>
                <Frame />
            </Router>
        </SessionProvider>
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
        <SessionExpiryNotice />
        <main id="content" tabindex="-1">
            <Routes />
        </main>
        <SiteFooter />
        <SignInAgain />
    }
}

/// Starts the app in the page that loaded it: over the server's markup where there is some, else in its own.
///
/// A document without `data-render` is not one of ours, so nothing is started there. Where the page is in a part of its own, the server's
/// markup or the shell is left alone until that has come.
#[cfg(all(target_arch = "wasm32", any(feature = "hydrate", feature = "csr")))]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    let Some(render) = document().document_element().and_then(|root| root.get_attribute("data-render")) else { return };
    let is_rendered = cfg!(feature = "hydrate") && render == "ssr";
    match location().pathname().ok().and_then(|path| routes::part_at(&path)) {
        None => take_over(is_rendered),
        Some(part) => wasm_bindgen_futures::spawn_local(async move {
            let has_come = part.load().await;
            take_over(is_rendered && has_come);
        }),
    }
}

#[cfg(all(target_arch = "wasm32", any(feature = "hydrate", feature = "csr")))]
fn take_over(is_rendered: bool) {
    #[cfg(feature = "hydrate")]
    if is_rendered {
        hydrate_body(App);
        return;
    }
    // In the place of the shell, or of markup that has nobody to take it over.
    if let Some(body) = document().body() {
        body.set_inner_html("");
        mount_to_renderer(&body, App).forget();
    }
}
