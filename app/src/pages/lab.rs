//! The attack lab: five attacks on a sign-in, each tried with the defence that stops it, and without.

use leptos::{ev::SubmitEvent, html::Input, prelude::*, task::spawn_local};
use leptos_meta::Title;

use crate::{
    api::{self, Problem},
    components::{heading::Heading, problem_notice::ProblemNotice, skeleton::Skeleton},
    erased::erased,
    handover::{HandedOver, HandedRun},
    json,
    lab::{Attack, Defence, Experiment, LAB, LabRun},
    pages::flow::reference,
    problem::ProblemCode,
    providers::Providers,
    texts::{fill, flow, frame, lab, pieces, t},
};
use report::report;
use stories::{Story, story};

mod report;
mod sentences;
mod stories;

/// The five attacks, where they can be tried.
#[component]
pub fn LabPage() -> impl IntoView {
    let providers = expect_context::<Providers>();
    Effect::new(move || providers.load());
    // Made by the server for the page's own form, where no script was there to call it.
    let handed = use_context::<HandedOver<HandedRun>>().and_then(HandedOver::take);
    let run: Option<LabRun> = handed.and_then(|HandedRun(text)| json::read(&text));
    erased(view! {
        <Title text=t(lab::LAB_TITLE) />
        <Heading>{t(lab::LAB_TITLE)}</Heading>
        <p class="lead">{t(lab::LAB_LEAD)}</p>
        {move || match is_open(providers) {
            None => erased(view! { <Skeleton lines=6 /> }),
            Some(Err(problem)) => {
                erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| providers.load()) /> })
            }
            Some(Ok(true)) => experiments(run.as_ref()),
            Some(Ok(false)) => erased(view! { <NotHere /> }),
        }}
    })
}

/// What the demo provider alone is marked with: the lab is there exactly where that is.
const DEMO: &str = "demo";

/// Whether the lab is there, as far as that is known.
fn is_open(providers: Providers) -> Option<Result<bool, Box<Problem>>> {
    let answer = providers.get()?.map_err(Box::new);
    Some(answer.map(|list| list.iter().any(|provider| provider.icon == DEMO)))
}

/// The way to the lab, where there is one.
#[component]
pub(crate) fn LabLink() -> impl IntoView {
    let providers = expect_context::<Providers>();
    Effect::new(move || providers.load());
    let told = || pieces(flow::LAB_TRY, |_| erased(view! { <a href=LAB>{t(flow::LAB_LINK)}</a> }));
    erased(move || matches!(is_open(providers), Some(Ok(true))).then(|| view! { <p>{told()}</p> }))
}

/// Why there is nothing to try.
#[component]
fn NotHere() -> impl IntoView {
    let way = pieces(lab::LAB_NOT_HERE_WAY, |_| erased(view! { <a href="/learn">{t(flow::FLOW_HOW)}</a> }));
    view! {
        <p>{t(lab::LAB_NOT_HERE)}</p>
        <p>{way}</p>
    }
}

/// The attacks, and what happened when the one was tried that the page was asked for.
fn experiments(run: Option<&LabRun>) -> AnyView {
    let cards: Vec<_> = Attack::ALL
        .into_iter()
        .map(|attack| {
            let told = run.filter(|run| run.experiment.attack == attack).cloned();
            view! { <AttackCard attack told /> }
        })
        .collect();
    erased(view! {
        <p>{t(lab::LAB_SANDBOX)}</p>
        {cards}
    })
}

/// One attack: its story, the switch, and what happened.
#[component]
fn AttackCard(
    /// Which one.
    attack: Attack,
    /// What happened when it was tried, if it was before the page was made.
    told: Option<LabRun>,
) -> impl IntoView {
    let Story { key, name, title, defence, told: sentences, note, references, .. } = story(attack);
    let is_on = told.as_ref().is_none_or(|run| run.experiment.defence == Defence::On);
    let switch = NodeRef::<Input>::new();
    let is_running = RwSignal::new(false);
    let told_last = RwSignal::new(told.map(Ok::<_, Problem>));
    let run = move |event: SubmitEvent| {
        event.prevent_default();
        if is_running.get_untracked() {
            return;
        }
        is_running.set(true);
        // Asked now: a browser that comes back to the page may have switched it itself.
        let is_on = switch.get_untracked().is_none_or(|switch| switch.checked());
        let experiment = Experiment { attack, defence: if is_on { Defence::On } else { Defence::Off } };
        spawn_local(async move {
            let answer = api::run_experiment(experiment).await;
            told_last.set(Some(answer));
            is_running.set(false);
        });
    };
    let (heading, label) = ([key, "-title"].concat(), [key, "-defence"].concat());
    let said = move || {
        told_last.with(|last| match last {
            Some(Ok(run)) => sentences::outcome(run),
            Some(Err(_)) | None => String::new(),
        })
    };
    erased(view! {
        <section class="card experiment" aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>{t(title)}</h2>
            {sentences.iter().map(|&sentence| view! { <p>{t(sentence)}</p> }).collect_view()}
            <form class="experiment-controls" method="post" action=[LAB, "#", &heading].concat() on:submit=run>
                <input type="hidden" name="attack" value=name />
                <label class="switch">
                    <input
                        type="checkbox"
                        role="switch"
                        name="defence"
                        value="on"
                        checked=is_on
                        aria-labelledby=label.clone()
                        node_ref=switch
                    />
                    <span id=label.clone()>{fill(lab::LAB_DEFENCE, &[("defence", t(defence))])}</span>
                    <span class="switch-state" aria-hidden="true">
                        <span class="when-on">{t(lab::LAB_ON)}</span>
                        <span class="when-off">{t(lab::LAB_OFF)}</span>
                    </span>
                </label>
                <button
                    type="submit"
                    class="button"
                    aria-describedby=heading.clone()
                    aria-disabled=move || if is_running.get() { "true" } else { "false" }
                >
                    {t(lab::LAB_RUN)}
                </button>
            </form>
            <p
                role="status"
                class=move || {
                    told_last
                        .with(|last| match last {
                            Some(Ok(run)) if run.outcome.attack_succeeded => "verdict-line succeeded",
                            Some(Ok(_)) => "verdict-line stopped",
                            Some(Err(_)) | None => "verdict-line",
                        })
                }
            >
                {said}
            </p>
            {move || match told_last.get() {
                Some(Ok(run)) => Some(report(run, key)),
                Some(Err(problem)) => Some(trouble(problem)),
                None => None,
            }}
            <p class="fine-print">
                {t(note)} {references.iter().map(|&section| view! { " " {reference(section)} }).collect_view()}
            </p>
        </section>
    })
}

/// Why nothing happened. What another load of the page would mend has the way to it.
fn trouble(problem: Problem) -> AnyView {
    let reload = || {
        view! {
            <a class="button button-quiet" href=LAB rel="external">
                {t(frame::PAGE_RELOAD)}
            </a>
        }
    };
    if problem.is(ProblemCode::NotFound) {
        return erased(view! {
            <div class="notice notice-problem" role="alert">
                <p>{t(lab::LAB_GONE)}</p>
                {reload()}
            </div>
        });
    }
    let is_refused = problem.is(ProblemCode::CsrfRejected);
    erased(view! {
        <ProblemNotice problem />
        {is_refused.then(|| view! { <p>{reload()}</p> })}
    })
}
