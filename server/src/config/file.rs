//! The configuration file.

use super::layers::{Entry, Findings, Values};
use super::problem::Source;
use super::schema::{SECTIONS, Section, nearest};
use super::value::Raw;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads the text of the file `path` into `values`. Returns whether it is TOML at all.
pub(super) fn read(path: &str, text: &str, values: &mut Values, findings: &mut Findings) -> bool {
    let mut file = File { path, text, values, findings };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let source = file.source(error.span().map_or(0, |span| span.start));
        // Only the message: the error's own Display shows the line, and a secret may stand in it.
        file.findings.problem(path, format!("It is not TOML: {}.", error.message()), "Mend that line; see https://toml.io.", Some(source));
    }
    if errors.is_empty() {
        file.read_sections(table.get_ref());
    }
    errors.is_empty()
}

struct File<'a> {
    path: &'a str,
    text: &'a str,
    values: &'a mut Values,
    findings: &'a mut Findings,
}

impl File<'_> {
    fn source(&self, offset: usize) -> Source {
        let line = 1 + self.text.get(..offset).unwrap_or_default().matches('\n').count();
        Source::File { path: self.path.to_owned(), line }
    }

    fn read_sections(&mut self, table: &DeTable<'_>) {
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            let source = self.source(key.span().start);
            let Some(section) = Section::named(name) else {
                self.unknown_section(name, source);
                continue;
            };
            let Some(members) = value.get_ref().as_table() else {
                self.not_a_table(name, source);
                continue;
            };
            if section.element.is_none() {
                self.read_settings(section, None, "", members);
            } else {
                self.read_elements(section, members);
            }
        }
    }

    fn read_elements(&mut self, section: &'static Section, table: &DeTable<'_>) {
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            let source = self.source(key.span().start);
            if !self.findings.accepts_name(section, name, &source) {
                continue;
            }
            let Some(members) = value.get_ref().as_table() else {
                self.not_a_table(&format!("{}.{name}", section.name), source);
                continue;
            };
            self.values.mention(section, name, &source);
            self.read_settings(section, Some(name), "", members);
        }
    }

    /// Reads the members of a table; `group` is what stands before their keys within the section.
    fn read_settings(&mut self, section: &'static Section, element: Option<&str>, group: &str, table: &DeTable<'_>) {
        for (key, value) in in_order(table) {
            let relative = format!("{group}{}", key.get_ref());
            let source = self.source(key.span().start);
            let prefix = element.map_or_else(|| format!("{}.", section.name), |element| format!("{}.{element}.", section.name));
            if section.has(&relative) {
                self.values.set(section, element, &relative, Entry { raw: raw(value.get_ref()), source });
            } else if section.has_group(&relative) {
                match value.get_ref().as_table() {
                    Some(members) => self.read_settings(section, element, &format!("{relative}."), members),
                    None => self.not_a_table(&format!("{prefix}{relative}"), source),
                }
            } else {
                let known: Vec<_> = section.keys().collect();
                let meant = nearest(&relative, known.iter().map(String::as_str)).map(|meant| format!("{prefix}{meant}"));
                let fix = meant.or_else(|| elsewhere(&relative)).map_or_else(
                    || "Remove it; docs/configuration.md lists every key.".to_owned(),
                    |meant| format!("Did you mean {meant}? Otherwise remove it."),
                );
                self.findings.problem(format!("{prefix}{relative}"), "There is no such setting.", fix, Some(source));
            }
        }
    }

    fn unknown_section(&mut self, name: &str, source: Source) {
        let meant = nearest(name, SECTIONS.iter().map(|section| section.name));
        let fix = match (meant, elsewhere(name)) {
            (Some(meant), _) => format!("Did you mean [{meant}]? Otherwise remove it."),
            (None, Some(key)) => format!("Did you mean {key}? Otherwise remove it."),
            (None, None) => {
                let names: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
                format!("Remove it; the sections are {}.", names.join(", "))
            }
        };
        self.findings.problem(name, "There is no such section.", fix, Some(source));
    }

    fn not_a_table(&mut self, key: &str, source: Source) {
        self.findings.problem(key, "It should be a table.", format!("Write [{key}] and its settings below."), Some(source));
    }
}

/// The full key of a setting that is called this in some section.
fn elsewhere(key: &str) -> Option<String> {
    SECTIONS.iter().find(|section| section.has(key)).map(|section| match section.element {
        Some(element) => format!("{}.{element}.{key}", section.name),
        None => format!("{}.{key}", section.name),
    })
}

/// The members in the order of the file, so that problems and providers come in the order in which people wrote them.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(members) => {
            Raw::Table(in_order(members).into_iter().map(|(key, value)| (key.get_ref().to_string(), raw(value.get_ref()))).collect())
        }
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number"),
        },
        DeValue::Float(_) => Raw::Other("a number"),
        DeValue::Datetime(_) => Raw::Other("a date"),
    }
}
