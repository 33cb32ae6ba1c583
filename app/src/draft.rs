//! What the user has typed and asked for, kept while they have to leave the page to sign in again, and what they have typed until it is
//! certain that they have left.

use leptos::{
    ev::{Custom, Event},
    html::ElementType,
    prelude::*,
};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::{EventInit, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, Node, Storage};

use crate::{
    api::Problem,
    session::{CurrentSession, LEAVING, SessionState, use_session},
};

/// What the names in the store begin with.
const PREFIX: &str = "oauth2flow draft ";

/// What comes after it where it is a call that is kept.
const CALL: &str = "call ";

/// How long a call is kept, in seconds: about as long as a sign-in may take. Later, nobody expects it any more.
const CALL_IS_KEPT_SECONDS: i64 = 600;

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
            // A password does not lie about, and a file cannot be put back.
            "password" | "file" => String::new(),
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
        self.set_value(draft);
    }
}

thread_local! {
    /// What was in the fields when a sign-out was asked for: it is needed if that fails. Never stored, because by then it mostly has not.
    static SET_ASIDE: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is in this field when the page has to be left to sign in again, and puts it back afterwards; so it does when a sign-out has
/// failed. `name` tells it from the app's other fields; it is kept in this tab only, and only until it is back.
pub fn keep_draft<E: ElementType<Output: Field>>(field: NodeRef<E>, name: &'static str) {
    let session = use_session();
    let typed = move || field.try_get_untracked().flatten().map(|input| input.draft()).filter(|draft| !draft.is_empty());
    // As soon as there is a field, and a user whose draft it could be. The one of before is not meant, which may have gone with the user.
    Effect::new(move || {
        let (Some(key), Some(input)) = (key(&session.get(), name), field.get()) else { return };
        let node: &Node = input.as_ref();
        // Until the user is back, it is needed where it is.
        if !session.is_interrupted_untracked()
            && node.is_connected()
            && let Some(draft) = take(&key)
        {
            input.put_back(&draft);
            tell(node);
        }
    });
    // At the interruption already: what is stored while the page is being left, Firefox loses if the next one is another site's.
    let is_interrupted = Memo::new(move |_| session.is_interrupted());
    Effect::new(move |kept: Option<Option<String>>| {
        if let Some((storage, key)) = storage().zip(kept.flatten()) {
            // A store that can be read can be emptied.
            let _ = storage.remove_item(&key);
        }
        let key = is_interrupted.get().then(|| key(&session.get_untracked(), name))??;
        // Where there is no room, nothing can be kept.
        storage()?.set_item(&key, &typed()?).ok()?;
        Some(key)
    });
    Effect::new(move || {
        let leaving = window_event_listener(Custom::<Event>::new(LEAVING), move |_| {
            if let Some(draft) = key(&session.get_untracked(), name).zip(typed()) {
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
        let place = key(&self.get_untracked(), &[CALL, name].concat());
        Caller { session: self, kept: place.map(|place| (place, call.to_owned())) }
    }
}

impl Caller {
    /// Makes a call as [`CurrentSession::keep_on`] does.
    ///
    /// # Errors
    /// The same.
    pub async fn keep_on<T>(&self, call: impl AsyncFn() -> Result<T, Problem>) -> Result<T, Problem> {
        self.session.keep_on_while(call, |is_waiting| self.keep(is_waiting)).await
    }

    fn keep(&self, is_waiting: bool) {
        let Some((storage, (place, call))) = storage().zip(self.kept.as_ref()) else { return };
        // Where there is no room, nothing can be kept; what can be kept can be removed.
        let _ = if is_waiting { storage.set_item(place, &written(self.session.clock().read(), call)) } else { storage.remove_item(place) };
    }
}

/// What the call of this name was to do that waited when the page was left; it is kept no longer. To be asked for in an effect, when all
/// is there that the call needs: before somebody is signed in, there is none.
pub fn take_call(session: CurrentSession, name: &str) -> Option<String> {
    let place = key(&session.get(), &[CALL, name].concat())?;
    if session.is_interrupted() {
        return None;
    }
    let storage = storage()?;
    let kept = storage.get_item(&place).ok()??;
    let _ = storage.remove_item(&place);
    read(session.clock().read(), &kept).map(str::to_owned)
}

/// A call with the time from which on it is kept.
fn written(now: i64, call: &str) -> String {
    [&now.to_string(), " ", call].concat()
}

/// The call, unless it is too old.
fn read(now: i64, kept: &str) -> Option<&str> {
    let (since, call) = kept.split_once(' ')?;
    let age = now - since.parse::<i64>().ok()?;
    // Clocks are set, but not by so much.
    (age.abs() <= CALL_IS_KEPT_SECONDS).then_some(call)
}

/// The draft, which is kept no longer.
fn take(key: &str) -> Option<String> {
    let set_aside = SET_ASIDE.with_borrow_mut(|drafts| {
        let place = drafts.iter().position(|(known, _)| known == key)?;
        Some(drafts.swap_remove(place).1)
    });
    set_aside.or_else(|| {
        let storage = storage()?;
        let draft = storage.get_item(key).ok()??;
        let _ = storage.remove_item(key);
        Some(draft)
    })
}

/// Forgets what somebody has typed who has left, also in fields that are gone already.
pub(crate) fn forget() {
    SET_ASIDE.take();
    let Some(storage) = storage() else { return };
    let names = (0..storage.length().unwrap_or(0)).filter_map(|place| storage.key(place).ok().flatten());
    for name in names.filter(|name| name.starts_with(PREFIX)).collect::<Vec<_>>() {
        let _ = storage.remove_item(&name);
    }
}

/// Nobody finds what somebody else has typed.
fn key(state: &SessionState, name: &str) -> Option<String> {
    let signed_in = state.signed_in()?;
    Some([PREFIX, name, " ", &signed_in.provider, " ", &signed_in.user.sub].concat())
}

/// Whoever has blocked storage has none.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::{CALL_IS_KEPT_SECONDS, read, written};

    #[test]
    fn a_call_is_kept_as_long_as_a_sign_in_takes() {
        let kept = written(1_000, "delete 7 and 8");
        for now in [1_000, 1_000 + CALL_IS_KEPT_SECONDS, 999] {
            assert_eq!(read(now, &kept), Some("delete 7 and 8"));
        }
        assert_eq!(read(1_001 + CALL_IS_KEPT_SECONDS, &kept), None);
        for other in ["", "7", "soon delete 7", "-"] {
            assert_eq!(read(1_000, other), None);
        }
    }
}
