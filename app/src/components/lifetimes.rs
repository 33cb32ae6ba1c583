//! How long a session and its access token last.

use leptos::prelude::*;
use std::sync::Arc;

use crate::{
    api::SignedIn,
    clock::{Clock, unix_seconds},
    components::countdown::Countdown,
    session::CurrentSession,
};

/// The lifetimes, counting down; every answer of the server about the session brings new ones.
#[component]
pub fn Lifetimes(
    /// The session to begin with.
    signed_in: Arc<SignedIn>,
) -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let clock = expect_context::<Clock>();
    clock.tick();

    let refreshable = signed_in.access_token.refreshable;
    let now = Memo::new(move |_| session.get().signed_in().map_or_else(|| Arc::clone(&signed_in), Arc::clone));
    let idle_expires_at = Signal::derive(move || now.with(|now| now.session.idle_expires_at.clone()));
    let expires_at = Signal::derive(move || now.with(|now| now.session.expires_at.clone()));
    let token_expires_at = Memo::new(move |_| now.with(|now| now.access_token.expires_at.clone()));

    // When the time is over, the server is asked what has become of the session.
    let over = Memo::new(move |_| {
        let ends = [idle_expires_at.get(), expires_at.get()];
        ends.iter().filter_map(|end| unix_seconds(end)).any(|end| end <= clock.now())
    });
    Effect::new(move || {
        if over.get() {
            session.refresh();
        }
    });
    view! {
        <section class="card" aria-labelledby="lifetimes">
            <h2 id="lifetimes">"How long this lasts"</h2>
            <dl class="facts">
                <div>
                    <dt>"Session, if unused"</dt>
                    <dd>
                        <Countdown until=idle_expires_at over="ended" />
                    </dd>
                </div>
                <div>
                    <dt>"Session, at most"</dt>
                    <dd>
                        <Countdown until=expires_at over="ended" />
                    </dd>
                </div>
                <div>
                    <dt>"Access token"</dt>
                    <dd>
                        {move || match token_expires_at.get() {
                            Some(end) => {
                                let over = if refreshable { "renewed when it is next used" } else { "ended" };
                                view! { <Countdown until=Signal::stored(end) over /> }.into_any()
                            }
                            None => "The provider does not say".into_any(),
                        }}
                    </dd>
                </div>
            </dl>
            <p class="fine-print">
                {if refreshable {
                    "The backend renews the access token by itself, for as long as the session lasts."
                } else {
                    "The backend cannot renew the access token: when it ends, sign in again."
                }}
            </p>
        </section>
    }
}
