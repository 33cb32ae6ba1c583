//! The seven steps of the flow, in words that need no others.

use crate::{
    pages::flow::meaning::{Reference, rfc},
    texts::{Text, learn},
};

/// One of the seven steps.
#[derive(Debug)]
pub(crate) struct Step {
    /// Which: the number that the recorded messages carry.
    pub(crate) number: u8,
    /// What happens.
    pub(crate) title: Text,
    /// How, and why.
    pub(crate) paragraphs: &'static [Text],
    /// Where the specification says so.
    pub(crate) defined: Reference,
}

/// All of them.
pub(crate) const STEPS: [Step; 7] = [
    Step { number: 1, title: learn::STEPS_CLICK, paragraphs: &[learn::STEPS_CLICK_HOW], defined: rfc(6749, "4.1") },
    Step {
        number: 2,
        title: learn::STEPS_REDIRECT,
        paragraphs: &[learn::STEPS_REDIRECT_HOW, learn::STEPS_REDIRECT_WHY],
        defined: rfc(6749, "4.1.1"),
    },
    Step {
        number: 3,
        title: learn::STEPS_DECIDE,
        paragraphs: &[learn::STEPS_DECIDE_HOW, learn::STEPS_DECIDE_WHY],
        defined: rfc(6749, "3.1"),
    },
    Step { number: 4, title: learn::STEPS_BACK, paragraphs: &[learn::STEPS_BACK_HOW, learn::STEPS_BACK_WHY], defined: rfc(6749, "4.1.2") },
    Step { number: 5, title: learn::STEPS_HAND, paragraphs: &[learn::STEPS_HAND_HOW], defined: rfc(6749, "10.12") },
    Step {
        number: 6,
        title: learn::STEPS_EXCHANGE,
        paragraphs: &[learn::STEPS_EXCHANGE_HOW, learn::STEPS_EXCHANGE_WHY],
        defined: rfc(6749, "4.1.3"),
    },
    Step { number: 7, title: learn::STEPS_USE, paragraphs: &[learn::STEPS_USE_HOW], defined: rfc(6749, "7") },
];

#[cfg(test)]
mod tests {
    use super::STEPS;

    #[test]
    fn the_steps_are_in_their_order() {
        assert_eq!(STEPS.each_ref().map(|step| step.number), [1, 2, 3, 4, 5, 6, 7]);
    }
}
