//! The environment.
//!
//! `OAUTH2FLOW_` and the key, with dots and hyphens as underscores and in capitals: `server.listen` is
//! `OAUTH2FLOW_SERVER_LISTEN`, `providers.my-login.client_id` is `OAUTH2FLOW_PROVIDERS_MY_LOGIN_CLIENT_ID`.

use super::layers::{Entry, Findings, Values};
use super::problem::Source;
use super::schema::{BORROWED_VARIABLES, FILE_VARIABLE, SECTIONS, Section, VARIABLE_PREFIX, nearest, variable, variable_part};
use super::value::Raw;
use std::collections::BTreeMap;

/// Reads the variables into `values`, which hold the file's already.
pub(super) fn read(environment: &BTreeMap<String, String>, values: &mut Values, findings: &mut Findings) {
    for (name, key) in BORROWED_VARIABLES {
        if let (Some(value), Some(target)) = (environment.get(name).filter(|value| !value.is_empty()), Target::of_key(key)) {
            values.set(target.section, target.element.as_deref(), &target.key, entry(name, value));
        }
    }
    for (name, value) in environment {
        let Some(rest) = name.strip_prefix(VARIABLE_PREFIX).filter(|_| name != FILE_VARIABLE) else { continue };
        match Target::of_variable(rest, values) {
            // An empty variable counts as not set: that is how people and container files switch one off.
            Some(_) if value.is_empty() => {}
            Some(target) => {
                let source = Source::Environment(name.clone());
                if target.element.as_ref().is_none_or(|element| findings.accepts_name(target.section, element, &source)) {
                    values.set(target.section, target.element.as_deref(), &target.key, entry(name, value));
                }
            }
            None => {
                let known = known_variables(values);
                let fix = nearest(name, known.iter().map(String::as_str)).map_or_else(
                    || "Unset it; docs/configuration.md lists every variable.".to_owned(),
                    |meant| format!("Did you mean {meant}? Otherwise unset it."),
                );
                findings.problem(name, "There is no such setting.", fix, Some(Source::Environment(name.clone())));
            }
        }
    }
}

fn entry(name: &str, value: &str) -> Entry {
    Entry { raw: Raw::Text(value.to_owned()), source: Source::Environment(name.to_owned()) }
}

/// The setting that a variable or a flag sets.
pub(super) struct Target {
    pub(super) section: &'static Section,
    pub(super) element: Option<String>,
    pub(super) key: String,
}

impl Target {
    /// The setting of a full key.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let (name, rest) = key.split_once('.')?;
        let section = Section::named(name)?;
        let (element, key) = match section.element {
            None => (None, rest),
            Some(_) => rest.split_once('.').map(|(element, key)| (Some(element.to_owned()), key))?,
        };
        section.has(key).then(|| Self { section, element, key: key.to_owned() })
    }

    /// The setting of a variable, without the prefix. Where a name could end in several places, a name that is known
    /// already wins, and then the longest key.
    fn of_variable(variable: &str, values: &Values) -> Option<Self> {
        let mut candidates: Vec<(bool, usize, Self)> = Vec::new();
        for section in SECTIONS {
            let Some(rest) = variable.strip_prefix(&variable_part(section.name)).and_then(|rest| rest.strip_prefix('_')) else { continue };
            for key in section.keys() {
                let part = variable_part(&key);
                if section.element.is_none() {
                    if rest == part {
                        return Some(Self { section, element: None, key });
                    }
                } else if let Some(name) = rest.strip_suffix(&part).and_then(|name| name.strip_suffix('_')).filter(|name| !name.is_empty())
                {
                    let known = values.elements(section).iter().find(|element| variable_part(&element.name) == name);
                    let element = known.map_or_else(|| name.to_ascii_lowercase(), |element| element.name.clone());
                    candidates.push((known.is_some(), part.len(), Self { section, element: Some(element), key }));
                }
            }
        }
        candidates.into_iter().max_by_key(|(known, length, _)| (*known, *length)).map(|(_, _, target)| target)
    }
}

/// Every variable that has a meaning, for the elements that are known and, as an example, one that is not.
fn known_variables(values: &Values) -> Vec<String> {
    let mut variables = vec![FILE_VARIABLE.to_owned()];
    for section in SECTIONS {
        let Some(example) = section.element else {
            variables.extend(section.keys().map(|key| variable(&format!("{}.{key}", section.name))));
            continue;
        };
        let names = values.elements(section).iter().map(|element| element.name.as_str()).chain(std::iter::once(example));
        variables.extend(names.flat_map(|name| section.keys().map(move |key| variable(&format!("{}.{name}.{key}", section.name)))));
    }
    variables
}
