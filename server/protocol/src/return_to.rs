//! Where the user was going: a path of this origin, and nothing else.

use std::fmt;

/// A path of this origin with its query and fragment: what a login may lead back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Reads a target; anything that is not a plain path of this origin becomes `/`.
    pub fn parse(_target: &str) -> Self {
        todo!()
    }

    /// The target: always begins with exactly one `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
