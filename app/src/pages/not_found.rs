//! The page for every address that has none.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{components::heading::Heading, erased::erased, pages::problem::set_status, problem::ProblemCode};

/// There is nothing here, and where there is something.
#[component]
pub fn NotFound() -> impl IntoView {
    let explanation = ProblemCode::NotFound.explain();
    set_status(explanation.status);
    erased(view! {
        <Title text=explanation.title />
        <Heading>{explanation.title}</Heading>
        <p class="lead">{explanation.why}</p>
        <p>
            <a class="button" href="/">
                "Go to the home page"
            </a>
        </p>
    })
}
