//! The bar at the top of every page.

use leptos::prelude::*;

use crate::texts::{frame, t};

/// The name of the site and the way to its pages.
#[component]
pub fn SiteHeader(
    /// The path of the page that is open.
    #[prop(into)]
    path: Signal<String>,
) -> impl IntoView {
    // The lab belongs to what there is to learn.
    let current = move |page: &'static str| {
        path.with(|path| match (path.as_str(), page) {
            ("/lab", "/learn") => Some("true"),
            _ => (path == page).then_some("page"),
        })
    };
    view! {
        <header class="site-header">
            <a class="site-name" href="/">
                <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
                    <rect width="32" height="32" rx="9" fill="currentColor" />
                    <path
                        d="M8 12h13m-4-4 4 4-4 4M24 20H11m4-4-4 4 4 4"
                        fill="none"
                        class="site-mark"
                        stroke-width="2.4"
                        stroke-linecap="round"
                        stroke-linejoin="round"
                    />
                </svg>
                "oauth2flow"
            </a>
            <nav aria-label=t(frame::HEADER_NAVIGATION)>
                <ul>
                    <li>
                        <a href="/" aria-current=move || current("/")>
                            {t(frame::HEADER_HOME)}
                        </a>
                    </li>
                    <li>
                        <a href="/account" aria-current=move || current("/account")>
                            {t(frame::HEADER_ACCOUNT)}
                        </a>
                    </li>
                    <li>
                        <a href="/flow" aria-current=move || current("/flow")>
                            {t(frame::HEADER_FLOW)}
                        </a>
                    </li>
                    <li>
                        <a href="/learn" aria-current=move || current("/learn")>
                            {t(frame::HEADER_LEARN)}
                        </a>
                    </li>
                </ul>
            </nav>
        </header>
    }
}
