//! Where the user is signed in, and the way to end it there.

use leptos::{either::Either, ev::SubmitEvent, html, prelude::*, task::spawn_local};

use crate::{
    api::{self, Problem, SessionSummary},
    clock::{Clock, ago, unix_seconds},
    components::{
        problem_notice::ProblemNotice,
        sign_out::{SignOut, csrf_token},
        skeleton::Skeleton,
    },
    draft::take_call,
    erased::erased,
    handover::{HandedOver, HandedSessions},
    json,
    session::CurrentSession,
    texts::{fill, pages, pieces, t},
};

/// The user's sessions in every browser.
#[component]
pub fn SessionList() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let sessions = RwSignal::new(
        expect_context::<HandedOver<HandedSessions>>().take().and_then(|HandedSessions(text)| json::read::<Vec<SessionSummary>>(&text)),
    );
    let problem = RwSignal::new(None::<Problem>);
    // Those that are being ended: they are not shown any more, unless that fails.
    let ending = RwSignal::new(Vec::<String>::new());
    let not_ended = RwSignal::new(Vec::<(SessionSummary, Problem)>::new());
    let remaining = NodeRef::<html::P>::new();

    let take_over = move |result: Result<Vec<SessionSummary>, Problem>| match result {
        Ok(list) => {
            not_ended.update(|failures| failures.retain(|(failed, _)| list.iter().any(|summary| summary.id == failed.id)));
            sessions.set(Some(list));
            problem.set(None);
        }
        Err(failure) => problem.set(Some(failure)),
    };
    // Of several lists that were asked for, the one that was asked for last is true.
    let asked = StoredValue::new(0_u32);
    let ask = move || async move {
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        let answer = session.keep_on(api::sessions).await;
        if number.is_some() && asked.try_get_value() == number {
            take_over(answer);
        }
    };
    let load = move || spawn_local(ask());
    Effect::new(move || {
        if sessions.with_untracked(Option::is_none) {
            load();
        }
    });
    // Whoever has signed in again is in another session than the one that is listed.
    let begun_at = Memo::new(move |_| session.get().signed_in().map(|signed_in| signed_in.session.created_at.clone()));
    Effect::new(move |before: Option<Option<String>>| {
        let now = begun_at.get();
        if now.is_some() && before.is_some_and(|before| before != now) {
            load();
        }
        now
    });
    let end = Callback::new(move |summary: SessionSummary| {
        if ending.with_untracked(|ending| ending.contains(&summary.id)) {
            return;
        }
        ending.update(|ending| ending.push(summary.id.clone()));
        not_ended.update(|failures| failures.retain(|(failed, _)| failed.id != summary.id));
        // The button is gone, and with it the focus; what is left is worth reading.
        if let Some(remaining) = remaining.get_untracked() {
            let _ = remaining.focus();
        }
        spawn_local(async move {
            let call = session.kept_as(&call_name(&summary), "");
            match call.keep_on(async || api::end_session(&summary.id).await).await {
                // One that is not there any more has ended, too.
                Err(failure) if failure.status != 404 => {
                    ending.update(|ending| ending.retain(|id| *id != summary.id));
                    not_ended.update(|failures| failures.push((summary, failure)));
                }
                _ => {
                    sessions.update(|list| {
                        if let Some(list) = list {
                            list.retain(|other| other.id != summary.id);
                        }
                    });
                    ending.update(|ending| ending.retain(|id| *id != summary.id));
                    ask().await;
                }
            }
        });
    });
    go_on_with_calls(session, sessions, end);
    let shown = Memo::new(move |_| {
        let mut list = sessions.get()?;
        ending.with(|ending| list.retain(|summary| !ending.contains(&summary.id)));
        Some(list)
    });
    let is_known = Memo::new(move |_| shown.with(Option::is_some));
    let others = move || shown.with(|list| list.as_ref().is_some_and(|list| list.len() > 1));
    view! {
        {move || {
            if is_known.get() {
                // A row stays with its session: nobody who is at a button finds themselves at another one's.
                Either::Left(view! {
                    <ul class="sessions" aria-label=t(pages::SESSIONS_LIST)>
                        <For
                            each=move || shown.get().unwrap_or_default()
                            key=|summary| (summary.id.clone(), summary.last_seen_at.clone())
                            children=move |summary| view! { <SessionItem summary end /> }
                        />
                    </ul>
                })
            } else {
                Either::Right(problem.get().is_none().then(|| view! { <Skeleton lines=2 /> }))
            }
        }}
        {move || problem.get().map(|problem| view! { <ProblemNotice problem retry=Callback::new(move |()| load()) /> })}
        {move || not_ended.get().into_iter().map(|(summary, problem)| still_there(summary, problem, end)).collect_view()}
        // Nothing is said of what is not known: above all, not that there is nobody else.
        <p class="fine-print" tabindex="-1" node_ref=remaining hidden=move || shown.with(Option::is_none)>
            {move || said_of_others(shown.with(|list| list.as_ref().map(Vec::len)), ending.with(|ending| !ending.is_empty()))}
        </p>
        {move || others().then(|| view! { <SignOut everywhere=true /> })}
    }
}

/// Makes the calls that waited when the page had to be left.
fn go_on_with_calls(session: CurrentSession, sessions: RwSignal<Option<Vec<SessionSummary>>>, end: Callback<SessionSummary>) {
    Effect::new(move || {
        for summary in sessions.get().into_iter().flatten() {
            if take_call(session, &call_name(&summary)).is_some() {
                end.run(summary);
            }
        }
    });
}

/// The name of the call that ends this session, which is made again after a sign-in.
fn call_name(summary: &SessionSummary) -> String {
    ["end session ", &summary.id].concat()
}

/// What is said below the list of so many sessions.
fn said_of_others(count: Option<usize>, is_ending: bool) -> &'static str {
    match count {
        Some(_) if is_ending => t(pages::SIGN_OUT_SIGNING_OUT),
        Some(0 | 1) => t(pages::SESSIONS_NOWHERE_ELSE),
        Some(_) => t(pages::SESSIONS_UNKNOWN_ONE),
        None => "",
    }
}

/// Says which session could not be ended, and why.
fn still_there(summary: SessionSummary, problem: Problem, end: Callback<SessionSummary>) -> impl IntoView {
    let device = device(summary.browser.clone(), summary.system.clone());
    let lead = fill(pages::SESSIONS_NOT_ENDED, &[("device", &device)]);
    view! { <ProblemNotice problem retry=Callback::new(move |()| end.run(summary.clone())) lead /> }
}

/// One session; a form, so that it can be ended without a script as well.
#[component]
fn SessionItem(summary: SessionSummary, end: Callback<SessionSummary>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let SessionSummary { id, provider: _, browser, system, address, created_at, last_seen_at, current } = summary.clone();
    let device = device(browser, system);
    let since = move |time: &str| unix_seconds(time).map_or_else(String::new, |time| ago(clock.now() - time));
    let (signed_in, last_seen) = (
        {
            let time = created_at.clone();
            move || since(&time)
        },
        {
            let time = last_seen_at.clone();
            move || since(&time)
        },
    );
    // Two sessions of one device are told apart by when they were used.
    let label = {
        let (device, last_seen) = (device.clone(), last_seen.clone());
        move || fill(pages::SESSIONS_END_LABEL, &[("device", &device), ("last_used", &last_seen())])
    };
    let action = ["/api/v1/sessions/", &id, "/end"].concat();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        end.run(summary.clone());
    };
    view! {
        <li>
            <div>
                <p>
                    <strong>{device}</strong>
                    {current.then(|| view! { " " <span class="tag">{t(pages::SESSIONS_THIS_BROWSER)}</span> })}
                </p>
                <p class="fine-print">
                    {address.map(|address| view! { <span>{address}</span> " · " })}
                    {pieces(pages::SESSIONS_TIMES, |name| {
                        if name == "signed_in" {
                            let (at, signed_in) = (created_at.clone(), signed_in.clone());
                            erased(view! { <time datetime=at>{signed_in}</time> })
                        } else {
                            let (at, last_seen) = (last_seen_at.clone(), last_seen.clone());
                            erased(view! { <time datetime=at>{last_seen}</time> })
                        }
                    })}
                </p>
            </div>
            {(!current)
                .then(|| {
                    view! {
                        <form method="post" action=action on:submit=submit>
                            <input type="hidden" name="csrf_token" value=csrf_token() />
                            <button type="submit" class="button button-quiet button-small" aria-label=label>
                                {t(pages::SESSIONS_END)}
                            </button>
                        </form>
                    }
                })}
        </li>
    }
}

/// The browser and the system in words.
fn device(browser: Option<String>, system: Option<String>) -> String {
    match (browser, system) {
        (Some(browser), Some(system)) => fill(pages::SESSIONS_DEVICE, &[("browser", &browser), ("system", &system)]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => t(pages::SESSIONS_UNKNOWN_DEVICE).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_device_is_named_by_what_is_known_of_it() {
        let owned = |text: &str| Some(text.to_owned());
        assert_eq!(device(owned("Firefox"), owned("Linux")), "Firefox on Linux");
        assert_eq!(device(None, owned("Android")), "Android");
        assert_eq!(device(owned("Safari"), None), "Safari");
        assert_eq!(device(None, None), "An unknown browser");
    }
}
