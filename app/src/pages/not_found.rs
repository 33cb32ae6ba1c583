//! The page for every address that has none.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::heading::Heading,
    erased::erased,
    pages::problem::set_status,
    problem::ProblemCode,
    texts::{frame, t},
};

/// There is nothing here, and where there is something.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(ProblemCode::NotFound.status());
    erased(view! {
        <Title text=t(frame::NOT_FOUND_TITLE) />
        <Heading>{t(frame::NOT_FOUND_TITLE)}</Heading>
        <p class="lead">{t(frame::NOT_FOUND_WHY)}</p>
        <p>
            <a class="button" href="/">
                {t(frame::NOT_FOUND_HOME)}
            </a>
        </p>
    })
}
