//! The home page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{
        avatar::{Avatar, display_name},
        gates::{Person, person},
        heading::Heading,
        problem_notice::ProblemNotice,
        sign_in_links::SignInLinks,
        skeleton::Skeleton,
    },
    erased::erased,
    providers::is_recorded,
    session::{CurrentSession, SessionState},
    texts::{around, frame, t},
};

/// What this is, and the ways in.
#[component]
pub fn Home() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let heading = move || if session.get().signed_in().is_some() { t(frame::HOME_STEPS_DONE) } else { t(frame::HOME_STEPS) };
    erased(view! {
        <Title text=t(frame::HEADER_HOME) />
        <section class="hero">
            <Heading>{t(frame::HOME_HEADING)}</Heading>
            <p class="lead">{t(frame::HOME_LEAD)}</p>
            <Welcome />
        </section>
        <section class="steps" aria-labelledby="steps">
            <h2 id="steps">{heading}</h2>
            <ol inner_html=t(frame::HOME_STEPS_HTML)></ol>
            <p inner_html=t(frame::HOME_API_HTML)></p>
        </section>
    })
}

/// The sign-in links, or who is signed in already.
#[component]
fn Welcome() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let (before, after) = around(frame::HOME_SIGNED_IN_AS);
    let person = person(session);
    move || {
        // Whoever is there is not greeted anew when only their session's lifetimes have changed.
        if let Some(Person(signed_in)) = person.get() {
            return erased(view! {
                <div class="welcome card">
                    <Avatar user=signed_in.user.clone() />
                    <p>{before} <strong>{display_name(&signed_in.user).to_owned()}</strong> {after}</p>
                    <p class="actions">
                        <a class="button" href="/account">
                            {t(frame::HOME_OPEN_ACCOUNT)}
                        </a>
                        {is_recorded(&signed_in.provider)
                            .then(|| {
                                view! {
                                    <a class="button button-quiet" href="/flow">
                                        {t(frame::HOME_OPEN_FLOW)}
                                    </a>
                                }
                            })}
                    </p>
                </div>
            });
        }
        match (session.get(), session.problem()) {
            (SessionState::Unknown, Some(problem)) => {
                erased(view! { <ProblemNotice problem retry=Callback::new(move |()| session.refresh()) /> })
            }
            (SessionState::Unknown, None) => erased(view! { <Skeleton lines=1 /> }),
            _ => erased(view! { <SignInLinks return_to=Signal::stored("/account".to_owned()) /> }),
        }
    }
}
