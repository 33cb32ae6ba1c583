//! The notes API behind the proxy: a call with a token that this browser never sees.

use leptos::{either::Either, ev::SubmitEvent, html, prelude::*, task::spawn_local};

use crate::{
    api::{self, Note, Problem},
    clock::day,
    components::{problem_notice::ProblemNotice, skeleton::Skeleton},
    draft::{keep_draft, take_call},
    handover::{HandedNotes, HandedOver},
    json,
    session::CurrentSession,
    texts::{fill, pages, t},
};

/// The name of calls that are made again after a sign-in, and what they do.
const NOTES: &str = "notes";
const ADD: &str = "add ";
const DELETE: &str = "delete ";

/// The user's notes, with a way to add and to delete one.
#[component]
pub fn Notes() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let notes =
        RwSignal::new(expect_context::<HandedOver<HandedNotes>>().take().and_then(|HandedNotes(text)| json::read::<Vec<Note>>(&text)));
    let problem = RwSignal::new(None::<Problem>);
    let busy = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    keep_draft(field, "note");

    let finish = move |result: Result<Vec<Note>, Problem>| {
        match result {
            Ok(list) => {
                notes.set(Some(list));
                problem.set(None);
            }
            Err(failure) => problem.set(Some(failure)),
        }
        busy.set(false);
    };
    // What has failed last, and can be tried again.
    let failed = StoredValue::new(Call::Load);
    let load = move || {
        busy.set(true);
        failed.set_value(Call::Load);
        spawn_local(async move { finish(session.keep_on(api::notes).await) });
    };
    Effect::new(move || {
        if notes.with_untracked(Option::is_none) {
            load();
        }
    });

    let typed = move || field.get_untracked().map(|input| input.value()).unwrap_or_default();
    let add = move |text: String| {
        let Some(input) = field.get_untracked() else { return };
        if text.trim().is_empty() || busy.get_untracked() {
            let _ = input.focus();
            return;
        }
        busy.set(true);
        failed.set_value(Call::Add);
        spawn_local(async move {
            let added = session.kept_as(NOTES, &[ADD, &text].concat()).keep_on(async || api::add_note(text.trim()).await).await;
            if added.is_ok() {
                input.set_value("");
                failed.try_set_value(Call::Load);
            }
            finish(listed(added).await);
            // Using the API has prolonged the session.
            session.refresh();
        });
    };
    let delete = move |id: String| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set_value(Call::Delete(id.clone()));
        spawn_local(async move {
            let call = session.kept_as(NOTES, &[DELETE, &id].concat());
            let deleted = call.keep_on(async || api::delete_note(&id).await).await;
            if deleted.is_ok() {
                failed.try_set_value(Call::Load);
            }
            finish(listed(deleted).await);
            // The button is gone, and with it the focus.
            if let Some(input) = field.try_get_untracked().flatten() {
                let _ = input.focus();
            }
            session.refresh();
        });
    };
    // When the list is there, and the field.
    go_on_with_call(session, move || field.get().is_some() && !busy.get(), add, delete);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        add(typed());
    };
    let retry = Callback::new(move |()| {
        match failed.get_value() {
            Call::Load => load(),
            Call::Add => add(typed()),
            Call::Delete(id) => delete(id),
        }
        // The button goes when the problem does, and the focus with it.
        if let Some(input) = field.get_untracked() {
            let _ = input.focus();
        }
    });
    view! {
        {move || match notes.get() {
            Some(list) => Either::Left(note_list(list, Callback::new(delete))),
            None => Either::Right(problem.get().is_none().then(|| view! { <Skeleton lines=2 /> })),
        }}
        {move || problem.get().map(|problem| view! { <ProblemNotice problem retry /> })}
        <form class="new-note needs-script" on:submit=submit>
            <label for="new-note">{t(pages::NOTES_NEW)}</label>
            <div class="field-row">
                <input id="new-note" type="text" name="text" maxlength="500" autocomplete="off" required node_ref=field />
                <button type="submit" class="button" aria-disabled=move || busy.get().to_string()>
                    {t(pages::NOTES_ADD)}
                </button>
            </div>
        </form>
        <p class="fine-print without-script">{t(pages::NOTES_NEEDS_SCRIPT)}</p>
    }
}

/// Makes the call that waited when the page had to be left.
fn go_on_with_call(
    session: CurrentSession,
    is_ready: impl Fn() -> bool + 'static,
    add: impl Fn(String) + 'static,
    delete: impl Fn(String) + 'static,
) {
    Effect::new(move || {
        if let Some(call) = is_ready().then(|| take_call(session, NOTES)).flatten() {
            if let Some(text) = call.strip_prefix(ADD) {
                add(text.to_owned());
            } else if let Some(id) = call.strip_prefix(DELETE) {
                delete(id.to_owned());
            }
        }
    });
}

/// The notes as they are after a change that has worked.
async fn listed(changed: Result<(), Problem>) -> Result<Vec<Note>, Problem> {
    changed?;
    api::notes().await
}

fn note_list(list: Vec<Note>, delete: Callback<String>) -> impl IntoView {
    let empty = list.is_empty();
    view! {
        {empty.then(|| view! { <p class="fine-print">{t(pages::NOTES_NONE)}</p> })}
        <ul class="notes" aria-label=t(pages::NOTES_LIST)>
            {list.into_iter().map(|note| view! { <NoteItem note delete /> }).collect_view()}
        </ul>
    }
}

/// What is asked of the API.
#[derive(Clone)]
enum Call {
    Load,
    /// What is in the field.
    Add,
    /// The note of this id.
    Delete(String),
}

#[component]
fn NoteItem(note: Note, delete: Callback<String>) -> impl IntoView {
    let Note { id, text, created_at } = note;
    let day = day(&created_at);
    let label = fill(pages::NOTES_DELETE_LABEL, &[("text", &text)]);
    view! {
        <li>
            <span class="note-text">{text}</span>
            <time class="fine-print" datetime=created_at>
                {day}
            </time>
            <button
                type="button"
                class="button button-quiet button-small needs-script"
                aria-label=label
                on:click=move |_| delete.run(id.clone())
            >
                {t(pages::NOTES_DELETE)}
            </button>
        </li>
    }
}
