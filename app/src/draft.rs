//! What the user has typed and asked for, kept while they have to leave the page to sign in again, and what they have typed until it is
//! certain that they have left.

use leptos::{
    ev::{Custom, Event},
    html::ElementType,
    prelude::*,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsCast;
use web_sys::{EventInit, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, Node, Storage};

use crate::{
    api::Problem,
    session::{CurrentSession, LEAVING, SessionState, use_session},
};

/// What the names of drafts in the store begin with.
const DRAFT: &str = "oauth2flow draft ";

/// The same of calls.
const CALL: &str = "oauth2flow call ";

/// How long a call is kept, in seconds: about as long as a sign-in may take. Later, nobody expects it any more.
pub(crate) const KEPT_SECONDS: u64 = 600;

/// A field whose draft can be kept: an input, a text area, a selection.
pub trait Field: AsRef<Node> + JsCast + Clone + 'static {
    /// What is in it; nothing where that is empty, or not to be kept.
    fn draft(&self) -> String;

    /// Puts it back.
    fn put_back(&self, draft: &str);
}

impl Field for HtmlInputElement {
    fn draft(&self) -> String {
        match self.type_().as_str() {
            // A file cannot be put back, and what is hidden is not the user's.
            "password" | "file" | "hidden" => String::new(),
            // A password does not lie about, whether or not it is shown at the moment.
            _ if SECRETS.iter().any(|secret| self.autocomplete().contains(secret)) => String::new(),
            "checkbox" | "radio" => if self.checked() { TICKED } else { UNTICKED }.to_owned(),
            _ => self.value(),
        }
    }

    fn put_back(&self, draft: &str) {
        match self.type_().as_str() {
            "checkbox" | "radio" => self.set_checked(draft == TICKED),
            _ => self.set_value(draft),
        }
    }
}

/// What a browser is told to fill in where it is nobody else's business: passwords, codes that work once, payment cards.
const SECRETS: [&str; 3] = ["password", "one-time-code", "cc-"];

const TICKED: &str = "ticked";
const UNTICKED: &str = "not ticked";

impl Field for HtmlTextAreaElement {
    fn draft(&self) -> String {
        self.value()
    }

    fn put_back(&self, draft: &str) {
        self.set_value(draft);
    }
}

impl Field for HtmlSelectElement {
    fn draft(&self) -> String {
        self.value()
    }

    fn put_back(&self, draft: &str) {
        let chosen = self.value();
        self.set_value(draft);
        // What cannot be chosen any more leaves the choice as it is.
        if self.value() != draft {
            self.set_value(&chosen);
        }
    }
}

thread_local! {
    /// The calls that wait on this page.
    static NOTES: RefCell<Vec<Rc<Note>>> = const { RefCell::new(Vec::new()) };

    /// What was in the fields when a sign-out was asked for: it is needed if that fails. Never stored, because by then it mostly has not.
    static SET_ASIDE: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is in this field when the page has to be left to sign in again, and puts it back afterwards; so it does when a sign-out has
/// failed. `name` tells it from the app's other fields; it is kept in this tab only, and only until it is back. Whoever follows the field
/// hears `input` and `change` then.
pub fn keep_draft<E: ElementType<Output: Field>>(field: NodeRef<E>, name: &'static str) {
    let session = use_session();
    let typed = move || field.try_get_untracked().flatten().map(|input| input.draft()).filter(|draft| !draft.is_empty());
    // As soon as there is a field, and a user whose draft it could be. The one of before is not meant, which may have gone with the user.
    Effect::new(move || {
        let (Some(key), Some(input)) = (key(&session.get(), DRAFT, name), field.get()) else { return };
        let node: &Node = input.as_ref();
        // Until the user is back, it is needed where it is.
        if !session.is_interrupted_untracked()
            && node.is_connected()
            && let Some(draft) = take(&key).filter(|draft| *draft != input.draft())
        {
            input.put_back(&draft);
            // Whoever hears it may read signals, which are none of this effect's.
            untrack(|| tell(node));
        }
    });
    // At the interruption already: what is stored while the page is being left, Firefox loses if the next one is another site's.
    let is_interrupted = Memo::new(move |_| session.is_interrupted());
    Effect::new(move |kept: Option<Option<String>>| {
        if let Some((storage, key)) = storage().zip(kept.flatten()) {
            // A store that can be read can be emptied.
            let _ = storage.remove_item(&key);
        }
        let key = is_interrupted.get().then(|| key(&session.get_untracked(), DRAFT, name))??;
        // Where there is no room, nothing can be kept.
        storage()?.set_item(&key, &typed()?).ok()?;
        Some(key)
    });
    Effect::new(move || {
        let leaving = window_event_listener(Custom::<Event>::new(LEAVING), move |_| {
            if let Some(draft) = key(&session.get_untracked(), DRAFT, name).zip(typed()) {
                SET_ASIDE.with_borrow_mut(|drafts| {
                    drafts.retain(|(known, _)| *known != draft.0);
                    drafts.push(draft);
                });
            }
        });
        on_cleanup(move || leaving.remove());
    });
}

/// Tells whoever follows what is typed into a field what has been put back into it.
fn tell(field: &Node) {
    let bubbles = EventInit::new();
    bubbles.set_bubbles(true);
    for name in ["input", "change"] {
        if let Ok(event) = Event::new_with_event_init_dict(name, &bubbles) {
            // It fails only for an event that is on its way already.
            let _ = field.dispatch_event(&event);
        }
    }
}

/// Who makes a call: a session, or one with a note of what is to be done after a sign-in for which the page has to be left.
#[derive(Clone, Debug)]
pub struct Caller {
    session: CurrentSession,
    /// The place of the note, and the note.
    kept: Option<(String, String)>,
}

impl From<CurrentSession> for Caller {
    fn from(session: CurrentSession) -> Self {
        Self { session, kept: None }
    }
}

impl CurrentSession {
    /// The session for a call that goes on even where the page has to be left to sign in again: afterwards [`take_call`] has `call` for the
    /// same user. `name` tells it from the app's other calls. Both stay in this tab, and nothing secret belongs into them.
    pub fn kept_as(self, name: &str, call: &str) -> Caller {
        let place = key(&self.get_untracked(), CALL, name);
        Caller { session: self, kept: place.map(|place| (place, call.to_owned())) }
    }
}

impl Caller {
    /// Makes a call as [`CurrentSession::keep_on`] does.
    ///
    /// # Errors
    /// The same.
    pub async fn keep_on<T>(&self, call: impl AsyncFn() -> Result<T, Problem>) -> Result<T, Problem> {
        self.session.keep_on_while(call, || Wait::begin(self.kept.clone())).await
    }
}

/// A note of a call that waits on this page.
#[derive(Debug)]
struct Note {
    place: String,
    call: String,
    /// Whether it was stored because the page was about to be left.
    is_stored: Cell<bool>,
}

/// The wait of a call for the user to sign in again.
#[derive(Debug, Default)]
pub(crate) struct Wait(Option<Rc<Note>>);

impl Wait {
    fn begin(kept: Option<(String, String)>) -> Self {
        let note = kept.map(|(place, call)| Rc::new(Note { place, call, is_stored: Cell::new(false) }));
        NOTES.with_borrow_mut(|notes| notes.extend(note.clone()));
        Self(note)
    }

    /// Whether the call is still to be made by whoever has waited: a page that was left may be come back to after another has made it.
    pub(crate) fn is_still_to_be_made(&self) -> bool {
        self.0.as_ref().is_none_or(|note| !note.is_stored.get() || take_stored(&note.place).is_some())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(own) = &self.0 {
            NOTES.with_borrow_mut(|notes| notes.retain(|note| !Rc::ptr_eq(note, own)));
        }
    }
}

/// Stores what waits, because the page is about to be left. Before that it is nowhere but here, so no other window makes the call as well.
pub(crate) fn leave(session: CurrentSession) {
    let Some(storage) = storage() else { return };
    NOTES.with_borrow(|notes| {
        for note in notes {
            // Where there is no room, nothing can be kept.
            let stored = storage.set_item(&note.place, &written(session.clock().read(), &note.call));
            note.is_stored.set(stored.is_ok());
        }
    });
}

/// What the call of this name was to do that waited when the page was left; it is kept no longer. To be asked for in an effect, when all
/// is there that the call needs: before somebody is signed in, there is none.
pub fn take_call(session: CurrentSession, name: &str) -> Option<String> {
    let place = key(&session.get(), CALL, name)?;
    if session.is_interrupted() {
        return None;
    }
    read(session.clock().read(), &take_stored(&place)?).map(str::to_owned)
}

fn take_stored(place: &str) -> Option<String> {
    let storage = storage()?;
    let stored = storage.get_item(place).ok()??;
    let _ = storage.remove_item(place);
    Some(stored)
}

/// A call with the time from which on it is kept.
fn written(now: i64, call: &str) -> String {
    [&now.to_string(), " ", call].concat()
}

/// The call, unless it is too old.
fn read(now: i64, kept: &str) -> Option<&str> {
    let (since, call) = kept.split_once(' ')?;
    // Clocks are set, but not by so much.
    (now.abs_diff(since.parse().ok()?) <= KEPT_SECONDS).then_some(call)
}

/// The draft, which is kept no longer.
fn take(key: &str) -> Option<String> {
    let set_aside = SET_ASIDE.with_borrow_mut(|drafts| {
        let place = drafts.iter().position(|(known, _)| known == key)?;
        Some(drafts.swap_remove(place).1)
    });
    set_aside.or_else(|| take_stored(key))
}

/// Forgets what somebody has typed and asked for who has left, also in fields that are gone already.
pub(crate) fn forget() {
    SET_ASIDE.take();
    forget_stored(DRAFT);
    forget_calls();
}

/// Forgets what was asked for: whoever does not want to sign in for it does not want it any more.
pub(crate) fn forget_calls() {
    forget_stored(CALL);
}

fn forget_stored(prefix: &str) {
    let Some(storage) = storage() else { return };
    let names = (0..storage.length().unwrap_or(0)).filter_map(|place| storage.key(place).ok().flatten());
    for name in names.filter(|name| name.starts_with(prefix)).collect::<Vec<_>>() {
        let _ = storage.remove_item(&name);
    }
}

/// Nobody finds what somebody else has typed.
fn key(state: &SessionState, prefix: &str, name: &str) -> Option<String> {
    let signed_in = state.signed_in()?;
    Some([prefix, name, " ", &signed_in.provider, " ", &signed_in.user.sub].concat())
}

/// Whoever has blocked storage has none.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::{read, written};

    #[test]
    fn a_call_is_kept_as_long_as_a_sign_in_takes() {
        let kept = written(1_000, "delete 7 and 8");
        for now in [1_000, 1_600, 999] {
            assert_eq!(read(now, &kept), Some("delete 7 and 8"));
        }
        assert_eq!(read(1_601, &kept), None);
        for other in ["", "7", "soon delete 7", "-", "-9223372036854775808 delete 7"] {
            assert_eq!(read(1_000, other), None);
        }
    }
}
