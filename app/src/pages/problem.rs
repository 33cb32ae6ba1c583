//! The page that a failed navigation is sent to: `/problem?code&request_id`.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{api::Problem, components::problem_view::ProblemView, erased::erased, problem::ProblemCode};

/// The words about the code in the address. A code that is not known is told as a mistake of this app. What the address says about
/// the sign-in that would help leads to a sign-in here or nowhere.
#[component]
pub fn ProblemPage() -> impl IntoView {
    let query = use_query_map();
    erased(move || {
        let (code, request_id, login_url, return_to) = query.with(|query| {
            let code = query.get("code").and_then(|code| ProblemCode::parse(&code));
            (code, query.get("request_id").unwrap_or_default(), query.get("login_url"), query.get("return_to"))
        });
        let problem = Problem { request_id, return_to, login_url, ..Problem::local(code.unwrap_or(ProblemCode::InternalError)) };
        set_status(problem.status);
        view! { <ProblemView problem /> }
    })
}

/// Gives the answer that is being rendered its status; in the browser there is none.
#[cfg(feature = "ssr")]
pub(crate) fn set_status(status: u16) {
    if let Some(set) = use_context::<crate::shell::SetStatus>() {
        (set.0)(status);
    }
}

#[cfg(not(feature = "ssr"))]
pub(crate) fn set_status(_status: u16) {}
