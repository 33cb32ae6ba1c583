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
        <Title text="How a sign-in works" />
        <Heading>"How a sign-in works"</Heading>
        <p class="lead">
            "An app can act for you at another service without ever knowing your password. This is how: the OAuth 2.0 authorization code flow, step by step."
        </p>
        <section class="story" aria-labelledby="problem">
            <h2 id="problem">"Why not just give the app your password?"</h2>
            <p>
                "Say an app is to print the pictures that you keep at a photo service. The simple way is to tell the app your password there. Then the app is you: it can read everything, delete everything and change the password, for as long as it likes. Whoever breaks into the app has your password, too. And to get rid of the one app, you have to change the password, which locks out all the others."
            </p>
            <p>
                "What is wanted is a way to say: this app, these pictures, only looking, until I change my mind. That is what OAuth is for. It is about permission. OpenID Connect sits on top of it and adds a signed statement of who you are, which is what signing in needs."
            </p>
        </section>
        <section class="story" aria-labelledby="parties">
            <h2 id="parties">"Who takes part"</h2>
            <dl class="parties">
                <div>
                    <dt>"You" <span class="place">"Resource Owner"</span></dt>
                    <dd>"The one whose data it is, and the only one who may give the permission. Your browser carries the messages."</dd>
                </div>
                <div>
                    <dt>"The app" <span class="place">"Client"</span></dt>
                    <dd>
                        "Wants to do something for you. This one has two halves: a page in your browser, which holds no secret, and a backend, which holds them all."
                        {move || at("Here the backend is at", host(Party::Backend))}
                    </dd>
                </div>
                <div>
                    <dt>"The provider" <span class="place">"Authorization Server"</span></dt>
                    <dd>
                        "Knows you, asks you, and issues tokens. Your password is typed there and nowhere else."
                        {move || at("In your login it was at", host(Party::Provider))}
                    </dd>
                </div>
                <div>
                    <dt>"The API" <span class="place">"Resource Server"</span></dt>
                    <dd>
                        "Keeps the data, and opens them to whoever shows a good token. It often belongs to the provider, but need not."
                        {move || at("In your login it was at", host(Party::Api))}
                    </dd>
                </div>
            </dl>
        </section>
        <section class="story" aria-labelledby="steps">
            <h2 id="steps">"The seven steps"</h2>
            {move || login.get().map_or_else(|| erased(view! { <Invitation source /> }), |login| introduction(&login))}
            <ol class="learn-steps">
                {STEPS
                    .iter()
                    .map(|step| {
                        view! {
                            <li>
                                <h3>{step.title}</h3>
                                {step.paragraphs.iter().map(|&paragraph| view! { <p>{paragraph}</p> }).collect_view()}
                                <p class="fine-print">
                                    "In the specification: "
                                    {crate::pages::flow::reference(step.defined)}
                                </p>
                                {move || login.with(|login| login.as_ref().and_then(|login| own_step(login, step.number)))}
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
        </section>
        <section class="story" aria-labelledby="after">
            <h2 id="after">"And if somebody cheats?"</h2>
            <p>
                "Each of the odd values on the way stops one kind of cheating. The state stops an answer that belongs to somebody else's login. PKCE makes a stolen code worthless. The nonce stops an ID token from another login. The provider's name in its answer stops one provider from passing off another's. And the exact redirect address keeps the code from going astray. The X-ray shows each of these checks as it was made for you."
            </p>
            <p>
                <a class="button" href=move || login.with(|login| login.as_ref().map_or_else(|| "/flow".to_owned(), |login| address_of(login)))>
                    "Open the X-ray"
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

fn at(words: &'static str, host: Option<String>) -> Option<AnyView> {
    host.map(|host| {
        erased(view! {
            <span class="own">
                {[" ", words, " "].concat()} <code>{host}</code> "."
            </span>
        })
    })
}

fn introduction(login: &RecordedLogin) -> AnyView {
    let words = ["Below each step is what happened in your own login with ", &login.provider_name, "."].concat();
    erased(view! {
        <p>
            {words} " All of it is in " <a href=address_of(login)>"the X-ray"</a> "."
        </p>
    })
}

/// The way to a login of one's own, where it would be recorded.
#[component]
fn Invitation(source: Source) -> impl IntoView {
    erased(move || match source.get() {
        Recording::Logins(_) => erased(view! {
            <p>"Sign in, and each step shows what happened in your own login."</p>
            <SignInLinks return_to=Signal::stored("/learn".to_owned()) />
        }),
        Recording::Off | Recording::Waiting | Recording::Failed(_) => {
            erased(view! { <p>"This is what happens each time that somebody signs in."</p> })
        }
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
