//! The X-ray: the logins of this browser, message by message, as they really happened.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use std::sync::Arc;

use crate::{
    api::Problem,
    components::{heading::Heading, problem_notice::ProblemNotice, sign_in_links::SignInLinks, skeleton::Skeleton},
    erased::erased,
    flow::{LoginOutcome, RecordedLogin},
    pages::lab::LabLink,
    problem::ProblemCode,
    providers::Providers,
    query::encode,
    texts::{self, around, fill, t},
};
pub(crate) use check_list::check_list;
pub(crate) use layout::Arrow;
#[cfg(test)]
pub(crate) use layout::Direction;
pub(crate) use line::line;
pub(crate) use meaning::ParameterMeaning;
pub(crate) use parameter_list::{explained, message_number, reference};
pub(crate) use secrets::holds;
pub(crate) use sentences::{add_content, route, told_view, value};
use source::{Recording, Source};
pub(crate) use walk::asked_for;

mod check_list;
mod diagram;
#[cfg(test)]
pub(crate) mod example;
mod export;
mod layout;
mod line;
mod login;
pub(crate) mod meaning;
mod message_details;
mod parameter_list;
mod picture;
mod secrets;
mod sentences;
pub(crate) mod source;
pub(crate) mod timing;
mod token;
mod walk;

/// What the page shows; while a login grows, it stays the same.
#[derive(Clone, PartialEq)]
enum Shown {
    Waiting,
    Off,
    Failed(Box<Problem>),
    Empty,
    Login(String),
}

/// The login that is chosen by the address, else the youngest; or why there is none.
#[component]
pub fn FlowPage() -> impl IntoView {
    let source = Source::new();
    source.follow();
    let query = use_query_map();
    let id = Memo::new(move |_| query.with(|query| query.get("login")));
    // Kept alive by whoever reads it: the server asks for the title once the page is made, and its owner may be gone by then.
    let chosen = ArcMemo::new(move |_| source.with(|recording| recording.chosen(id.get().as_deref()).cloned()));
    let shown = {
        let chosen = chosen.clone();
        Memo::new(move |_| match source.get() {
            Recording::Waiting => Shown::Waiting,
            Recording::Off => Shown::Off,
            Recording::Failed(problem) => Shown::Failed(problem),
            Recording::Logins(_) => chosen.get().map_or(Shown::Empty, |login| Shown::Login(login.id.clone())),
        })
    };
    let title = {
        let chosen = chosen.clone();
        let is_off = ArcMemo::new(move |_| source.with(|recording| *recording == Recording::Off));
        let title = ArcMemo::new(move |_| chosen.get().map_or_else(|| general_title(is_off.get()), |login| title(&login)));
        // Made now: whoever asks for it once the page is made does not know its language any more.
        title.with_untracked(String::len);
        move || title.get()
    };
    let has_shown_one = StoredValue::new(false);
    erased(view! {
        <Title text=title.clone() />
        <Heading>{title}</Heading>
        {move || match shown.get() {
            Shown::Waiting => erased(view! { <Skeleton lines=6 /> }),
            Shown::Off => erased(view! {
                <RecordingIsOff />
                <LabLink />
            }),
            Shown::Failed(problem) => {
                erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| source.load()) /> })
            }
            Shown::Empty => erased(view! {
                <NoLogin />
                <LabLink />
            }),
            Shown::Login(_) => {
                let chosen = chosen.clone();
                match chosen.get_untracked() {
                    Some(first) => {
                        let in_the_place_of_another = has_shown_one.try_update_value(|has| std::mem::replace(has, true)).unwrap_or_default();
                        login::login_view(first, chosen, source, in_the_place_of_another)
                    }
                    None => erased(view! { <NoLogin /> }),
                }
            }
        }}
    })
}

fn general_title(is_off: bool) -> String {
    t(if is_off { texts::flow::FLOW_OFF_TITLE } else { texts::flow::FLOW_TITLE }).to_owned()
}

/// What became of the login, as a person would say it.
fn title(login: &RecordedLogin) -> String {
    match &login.outcome {
        LoginOutcome::Running => fill(texts::flow::FLOW_RUNNING, &[("provider", &login.provider_name)]),
        LoginOutcome::SignedIn => fill(texts::flow::FLOW_SIGNED_IN, &[("provider", &login.provider_name)]),
        LoginOutcome::Failed(failure) => {
            ProblemCode::parse(&failure.code).map_or_else(|| failure.title.clone(), |code| code.explain().words.title().to_owned())
        }
    }
}

/// What will be here, and the way to it.
#[component]
fn NoLogin() -> impl IntoView {
    let providers = expect_context::<Providers>();
    Effect::new(move || providers.load());
    let (before, after) = around(texts::flow::FLOW_READ_FIRST);
    view! {
        <p class="lead">
            {t(texts::flow::FLOW_INTRO)}
        </p>
        <SignInLinks return_to=Signal::stored("/flow".to_owned()) />
        <p>
            {before} <a href="/learn">{t(texts::flow::FLOW_HOW)}</a> {after}
        </p>
    }
}

/// Why there is nothing, and what would change that.
#[component]
fn RecordingIsOff() -> impl IntoView {
    view! {
        <p class="lead">{t(texts::flow::FLOW_OFF_LEAD)}</p>
        <p inner_html=t(texts::flow::FLOW_OFF_HTML)></p>
        <p>
            <a class="button" href="/learn">
                {t(texts::flow::FLOW_READ)}
            </a>
        </p>
    }
}

/// The address of this page with that login.
pub(crate) fn address_of(login: &RecordedLogin) -> String {
    let mut address = String::from("/flow?login=");
    encode(&login.id, &mut address);
    address
}

/// The address of this page with a message of that login.
pub(crate) fn address_of_message(login: &RecordedLogin, message: u32) -> String {
    [&address_of(login), "#", &walk::id_of(message)].concat()
}

/// The login as it is now, for as long as it is shown.
type Current = Memo<Arc<RecordedLogin>>;
