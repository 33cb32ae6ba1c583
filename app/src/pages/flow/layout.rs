//! Who stands where in the diagram.

use std::cmp::Ordering;

use crate::{
    flow::{Channel, CheckOutcome, Message, Party, RecordedLogin},
    texts::{count, flow, t},
};

/// The parties of a login, from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lanes(Vec<Party>);

impl Lanes {
    /// The four that every login has, and the API where one was called.
    pub(crate) fn of(login: &RecordedLogin) -> Self {
        let mut parties = vec![Party::Browser, Party::App, Party::Backend, Party::Provider];
        if login.messages.iter().any(|message| [message.from, message.to].contains(&Party::Api)) {
            parties.push(Party::Api);
        }
        Self(parties)
    }

    /// The parties.
    pub(crate) fn parties(&self) -> &[Party] {
        &self.0
    }

    /// Where a party stands, counted from 0.
    pub(crate) fn place(&self, party: Party) -> usize {
        self.0.iter().position(|&other| other == party).unwrap_or_default()
    }

    /// The arrow of a message.
    pub(crate) fn arrow(&self, message: &Message) -> Arrow {
        Arrow::between(self.place(message.from), self.place(message.to))
    }
}

/// From which lane to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    /// The lane where it is leftmost.
    pub(crate) left: usize,
    /// The lane where it is rightmost.
    pub(crate) right: usize,
    /// Which of them it points to.
    pub(crate) direction: Direction,
}

/// Where an arrow points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the right.
    Onward,
    /// To the left.
    Back,
    /// Nowhere: it happens at one party.
    Within,
}

impl Arrow {
    /// From one lane to another.
    pub(crate) fn between(from: usize, to: usize) -> Self {
        let direction = match from.cmp(&to) {
            Ordering::Less => Direction::Onward,
            Ordering::Equal => Direction::Within,
            Ordering::Greater => Direction::Back,
        };
        Self { left: from.min(to), right: from.max(to), direction }
    }

    /// The classes by which the style sheet draws it: inline styles are forbidden here.
    pub(crate) fn classes(self, channel: Channel) -> String {
        let direction = match self.direction {
            Direction::Onward => " onward",
            Direction::Back => " backward",
            Direction::Within => " within",
        };
        let channel = match channel {
            Channel::Front => " front",
            Channel::Back => " back",
        };
        ["arrow left-", &self.left.to_string(), " right-", &self.right.to_string(), direction, channel].concat()
    }
}

/// What people call a party.
pub(crate) fn party(party: Party) -> &'static str {
    match party {
        Party::Browser => t(flow::PARTY_BROWSER),
        Party::App => t(flow::PARTY_APP),
        Party::Backend => t(flow::PARTY_BACKEND),
        Party::Provider => t(flow::PARTY_PROVIDER),
        Party::Api => t(flow::PARTY_API),
    }
}

/// How the checks of a message came out, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    /// How many passed.
    pub(crate) passed: usize,
    /// How many failed.
    pub(crate) failed: usize,
    /// How many had nothing to look at.
    pub(crate) skipped: usize,
    /// How many were not reached.
    pub(crate) unreached: usize,
}

impl Verdicts {
    /// Of some messages together.
    pub(crate) fn of<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Self {
        let mut verdicts = Self::default();
        for check in messages.into_iter().flat_map(|message| &message.checks) {
            *match check.outcome {
                CheckOutcome::Passed => &mut verdicts.passed,
                CheckOutcome::Failed { .. } => &mut verdicts.failed,
                CheckOutcome::Skipped(_) => &mut verdicts.skipped,
                CheckOutcome::NotReached => &mut verdicts.unreached,
            } += 1;
        }
        verdicts
    }

    /// In words: `12 checks passed, 1 failed, 3 did not apply`; nothing where there were none.
    pub(crate) fn in_words(self) -> Option<String> {
        let mut parts = Vec::new();
        // The first says what is counted.
        let passed = (flow::VERDICTS_FIRST_PASSED_ONE, flow::VERDICTS_FIRST_PASSED_OTHER, flow::VERDICTS_FIRST_PASSED_OTHER);
        let failed = (flow::VERDICTS_FIRST_FAILED_ONE, flow::VERDICTS_FIRST_FAILED_OTHER, flow::VERDICTS_MORE_FAILED);
        let skipped = (flow::VERDICTS_FIRST_SKIPPED_ONE, flow::VERDICTS_FIRST_SKIPPED_OTHER, flow::VERDICTS_MORE_SKIPPED);
        let unreached = (flow::VERDICTS_MORE_UNREACHED, flow::VERDICTS_MORE_UNREACHED, flow::VERDICTS_MORE_UNREACHED);
        let all = [(self.passed, passed), (self.failed, failed), (self.skipped, skipped), (self.unreached, unreached)];
        for (number, (one, other, more)) in all {
            if number > 0 {
                let (one, other) = if parts.is_empty() { (one, other) } else { (more, more) };
                parts.push(count(u64::try_from(number).unwrap_or_default(), one, other));
            }
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrow, Direction, Lanes, Verdicts, party};
    use crate::{
        flow::{Channel, Party},
        pages::flow::example,
    };

    #[test]
    fn the_api_has_a_lane_where_it_was_called() {
        let mut login = example::signed_in();
        assert_eq!(Lanes::of(&login).parties().last(), Some(&Party::Api));
        login.messages.retain(|message| message.from != Party::Api && message.to != Party::Api);
        assert_eq!(Lanes::of(&login).parties(), [Party::Browser, Party::App, Party::Backend, Party::Provider]);
    }

    #[test]
    fn an_arrow_points_from_the_sender_to_the_receiver() {
        let login = example::signed_in();
        let lanes = Lanes::of(&login);
        let arrow = |from, to| lanes.arrow(&crate::flow::Message { from, to, ..login.messages[0].clone() });
        assert_eq!(arrow(Party::Browser, Party::Backend), Arrow { left: 0, right: 2, direction: Direction::Onward });
        assert_eq!(arrow(Party::Provider, Party::Browser), Arrow { left: 0, right: 3, direction: Direction::Back });
        let within = arrow(Party::Provider, Party::Provider);
        assert_eq!(within, Arrow { left: 3, right: 3, direction: Direction::Within });
        assert_eq!(within.classes(Channel::Front), "arrow left-3 right-3 within front");
        assert_eq!(arrow(Party::Backend, Party::Provider).classes(Channel::Back), "arrow left-2 right-3 onward back");
    }

    #[test]
    fn every_party_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Lanes::of(&example::signed_in()).parties().iter().map(|&one| party(one)).collect();
        assert_eq!(names.len(), 5);
    }

    #[test]
    fn verdicts_are_counted_in_words() {
        assert_eq!(Verdicts::default().in_words(), None);
        assert_eq!(Verdicts { passed: 1, ..Verdicts::default() }.in_words().as_deref(), Some("1 check passed"));
        let all = Verdicts { passed: 12, failed: 1, skipped: 3, unreached: 7 };
        assert_eq!(all.in_words().as_deref(), Some("12 checks passed, 1 failed, 3 did not apply, 7 not reached"));
        let failed = Verdicts::of(&example::denied().messages);
        assert_eq!(failed.failed, 1);
    }
}
