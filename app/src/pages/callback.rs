//! The page that the provider sends the browser back to.

use leptos::{leptos_dom::helpers::location, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::{cell::Cell, time::Duration};
use wasm_bindgen::JsValue;

#[cfg(feature = "ssr")]
use crate::query::pairs;
use crate::{
    api::{self, AuthorizationResponse, Problem},
    clock::sleep,
    components::{heading::Heading, problem_view::ProblemView},
    draft::forget_calls,
    erased::erased,
    problem::ProblemCode,
    query::{Redirect, read_redirect},
    routes::{CALLBACK, is_page, prepare_account, safe_return_to},
    session::{CurrentSession, SessionState},
    texts::{pages, t},
};

/// Where the starter script leaves the URL's query and fragment, and the name of the mark in the history entry.
const AUTHORIZATION_RESPONSE: &str = "authorizationResponse";

/// How long to wait between two looks at the session while another run of this page finishes the sign-in: about ten
/// seconds in all.
const PATIENCE_MILLISECONDS: [u64; 8] = [100, 200, 400, 800, 1_600, 2_000, 2_400, 2_500];

thread_local! {
    /// Whether this document has handed in its answer; whatever renders this page again, it does so only once.
    static HANDED_IN: Cell<bool> = const { Cell::new(false) };
}

/// What the page shows.
#[derive(Clone, PartialEq)]
enum Stage {
    Working,
    Nothing,
    Failed(Box<Problem>),
}

/// What this run of the page has to do.
enum Task {
    /// Hand in the provider's answer.
    HandIn(AuthorizationResponse),
    /// Wait for the run that was interrupted by a reload: its request goes on without it.
    WaitForOther,
    /// Have the server refuse what is no proper answer, so that it is known there, too.
    Refuse(String),
    /// Tell that there is nothing to do.
    Nothing,
}

/// Finishes the sign-in: cleans the URL, hands the answer to the backend, and goes to where the user was going.
///
/// The server renders it without looking at anybody's session, and without a script a form does the work.
#[component]
pub fn Callback() -> impl IntoView {
    let stage = RwSignal::new(Stage::Working);
    let session = expect_context::<CurrentSession>();
    let navigate = use_navigate();
    Effect::new(move || {
        let task = take_task();
        let navigate = navigate.clone();
        spawn_local(async move {
            let ended = match task {
                Task::HandIn(answer) => {
                    prepare_account();
                    finish(session, &answer).await.map(Some)
                }
                Task::WaitForOther => wait(session).await.map(|()| Some("/".to_owned())),
                Task::Refuse(form) => Err(api::hand_in_void(form).await),
                Task::Nothing => {
                    if session.get_untracked() == SessionState::Unknown {
                        session.ask().await;
                    }
                    Ok(None)
                }
            };
            match ended {
                Ok(Some(return_to)) => go_to(safe_return_to(&return_to), &navigate),
                Ok(None) => stage.set(Stage::Nothing),
                Err(problem) => {
                    // A reload of this page has nothing left to wait for.
                    mark_history(&JsValue::NULL);
                    if problem.is(ProblemCode::AccessDenied) {
                        forget_calls();
                    }
                    stage.set(Stage::Failed(problem.into()));
                }
            }
        });
    });
    erased(move || match stage.get() {
        Stage::Working => erased(view! {
            <Title text=t(pages::CALLBACK_WORKING) />
            <Heading>{t(pages::CALLBACK_WORKING)}</Heading>
            <p class="lead" role="status">
                {t(pages::CALLBACK_MOMENT)}
            </p>
            <div class="progress needs-script" aria-hidden="true"></div>
            <noscript inner_html=without_script()></noscript>
        }),
        Stage::Nothing => erased(view! {
            <Title text=t(pages::CALLBACK_NOTHING) />
            <Heading>{t(pages::CALLBACK_NOTHING)}</Heading>
            {move || {
                let (lead, address, step) = if session.get().signed_in().is_some() {
                    (t(pages::CALLBACK_SIGNED_IN), "/account", t(pages::NEXT_OPEN_ACCOUNT))
                } else {
                    (t(pages::CALLBACK_NOT_UNDER_WAY), "/", t(pages::NEXT_HOME))
                };
                view! {
                    <p class="lead">{lead}</p>
                    <p>
                        <a class="button" href=address>
                            {step}
                        </a>
                    </p>
                }
            }}
        }),
        Stage::Failed(problem) => erased(view! { <ProblemView problem=*problem /> }),
    })
}

/// Takes the provider's answer out of the page, so that it is found only once, and decides what to do.
fn take_task() -> Task {
    let interrupted = window().history().and_then(|history| history.state()).is_ok_and(|state| is_marked(&state));
    let url_parts = take_url_parts();
    // The form for browsers without a script has it, too.
    if let Ok(Some(form)) = document().query_selector("noscript") {
        form.set_text_content(None);
    }
    if HANDED_IN.get() {
        return Task::Nothing;
    }
    match read_redirect(&url_parts) {
        Redirect::Response(answer) => {
            HANDED_IN.set(true);
            Task::HandIn(answer)
        }
        Redirect::Repeated(form) => {
            HANDED_IN.set(true);
            Task::Refuse(form)
        }
        Redirect::Nothing if interrupted => Task::WaitForOther,
        Redirect::Nothing => Task::Nothing,
    }
}

/// The query and the fragment that the provider sent the browser back with, removed from wherever they are.
pub fn take_url_parts() -> String {
    let window = window();
    let taken_by_starter = js_sys::Reflect::get(&window, &AUTHORIZATION_RESPONSE.into()).ok().and_then(|url_parts| url_parts.as_string());
    if taken_by_starter.is_some() {
        // The property is the starter's own, so it can always be deleted.
        let _ = js_sys::Reflect::delete_property(&window, &AUTHORIZATION_RESPONSE.into());
    }
    let in_url = [location().search().unwrap_or_default(), location().hash().unwrap_or_default()].concat();
    if !in_url.is_empty() {
        let mark = js_sys::Object::new();
        if js_sys::Reflect::set(&mark, &AUTHORIZATION_RESPONSE.into(), &"taken".into()).is_ok() {
            mark_history(&mark);
        }
    }
    taken_by_starter.unwrap_or(in_url)
}

/// Whether a history entry's state says that an answer was taken from its URL.
fn is_marked(state: &JsValue) -> bool {
    state.is_object() && js_sys::Reflect::has(state, &AUTHORIZATION_RESPONSE.into()).unwrap_or(false)
}

/// Replaces the history entry by the bare address of this page.
fn mark_history(state: &JsValue) {
    if let Ok(history) = window().history() {
        // Refused only when a page does this a hundred times in a row.
        let _ = history.replace_state_with_url(state, "", Some(CALLBACK));
    }
}

/// Hands in the answer and learns who signed in. Says where to go.
async fn finish(session: CurrentSession, answer: &AuthorizationResponse) -> Result<String, Problem> {
    match api::complete(answer).await {
        Ok(completed) => {
            session.ask().await;
            // Another tab may have told meanwhile that the session of before is over, which is no answer to this one.
            if session.get_untracked().signed_in().is_none() {
                session.ask().await;
            }
            Ok(completed.return_to)
        }
        // Another run of this page was faster: what it began is worth waiting for.
        Err(problem) if problem.is(ProblemCode::AlreadyCompleted) => {
            if wait(session).await.is_ok() {
                Ok(problem.return_to.unwrap_or_else(|| "/".to_owned()))
            } else {
                Err(problem)
            }
        }
        Err(problem) => Err(problem),
    }
}

/// Looks at the session until somebody is signed in, for about ten seconds.
async fn wait(session: CurrentSession) -> Result<(), Problem> {
    for pause in PATIENCE_MILLISECONDS {
        if session.ask().await {
            return Ok(());
        }
        sleep(Duration::from_millis(pause)).await;
    }
    if session.ask().await { Ok(()) } else { Err(Problem::local(ProblemCode::Unauthenticated)) }
}

/// Replaces this page in the history, so that Back does not come here again.
fn go_to(address: &str, navigate: &impl Fn(&str, NavigateOptions)) {
    if is_page(address) {
        navigate(address, NavigateOptions { replace: true, ..NavigateOptions::default() });
    } else if location().replace(address).is_err() {
        navigate("/", NavigateOptions { replace: true, ..NavigateOptions::default() });
    }
}

/// The form that hands in the answer where no script runs. It stands in `<noscript>`, whose content a browser that
/// runs scripts takes for text: so it is written as text, and hydration passes over it.
#[cfg(feature = "ssr")]
fn without_script() -> String {
    let url_parts = leptos_router::hooks::use_location().search.get_untracked();
    match read_redirect(&url_parts) {
        Redirect::Nothing => {
            ["<p>", t(pages::CALLBACK_NOTHING_WITHOUT_SCRIPT), " <a href=\"/\">", t(pages::NEXT_HOME), "</a></p>"].concat()
        }
        // What is void is handed in as well: the server says what is wrong with it.
        Redirect::Repeated(form) => form_of(pairs(&form)),
        Redirect::Response(answer) => {
            let AuthorizationResponse { code, state, iss, response, error, error_description, error_uri } = answer;
            let fields = [
                ("code", code),
                ("state", state),
                ("iss", iss),
                ("response", response),
                ("error", error),
                ("error_description", error_description),
                ("error_uri", error_uri),
            ];
            form_of(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
        }
    }
}

/// A form that hands in these fields.
#[cfg(feature = "ssr")]
fn form_of<N: AsRef<str>>(fields: impl IntoIterator<Item = (N, String)>) -> String {
    let mut form = String::from("<form method=\"post\" action=\"/api/v1/oauth/code\">");
    for (name, value) in fields {
        form.push_str("<input type=\"hidden\" name=\"");
        form.push_str(&escape_attribute(name.as_ref()));
        form.push_str("\" value=\"");
        form.push_str(&escape_attribute(&value));
        form.push_str("\">");
    }
    form.push_str("<p>");
    form.push_str(t(pages::CALLBACK_ONE_MORE_CLICK));
    form.push_str("</p><button type=\"submit\" class=\"button\">");
    form.push_str(t(pages::CALLBACK_CONTINUE));
    form.push_str("</button></form>");
    form
}

#[cfg(not(feature = "ssr"))]
fn without_script() -> String {
    String::new()
}

#[cfg(feature = "ssr")]
fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
