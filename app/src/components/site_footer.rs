//! The bar at the bottom of every page.

use leptos::prelude::*;

use crate::{
    language::Language,
    texts::{frame, t},
};

/// Where to read on.
#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>{t(frame::FOOTER_PROMISE)}</p>
            <p>
                <a href="/api/docs" rel="external">
                    {t(frame::FOOTER_API)}
                </a>
            </p>
            <form class="languages" method="post" action="/api/v1/language" aria-label=t(frame::FOOTER_LANGUAGE)>
                {Language::ALL
                    .map(|language| {
                        view! {
                            <button name="language" value=language.tag() lang=language.tag()>
                                {language.name()}
                            </button>
                        }
                    })
                    .to_vec()}
            </form>
        </footer>
    }
}
