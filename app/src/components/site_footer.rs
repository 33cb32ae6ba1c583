//! The bar at the bottom of every page.

use leptos::prelude::*;

use crate::{
    language::Language,
    texts::{self, frame, t},
};

/// Where to read on.
#[component]
pub fn SiteFooter() -> impl IntoView {
    let current = texts::language();
    view! {
        <footer class="site-footer">
            <p>{t(frame::FOOTER_PROMISE)}</p>
            <p>
                <a href="/api/docs" rel="external">
                    {t(frame::FOOTER_API)}
                </a>
            </p>
            <form class="languages" method="post" action="/api/v1/language" aria-label=t(frame::FOOTER_LANGUAGE)>
                <svg
                    class="icon"
                    viewBox="0 0 24 24"
                    width="20"
                    height="20"
                    fill="none"
                    stroke="currentColor"
                    stroke-width="1.8"
                    aria-hidden="true"
                    focusable="false"
                >
                    <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c-6 6-6 12 0 18 6-6 6-12 0-18Z" />
                </svg>
                {Language::ALL
                    .map(|language| {
                        view! {
                            <button name="language" value=language.tag() lang=language.tag() aria-current=(language == current).then_some("true")>
                                {language.name()}
                            </button>
                        }
                    })
                    .to_vec()}
            </form>
        </footer>
    }
}
