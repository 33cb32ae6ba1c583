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
    components::{page_notices::PageNotices, site_footer::SiteFooter, site_header::SiteHeader},
    kit::{SessionExpiryNotice, SessionProvider, SignInAgain},
    routes::Routes,
    texts::{frame, t},
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
pub mod lab;
pub mod language;
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
#[cfg(feature = "ssr")]
pub mod site;
#[cfg(any(feature = "hydrate", feature = "csr"))]
mod start;
pub mod texts;

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
            {t(frame::PAGE_SKIP)}
        </a>
        <SiteHeader path=use_location().pathname />
        <SessionExpiryNotice />
        <main id="content" tabindex="-1">
            <PageNotices />
            <Routes />
        </main>
        <SiteFooter />
        <SignInAgain />
    }
}

/// Starts the app in the page that loaded it.
#[cfg(any(feature = "hydrate", feature = "csr"))]
pub fn start() {
    start::start(App, routes::part_at);
}
