//! How long a session and its access token last.

use leptos::prelude::*;
use std::sync::Arc;

use crate::{
    api::SignedIn,
    clock::{Clock, unix_seconds},
    components::countdown::Countdown,
    session::CurrentSession,
    texts::{pages, t},
};

/// How long after the end the question is put once more: clocks that are nearer to each other count as the same.
const ONCE_MORE_SECONDS: i64 = 4;

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
    let now = move || session.get().signed_in().map_or_else(|| Arc::clone(&signed_in), Arc::clone);
    let idle_expires_at = Signal::derive({
        let now = now.clone();
        move || Some(now().session.idle_expires_at.clone())
    });
    let expires_at = Signal::derive({
        let now = now.clone();
        move || Some(now().session.expires_at.clone())
    });
    let token_expires_at = Signal::derive(move || now().access_token.expires_at.clone());

    // When the time is over, the server is asked what has become of the session; and once more, since this clock may be a moment ahead.
    Effect::new(move |before: Option<u8>| {
        let ends = [idle_expires_at.get(), expires_at.get()];
        let past = ends.iter().flatten().filter_map(|end| unix_seconds(end)).map(|end| clock.now() - end).max();
        let questions = past.map_or(0, |past| u8::from(past >= 0) + u8::from(past >= ONCE_MORE_SECONDS));
        if before.is_some_and(|before| before < questions) {
            session.look();
        }
        questions
    });
    let token_over = if refreshable { t(pages::LIFETIMES_RENEWED) } else { t(pages::TIME_ENDED) };
    view! {
        <section class="card" aria-labelledby="lifetimes">
            <h2 id="lifetimes">{t(pages::LIFETIMES_HEADING)}</h2>
            <dl class="facts">
                <div>
                    <dt>{t(pages::LIFETIMES_IDLE)}</dt>
                    <dd>
                        <Countdown until=idle_expires_at over=t(pages::TIME_ENDED) />
                    </dd>
                </div>
                <div>
                    <dt>{t(pages::LIFETIMES_TOTAL)}</dt>
                    <dd>
                        <Countdown until=expires_at over=t(pages::TIME_ENDED) />
                    </dd>
                </div>
                <div>
                    <dt>{t(pages::LIFETIMES_TOKEN)}</dt>
                    <dd>
                        <Countdown until=token_expires_at over=token_over />
                    </dd>
                </div>
            </dl>
            <p class="fine-print">
                {if refreshable {
                    t(pages::LIFETIMES_RENEWS)
                } else {
                    t(pages::LIFETIMES_CANNOT_RENEW)
                }}
            </p>
        </section>
    }
}
