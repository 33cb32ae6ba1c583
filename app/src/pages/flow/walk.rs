//! Stepping from message to message.

use leptos::{ev::KeyboardEvent, prelude::*};
use std::collections::BTreeSet;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::{Current, layout::party, meaning};
use crate::texts::{fill, flow};

/// Where to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// To the first message.
    First,
    /// To the one before.
    Previous,
    /// To the one after.
    Next,
    /// To the last message.
    Last,
}

impl Move {
    /// What a key does in the diagram.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        match key {
            "Home" => Some(Self::First),
            "ArrowUp" | "ArrowLeft" => Some(Self::Previous),
            "ArrowDown" | "ArrowRight" => Some(Self::Next),
            "End" => Some(Self::Last),
            _ => None,
        }
    }

    /// Where that leads from the message that is looked at; nowhere at the end.
    pub(crate) fn target(self, numbers: &[u32], current: Option<u32>) -> Option<u32> {
        let place = current.and_then(|current| numbers.iter().position(|&number| number == current));
        let target = match (self, place) {
            (Self::First, _) | (Self::Next, None) => 0,
            (Self::Last, _) | (Self::Previous, None) => numbers.len().checked_sub(1)?,
            (Self::Previous, Some(place)) => place.checked_sub(1)?,
            (Self::Next, Some(place)) => place + 1,
        };
        numbers.get(target).copied()
    }
}

/// Where a key that was pressed on a message wants to go, and the message, which is a `details`. Only for the browser.
pub(crate) fn asked_for(event: &KeyboardEvent) -> Option<(Move, Element)> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let is_plain = !(event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key());
    let is_message = is_plain && target.matches("summary.line").unwrap_or(false);
    let details = target.parent_element().filter(|_| is_message)?;
    Some((Move::of_key(&event.key())?, details))
}

/// Which message is looked at, and which are open.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    login: Current,
    current: RwSignal<Option<u32>>,
    opened: RwSignal<BTreeSet<u32>>,
    announced: RwSignal<String>,
}

impl Walk {
    /// A walk that has not begun, with one message open, if any.
    pub(crate) fn new(login: Current, opened: Option<u32>) -> Self {
        Self {
            login,
            current: RwSignal::new(opened),
            opened: RwSignal::new(opened.into_iter().collect()),
            announced: RwSignal::new(String::new()),
        }
    }

    /// Whether a message is open.
    pub(crate) fn is_open(self, number: u32) -> bool {
        self.opened.with(|opened| opened.contains(&number))
    }

    /// Notes that a message was opened or closed.
    pub(crate) fn set_open(self, number: u32, is_open: bool) {
        if self.opened.with_untracked(|opened| opened.contains(&number)) != is_open {
            self.opened.update(|opened| {
                if is_open {
                    opened.insert(number);
                } else {
                    opened.remove(&number);
                }
            });
        }
    }

    /// Notes which message is looked at.
    pub(crate) fn look_at(self, number: u32) {
        self.current.set(Some(number));
    }

    /// Whether there is a message to move to.
    pub(crate) fn can(self, movement: Move) -> bool {
        movement.target(&self.numbers(), self.current.get()).is_some()
    }

    /// What to say about the last step.
    pub(crate) fn announced(self) -> String {
        self.announced.get()
    }

    /// Closes the message that is left and opens the one that is gone to. Only for the browser.
    pub(crate) fn go(self, movement: Move) -> Option<u32> {
        let current = self.current.get_untracked();
        let target = untrack(|| movement.target(&self.numbers(), current))?;
        if let Some(current) = current {
            self.set_open(current, false);
        }
        self.open(target);
        self.announced.set(untrack(|| self.announcement(target)));
        Some(target)
    }

    /// Opens a message and looks at it.
    pub(crate) fn open(self, number: u32) {
        self.set_open(number, true);
        self.look_at(number);
    }

    fn numbers(self) -> Vec<u32> {
        self.login.with(|login| login.messages.iter().map(|message| message.number).collect())
    }

    fn announcement(self, number: u32) -> String {
        self.login.with(|login| {
            let Some(message) = login.messages.iter().find(|message| message.number == number) else { return String::new() };
            let count = login.messages.len().to_string();
            let act = meaning::message(message.name).act;
            let values = [("number", &*number.to_string()), ("count", &count), ("party", party(message.from)), ("act", act)];
            fill(flow::FLOW_ANNOUNCEMENT, &values)
        })
    }
}

/// The id of a message in the page.
pub(crate) fn id_of(number: u32) -> String {
    ["message-", &number.to_string()].concat()
}

/// Gives a message the focus, once it is drawn. Only for the browser.
pub(crate) fn focus(number: u32) {
    request_animation_frame(move || {
        let summary = document().get_element_by_id(&id_of(number)).and_then(|details| details.query_selector("summary").ok().flatten());
        if let Some(summary) = summary.and_then(|summary| summary.dyn_into::<HtmlElement>().ok()) {
            // What cannot take the focus is still there to be read.
            let _ = summary.focus();
        }
    });
}

/// Brings a message into sight, once it is drawn. Only for the browser.
pub(crate) fn show(number: u32) {
    request_animation_frame(move || {
        if let Some(details) = document().get_element_by_id(&id_of(number)) {
            details.scroll_into_view();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Move;

    #[test]
    fn a_step_leads_to_the_neighbour_and_stops_at_the_ends() {
        let numbers = [1, 2, 5];
        let cases = [
            (Move::Next, None, Some(1)),
            (Move::Next, Some(2), Some(5)),
            (Move::Next, Some(5), None),
            (Move::Previous, None, Some(5)),
            (Move::Previous, Some(5), Some(2)),
            (Move::Previous, Some(1), None),
            (Move::First, Some(5), Some(1)),
            (Move::Last, Some(1), Some(5)),
            // One that is not there any more is like none.
            (Move::Next, Some(9), Some(1)),
        ];
        for (movement, current, target) in cases {
            assert_eq!(movement.target(&numbers, current), target, "{movement:?} {current:?}");
        }
        for movement in [Move::First, Move::Previous, Move::Next, Move::Last] {
            assert_eq!(movement.target(&[], None), None);
        }
    }

    #[test]
    fn the_arrow_keys_and_the_ends_step() {
        use Move::{First, Last, Next, Previous};
        let keys = ["ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft", "Home", "End", "Enter", "a"].map(Move::of_key);
        assert_eq!(keys, [Some(Next), Some(Next), Some(Previous), Some(Previous), Some(First), Some(Last), None, None]);
    }
}
