//! The values of all sources, later ones over earlier ones, and what is wrong with how they are written.

use super::problem::{ConfigProblem, Source};
use super::schema::{Section, name_problem};
use super::value::Raw;
use std::collections::BTreeMap;

/// A value and where it came from.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) raw: Raw,
    pub(super) source: Source,
}

/// A provider or an upstream that some source mentions.
#[derive(Clone)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) source: Source,
}

/// What the sources say together.
#[derive(Default)]
pub(super) struct Values {
    entries: BTreeMap<String, Entry>,
    elements: BTreeMap<&'static str, Vec<Element>>,
}

impl Values {
    /// The value of a full key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Everything of a section with one table for each thing, in the order in which it was first mentioned.
    pub(super) fn elements(&self, section: &Section) -> &[Element] {
        self.elements.get(section.name).map_or(&[], Vec::as_slice)
    }

    /// Notes that a source mentions this element.
    pub(super) fn mention(&mut self, section: &'static Section, name: &str, source: &Source) {
        let elements = self.elements.entry(section.name).or_default();
        if elements.iter().all(|element| element.name != name) {
            elements.push(Element { name: name.to_owned(), source: source.clone() });
        }
    }

    /// Sets a value; an earlier one is forgotten. `element` is the name of the table in a section that has several.
    pub(super) fn set(&mut self, section: &'static Section, element: Option<&str>, key: &str, entry: Entry) {
        let full_key = match element {
            Some(name) => {
                self.mention(section, name, &entry.source);
                format!("{}.{name}.{key}", section.name)
            }
            None => format!("{}.{key}", section.name),
        };
        self.entries.insert(full_key, entry);
    }
}

/// What was found on the way.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) warnings: Vec<String>,
}

impl Findings {
    /// Adds a problem.
    pub(super) fn problem(&mut self, key: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>, source: Option<Source>) {
        self.problems.push(ConfigProblem { key: key.into(), problem: problem.into(), fix: fix.into(), source });
    }

    /// Whether the name of an element will do; if not, that is a problem.
    pub(super) fn accepts_name(&mut self, section: &Section, name: &str, source: &Source) -> bool {
        let problem = name_problem(name);
        if let Some(problem) = problem {
            self.problem(format!("{}.{name}", section.name), problem, "Choose another name.", Some(source.clone()));
        }
        problem.is_none()
    }
}
