//! One login: how it came out, its diagram, and everything around it.

use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

use super::{
    Current, address_of,
    diagram::{self, diagram},
    export::export,
    meaning,
    message_details::dropped,
    parameter_list::{message_link, message_number},
    sentences,
    source::{Recording, Source},
    timing, token,
    walk::{self, Move, Walk},
};
use crate::{
    api::Problem,
    components::{
        heading::{focus_heading, focus_where_nothing_is},
        problem_notice::ProblemNotice,
    },
    erased::erased,
    flow::{CheckOutcome, LoginOutcome, RecordedLogin},
    pages::lab::LabLink,
    problem::ProblemCode,
    query::login_address,
    texts::{around, fill, flow, pieces, t},
};

/// The whole login. The parent builds this anew for another one.
///
/// It begins with the login as it is now, and follows how it grows. Where it stands `in_the_place_of_another`, the link to it is gone,
/// and the focus must not be.
pub(crate) fn login_view(
    first: Arc<RecordedLogin>,
    chosen: ArcMemo<Option<Arc<RecordedLogin>>>,
    source: Source,
    in_the_place_of_another: bool,
) -> AnyView {
    let id = first.id.clone();
    let began_at = failed_at(&first);
    let login = Memo::new(move |known: Option<&Arc<RecordedLogin>>| {
        // While another one takes its place, it stays what it was.
        let now = chosen.get().filter(|login| login.id == id);
        now.or_else(|| known.cloned()).unwrap_or_else(|| Arc::clone(&first))
    });
    let walk = Walk::new(login, began_at);
    // What the address asks for comes first, then the message where it failed.
    Effect::new(move |had_arrived: Option<bool>| {
        let failed = login.with(|login| failed_at(login));
        if had_arrived.is_none() {
            let asked_for = location().hash().ok().and_then(|hash| hash.strip_prefix("#message-")?.parse().ok());
            if let Some(number) = asked_for.or(failed) {
                walk.open(number);
                walk::focus(number);
            } else if in_the_place_of_another {
                focus_where_nothing_is();
            }
        } else if let Some(number) = failed {
            walk.set_open(number, true);
        }
        true
    });
    erased(view! {
        {move || login.with(|login| outcome(login, walk))}
        <LabLink />
        <Others login source />
        <section class="diagram-section" aria-labelledby="messages">
            <h2 id="messages">{t(flow::FLOW_MESSAGES)}</h2>
            <p class="legend">
                <span class="sample front">{t(flow::FLOW_LEGEND_FRONT)}</span>
                <span class="sample back">{t(flow::FLOW_LEGEND_BACK)}</span>
            </p>
            <Controls walk />
            {diagram(login, walk)}
            {move || login.with(|login| dropped(login.dropped_messages, flow::FLOW_MESSAGE_DROPPED_ONE, flow::FLOW_MESSAGE_DROPPED_OTHER))}
        </section>
        {move || login.with(|login| token::id_token(login, walk))}
        {move || login.with(|login| token::metadata(login))}
        <section class="card" aria-labelledby="times">
            <h2 id="times">{t(flow::FLOW_TIMES)}</h2>
            {move || login.with(|login| times(login))}
        </section>
        <section class="card" aria-labelledby="in-words">
            <h2 id="in-words">{t(flow::FLOW_IN_WORDS)}</h2>
            <p>{move || login.with(|login| sentences::outcome(login))}</p>
            <ol class="sentences">
                {move || {
                    login
                        .with(|login| {
                            login
                                .messages
                                .iter()
                                .map(|message| {
                                    view! {
                                        <li>
                                            {sentences::message_view(message)}
                                        </li>
                                    }
                                })
                                .collect_view()
                        })
                }}
            </ol>
        </section>
        <section class="card take-along" aria-labelledby="take-along">
            <h2 id="take-along">{t(flow::FLOW_TAKE_ALONG)}</h2>
            <p>{t(flow::FLOW_FILES)}</p>
            {export(login)}
            <Forget source />
        </section>
    })
}

fn failed_at(login: &RecordedLogin) -> Option<u32> {
    match &login.outcome {
        LoginOutcome::Failed(failure) => Some(failure.message),
        LoginOutcome::Running | LoginOutcome::SignedIn => None,
    }
}

/// The check that has failed there, if it was one: the rule, and what was wrong.
fn failed_check(login: &RecordedLogin, number: u32) -> Option<(&'static str, String)> {
    let message = login.messages.iter().find(|message| message.number == number)?;
    message.checks.iter().find_map(|check| match &check.outcome {
        CheckOutcome::Failed { reason, .. } => Some((meaning::check(check.name).rule, reason.clone())),
        CheckOutcome::Passed | CheckOutcome::Skipped(_) | CheckOutcome::NotReached => None,
    })
}

/// What became of it, why, and what to do next.
fn outcome(login: &RecordedLogin, walk: Walk) -> AnyView {
    let again = fill(flow::FLOW_AGAIN, &[("provider", &login.provider_name)]);
    let again = erased(view! {
        <a class="button" href=login_address(&login.provider, "/flow") rel="external">
            {again}
        </a>
    });
    let sentence = erased(view! { <p role="status">{sentences::outcome(login)}</p> });
    let began = erased(view! {
        <p class="fine-print">
            {pieces(flow::FLOW_BEGAN, |name| match name {
                "time" => erased(view! { <time datetime=login.started_at.clone()>{timing::moment_of(&login.started_at)}</time> }),
                _ => erased(view! { <a href="/learn">{t(flow::FLOW_HOW)}</a> }),
            })}
        </p>
    });
    match &login.outcome {
        LoginOutcome::Running => erased(view! {
            <div class="outcome">
                <p class="lead">{t(flow::FLOW_RUNNING_LEAD)}</p>
                {sentence}
                {began}
            </div>
        }),
        LoginOutcome::SignedIn => erased(view! {
            <div class="outcome">
                <p class="lead">{t(flow::FLOW_SIGNED_IN_LEAD)}</p>
                {sentence}
                {began}
                <p class="without-script">{again}</p>
            </div>
        }),
        LoginOutcome::Failed(failure) => {
            let explanation = ProblemCode::parse(&failure.code).map(ProblemCode::explain);
            let detail =
                Problem { detail: failure.detail.clone(), code: failure.code.clone(), ..Problem::local(ProblemCode::InternalError) };
            let detail = detail.own_words().map(str::to_owned);
            let (before, after) = around(flow::FLOW_FAILED_AT);
            let text = message_number(failure.message);
            let broken = failed_check(login, failure.message);
            erased(view! {
                <div class="outcome failed">
                    {explanation.map(|explanation| view! { <p class="lead">{explanation.words.why()}</p> })}
                    {detail
                        .map(|detail| {
                            view! {
                                <p class="problem-detail" lang="en">
                                    <bdi>{detail}</bdi>
                                </p>
                            }
                        })}
                    <div class="notice notice-problem">
                        {broken
                            .map(|(rule, reason)| {
                                view! {
                                    <p>
                                        <strong>{rule}</strong>
                                        ": "
                                        <bdi lang="en">{reason}</bdi>
                                    </p>
                                }
                            })}
                        <p role="status">{before} {message_link(failure.message, text, walk)} {after}</p>
                    </div>
                    {explanation.map(|explanation| view! { <p>{explanation.words.advice()}</p> })}
                    {began}
                    <p>{again}</p>
                </div>
            })
        }
    }
}

/// The buttons that step from message to message.
#[component]
fn Controls(walk: Walk) -> impl IntoView {
    let go = move |movement: Move| {
        if let Some(number) = walk.go(movement) {
            walk::show(number);
        }
    };
    // A button that is disabled under somebody's finger takes the focus with it: it only says that it can do no more.
    let is_over = move |movement: Move| if walk.can(movement) { "false" } else { "true" };
    erased(view! {
        <div class="walk needs-script" role="group" aria-label=t(flow::FLOW_WALK)>
            <button
                type="button"
                class="button button-quiet button-small"
                aria-disabled=move || is_over(Move::Previous)
                on:click=move |_| go(Move::Previous)
            >
                {t(flow::FLOW_PREVIOUS)}
            </button>
            <button
                type="button"
                class="button button-quiet button-small"
                aria-disabled=move || is_over(Move::Next)
                on:click=move |_| go(Move::Next)
            >
                {t(flow::FLOW_NEXT)}
            </button>
            <p class="fine-print" role="status">
                {move || walk.announced()}
            </p>
        </div>
    })
}

/// How long each step took.
fn times(login: &RecordedLogin) -> AnyView {
    let total = timing::total(login);
    let rows: Vec<_> = timing::steps(login)
        .into_iter()
        .map(|time| {
            // At least a hair's breadth, so that there is something to see.
            let width = (time.microseconds * 100).checked_div(total).unwrap_or_default().clamp(1, 100);
            view! {
                <tr>
                    <th scope="row">{diagram::step(time.step)}</th>
                    <td class="amount">{timing::duration(time.microseconds)}</td>
                    <td class="share" aria-hidden="true">
                        <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" focusable="false">
                            <rect width=width.to_string() height="8" />
                        </svg>
                    </td>
                </tr>
            }
        })
        .collect();
    erased(view! {
        <table class="times">
            <thead class="visually-hidden">
                <tr>
                    <th scope="col">{t(flow::FLOW_STEP)}</th>
                    <th scope="col">{t(flow::FLOW_TIME)}</th>
                    <td></td>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
            <tfoot>
                <tr>
                    <th scope="row">{t(flow::FLOW_IN_ALL)}</th>
                    <td class="amount">{timing::duration(total)}</td>
                    <td aria-hidden="true"></td>
                </tr>
            </tfoot>
        </table>
    })
}

/// The other logins of this browser.
#[component]
fn Others(login: Current, source: Source) -> impl IntoView {
    let others = move || match source.get() {
        Recording::Logins(logins) => {
            let shown = login.with(|login| login.id.clone());
            logins.into_iter().filter(|login| login.id != shown).collect()
        }
        Recording::Waiting | Recording::Off | Recording::Failed(_) => Vec::new(),
    };
    erased(move || {
        let others = others();
        let summary = fill(flow::FLOW_OTHERS, &[("number", &others.len().to_string())]);
        (!others.is_empty()).then(|| {
            view! {
                <details class="more">
                    <summary>{summary}</summary>
                    <ul class="logins">
                        {others
                            .into_iter()
                            .map(|login| {
                                view! {
                                    <li>
                                        <a href=address_of(&login)>{timing::moment_of(&login.started_at)}</a>
                                        <p class="fine-print">{sentences::outcome(&login)}</p>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                </details>
            }
        })
    })
}

/// The button that has the server forget all of this browser's logins.
#[component]
fn Forget(source: Source) -> impl IntoView {
    let problem = RwSignal::new(None::<Problem>);
    let forget = move |_| {
        spawn_local(async move {
            match source.forget().await {
                // The button is gone, and the focus must not be.
                Ok(()) => request_animation_frame(focus_heading),
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    erased(view! {
        <div class="toolbar needs-script">
            <button type="button" class="button button-quiet button-small" on:click=forget>
                {t(flow::FLOW_FORGET)}
            </button>
        </div>
        {move || problem.get().map(|problem| view! { <ProblemNotice problem /> })}
    })
}
