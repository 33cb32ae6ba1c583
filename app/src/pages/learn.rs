//! How a sign-in works: the problem, who takes part, and the seven steps, told around the reader's own last login.

use leptos::prelude::*;
use leptos_meta::Title;
use std::sync::Arc;

use crate::{
    components::{heading::Heading, sign_in_links::SignInLinks},
    erased::erased,
    flow::{LoginOutcome, Party, RecordedLogin},
    pages::{
        flow::{
            address_of,
            source::{Recording, Source},
        },
        lab::LabLink,
    },
    texts::{Text, around, learn, pieces, t},
};
use own_login::{host_of, own_step};
use steps::STEPS;

mod own_login;
mod steps;

/// The story, with the reader's own login in it where there is one.
#[component]
pub fn Learn() -> impl IntoView {
    let source = Source::new();
    let login = Memo::new(move |_| source.with(last_login));
    let host = move |party| login.with(|login| login.as_ref().and_then(|login| host_of(login, party)));
    erased(view! {
        <Title text=t(learn::LEARN_TITLE) />
        <Heading>{t(learn::LEARN_TITLE)}</Heading>
        <p class="lead">
            {t(learn::LEARN_LEAD)}
        </p>
        <section class="story" aria-labelledby="problem">
            <h2 id="problem">{t(learn::LEARN_WHY)}</h2>
            <p>
                {t(learn::LEARN_WHY_SIMPLE)}
            </p>
            <p>
                {t(learn::LEARN_WHY_BETTER)}
            </p>
        </section>
        <section class="story" aria-labelledby="parties">
            <h2 id="parties">{t(learn::PARTIES_HEADING)}</h2>
            <dl class="parties">
                <div>
                    <dt>{t(learn::PARTIES_YOU)} " " <span class="place" lang="en">"Resource Owner"</span></dt>
                    <dd>{t(learn::PARTIES_YOU_ARE)}</dd>
                </div>
                <div>
                    <dt>{t(learn::PARTIES_APP)} " " <span class="place" lang="en">"Client"</span></dt>
                    <dd>
                        {t(learn::PARTIES_APP_IS)}
                        {move || at(learn::PARTIES_BACKEND_AT, host(Party::Backend))}
                    </dd>
                </div>
                <div>
                    <dt>{t(learn::PARTIES_PROVIDER)} " " <span class="place" lang="en">"Authorization Server"</span></dt>
                    <dd>
                        {t(learn::PARTIES_PROVIDER_IS)}
                        {move || at(learn::PARTIES_LOGIN_AT, host(Party::Provider))}
                    </dd>
                </div>
                <div>
                    <dt>{t(learn::PARTIES_API)} " " <span class="place" lang="en">"Resource Server"</span></dt>
                    <dd>
                        {t(learn::PARTIES_API_IS)}
                        {move || at(learn::PARTIES_LOGIN_AT, host(Party::Api))}
                    </dd>
                </div>
            </dl>
        </section>
        <section class="story" aria-labelledby="steps">
            <h2 id="steps">{t(learn::STEPS_HEADING)}</h2>
            {move || login.get().map_or_else(|| erased(view! { <Invitation source /> }), |login| introduction(&login))}
            <ol class="learn-steps">
                {STEPS
                    .iter()
                    .map(|step| {
                        view! {
                            <li>
                                <h3>{t(step.title)}</h3>
                                {step.paragraphs.iter().map(|&paragraph| view! { <p>{t(paragraph)}</p> }).collect_view()}
                                <p class="fine-print">
                                    {pieces(learn::LEARN_DEFINED, |_| erased(crate::pages::flow::reference(step.defined)))}
                                </p>
                                {move || login.with(|login| login.as_ref().and_then(|login| own_step(login, step.number)))}
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
        </section>
        <section class="story" aria-labelledby="after">
            <h2 id="after">{t(learn::LEARN_CHEATING)}</h2>
            <p>
                {t(learn::LEARN_CHEATING_HOW)}
            </p>
            <p>
                <a class="button" href=move || login.with(|login| login.as_ref().map_or_else(|| "/flow".to_owned(), |login| address_of(login)))>
                    {t(learn::LEARN_OPEN_FLOW)}
                </a>
            </p>
            <LabLink />
        </section>
    })
}

/// The last login that worked, else the last one.
fn last_login(recording: &Recording) -> Option<Arc<RecordedLogin>> {
    let Recording::Logins(logins) = recording else { return None };
    logins.iter().find(|login| login.outcome == LoginOutcome::SignedIn).or_else(|| logins.first()).cloned()
}

fn at(words: Text, host: Option<String>) -> Option<AnyView> {
    let (before, after) = around(words);
    host.map(|host| {
        erased(view! {
            <span class="own">
                {[" ", before].concat()} <code>{host}</code> {after}
            </span>
        })
    })
}

fn introduction(login: &RecordedLogin) -> AnyView {
    let told = pieces(learn::LEARN_OWN, |name| match name {
        "provider" => erased(login.provider_name.clone()),
        _ => erased(view! { <a href=address_of(login)>{t(learn::LEARN_OWN_FLOW)}</a> }),
    });
    erased(view! { <p>{told}</p> })
}

/// The way to a login of one's own, where it would be recorded.
#[component]
fn Invitation(source: Source) -> impl IntoView {
    erased(move || match source.get() {
        Recording::Logins(_) => erased(view! {
            <p>{t(learn::LEARN_INVITATION)}</p>
            <SignInLinks return_to=Signal::stored("/learn".to_owned()) />
        }),
        Recording::Off | Recording::Waiting | Recording::Failed(_) => erased(view! { <p>{t(learn::LEARN_GENERAL)}</p> }),
    })
}

#[cfg(test)]
mod tests {
    use super::{Recording, last_login};
    use crate::{flow::LoginOutcome, pages::flow::example};
    use std::sync::Arc;

    #[test]
    fn a_login_that_worked_is_told_rather_than_a_younger_one_that_did_not() {
        let (failed, good) = (Arc::new(example::denied()), Arc::new(example::signed_in()));
        let recording = Recording::Logins(vec![Arc::clone(&failed), good]);
        assert_eq!(last_login(&recording).unwrap().outcome, LoginOutcome::SignedIn);
        assert_eq!(last_login(&Recording::Logins(vec![failed])).unwrap().id, "d3n1");
        assert!(last_login(&Recording::Logins(Vec::new())).is_none() && last_login(&Recording::Off).is_none());
    }
}
