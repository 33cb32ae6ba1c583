//! The attack lab: five attacks on a sign-in, each tried with the defence that stops it, and without.

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

use crate::{
    api::{self, Problem},
    components::{heading::Heading, problem_notice::ProblemNotice, skeleton::Skeleton},
    erased::erased,
    lab::{Attack, Defence, Experiment, LabRun},
    pages::flow::reference,
    providers::Providers,
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
    erased(view! {
        <Title text="The attack lab" />
        <Heading>"The attack lab"</Heading>
        <p class="lead">
            "A sign-in is made of many small checks, and each of them stops somebody. Here you can leave one out and watch what happens."
        </p>
        {move || match is_open(providers) {
            None => erased(view! { <Skeleton lines=6 /> }),
            Some(Err(problem)) => {
                erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| providers.load()) /> })
            }
            Some(Ok(true)) => erased(view! { <Experiments /> }),
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
    erased(move || {
        matches!(is_open(providers), Some(Ok(true))).then(|| {
            view! {
                <p>
                    "What happens without these checks, you can try in " <a href="/lab">"the attack lab"</a> "."
                </p>
            }
        })
    })
}

/// Why there is nothing to try.
#[component]
fn NotHere() -> impl IntoView {
    view! {
        <p>
            "The lab is there only beside the demo provider, and that does not run here: nobody is to try attacks where people really sign in."
        </p>
        <p>
            "Start the server on your own machine without configuring a provider, and open this page there. What each check is for, you can read in "
            <a href="/learn">"how a sign-in works"</a> "."
        </p>
    }
}

#[component]
fn Experiments() -> impl IntoView {
    view! {
        <p>
            "Alice wants to sign in, and Bob means her no good. All of it is played in a sandbox on this server: an app and a provider that are made for one experiment, with browsers of their own. Your own session, your browser's cookies and the real sign-in have no part in it, and in the real one nothing can be switched off."
        </p>
        <p class="notice without-script">"To run an attack takes a script."</p>
        {Attack::ALL.into_iter().map(|attack| view! { <AttackCard attack /> }).collect_view()}
    }
}

/// One attack: its story, the switch, and what happened.
#[component]
fn AttackCard(attack: Attack) -> impl IntoView {
    let Story { key, title, defence, told, note, references } = story(attack);
    let is_on = RwSignal::new(true);
    let is_running = RwSignal::new(false);
    let told_last = RwSignal::new(None::<Result<LabRun, Problem>>);
    let run = move || {
        if is_running.get_untracked() {
            return;
        }
        is_running.set(true);
        let experiment = Experiment { attack, defence: if is_on.get_untracked() { Defence::On } else { Defence::Off } };
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
            <h2 id=heading.clone()>{title}</h2>
            {told.iter().map(|&sentence| view! { <p>{sentence}</p> }).collect_view()}
            <div class="experiment-controls needs-script">
                <button
                    type="button"
                    class="switch"
                    role="switch"
                    aria-checked=move || if is_on.get() { "true" } else { "false" }
                    aria-labelledby=label.clone()
                    on:click=move |_| is_on.update(|is_on| *is_on = !*is_on)
                >
                    <span class="switch-track" aria-hidden="true"></span>
                    <span id=label.clone()>{defence}</span>
                    <span class="switch-state" aria-hidden="true">
                        {move || if is_on.get() { "on" } else { "off" }}
                    </span>
                </button>
                <button
                    type="button"
                    class="button"
                    aria-describedby=heading.clone()
                    aria-disabled=move || if is_running.get() { "true" } else { "false" }
                    on:click=move |_| run()
                >
                    "Run the attack"
                </button>
            </div>
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
                Some(Err(problem)) => Some(erased(view! { <ProblemNotice problem /> })),
                None => None,
            }}
            <p class="fine-print">
                {note} {references.iter().map(|&section| view! { " " {reference(section)} }).collect_view()}
            </p>
        </section>
    })
}
