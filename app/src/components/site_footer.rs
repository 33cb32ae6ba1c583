//! The bar at the bottom of every page.

use leptos::prelude::*;

/// Where to read on.
#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>"Tokens stay in the backend. This browser only holds a cookie that no script can read."</p>
            <p>
                <a href="/api/docs" rel="external">
                    "API documentation"
                </a>
            </p>
        </footer>
    }
}
