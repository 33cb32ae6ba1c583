//! What is wrong with a configuration, all of it at once.

use super::schema::SECTIONS;
use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A line of a configuration file.
    File {
        /// The file, as it was named.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(formatter, "{path}:{line}"),
            Self::Environment(name) => write!(formatter, "variable {name}"),
            Self::Flag(name) => write!(formatter, "flag {name}"),
        }
    }
}

/// One thing that is wrong. No text in it holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key, such as `server.listen`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
    /// Where the value came from, if there is one.
    pub source: Option<Source>,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.key)?;
        if let Some(source) = &self.source {
            write!(formatter, " ({source})")?;
        }
        write!(formatter, "\n   {}\n   → {}", self.problem, self.fix)
    }
}

/// Everything that is wrong; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblems(Vec<ConfigProblem>);

impl ConfigProblems {
    /// Puts them in the order of the sections, whatever the order in which they were found.
    pub(super) fn new(mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by_key(|problem| {
            let table = problem.key.split('.').next();
            SECTIONS.iter().position(|section| Some(section.name) == table)
        });
        Self(problems)
    }

    /// The problems, those outside of any section first.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigProblem> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ConfigProblems {
    type Item = &'a ConfigProblem;
    type IntoIter = std::slice::Iter<'a, ConfigProblem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [_] => write!(formatter, "The configuration has a problem:")?,
            all => write!(formatter, "The configuration has {} problems:", all.len())?,
        }
        for (index, problem) in self.0.iter().enumerate() {
            write!(formatter, "\n\n{}. {problem}", index + 1)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigProblems {}
