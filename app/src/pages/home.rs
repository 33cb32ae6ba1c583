//! The home page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{
        avatar::{Avatar, display_name},
        heading::Heading,
        problem_notice::ProblemNotice,
        sign_in_links::SignInLinks,
        skeleton::Skeleton,
    },
    erased::erased,
    session::{CurrentSession, SessionState},
};

/// What this is, and the ways in.
#[component]
pub fn Home() -> impl IntoView {
    erased(view! {
        <Title text="Home" />
        <section class="hero">
            <Heading>"Sign in, and see how it works"</Heading>
            <p class="lead">
                "This is a complete sign-in with OAuth 2.0 and OpenID Connect, ready for your own app. A small backend keeps the secret and the tokens; your browser only gets a cookie that no script can read. Nothing here is a mock-up: sign in, and you have a real session."
            </p>
            <Welcome />
        </section>
        <section class="steps" aria-labelledby="steps">
            <h2 id="steps">"What happens when you click"</h2>
            <ol>
                <li>
                    <h3>"You go to the provider"</h3>
                    <p>
                        "The backend makes up a one-time secret, seals it into a cookie, and sends your browser to the provider. There you sign in and say what this app may know. Your password never comes here."
                    </p>
                </li>
                <li>
                    <h3>"You come back with a code"</h3>
                    <p>
                        "The provider sends your browser back with a code that works once. The app clears it from the address bar and hands it to the backend, which makes sure that it is the answer to your own click."
                    </p>
                </li>
                <li>
                    <h3>"The backend trades it for tokens"</h3>
                    <p>
                        "With its secret, the backend exchanges the code, checks who you are, and opens a session. From then on it adds the token to the calls that the app makes, and renews it in time."
                    </p>
                </li>
            </ol>
            <p>
                "Every address, with what it takes and gives, is in the "
                <a href="/api/docs" rel="external">
                    "documentation of the API"
                </a> "."
            </p>
        </section>
    })
}

/// The sign-in links, or who is signed in already.
#[component]
fn Welcome() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    move || match (session.get(), session.problem()) {
        (SessionState::SignedIn(signed_in), _) => erased(view! {
            <div class="welcome card">
                <Avatar user=signed_in.user.clone() />
                <p>"Signed in as " <strong>{display_name(&signed_in.user).to_owned()}</strong></p>
                <a class="button" href="/account">
                    "Open your account"
                </a>
            </div>
        }),
        (SessionState::Anonymous, _) => erased(view! { <SignInLinks return_to=Signal::stored("/account".to_owned()) /> }),
        (SessionState::Unknown, Some(problem)) => {
            erased(view! { <ProblemNotice problem retry=Callback::new(move |()| session.refresh()) /> })
        }
        (SessionState::Unknown, None) => erased(view! { <Skeleton lines=1 /> }),
    }
}
