//! All sections, and how their settings are found by key and by variable.

use super::setting::Declared;
use super::{demo, flow, limits, log, outbound, providers, server, session, upstreams};

/// What every variable of ours starts with.
pub(super) const VARIABLE_PREFIX: &str = "OAUTH2FLOW_";
/// The variable that names the configuration file; it is no setting.
pub(super) const FILE_VARIABLE: &str = "OAUTH2FLOW_CONFIG";
/// The file that is read when none is named.
pub(super) const DEFAULT_FILE: &str = "oauth2flow.toml";

/// Variables that other tools know too, with the keys they set. Ours go over them.
pub(super) const BORROWED_VARIABLES: [(&str, &str); 3] = [
    ("GITHUB_CLIENT_ID", "providers.github.client_id"),
    ("GITHUB_CLIENT_SECRET", "providers.github.client_secret"),
    ("GITHUB_CLIENT_SECRET_FILE", "providers.github.client_secret_file"),
];

/// Every section, in the order of the documentation.
pub(super) static SECTIONS: [&Section; 9] = [
    &server::SECTION,
    &session::SECTION,
    &providers::SECTION,
    &upstreams::SECTION,
    &outbound::SECTION,
    &limits::SECTION,
    &demo::SECTION,
    &flow::SECTION,
    &log::SECTION,
];

/// A section of the configuration.
pub(super) struct Section {
    /// Its key.
    pub(super) name: &'static str,
    /// For a section with one table for each thing of its kind: a name for the documentation's example.
    pub(super) element: Option<&'static str>,
    /// What it is about.
    pub(super) doc: &'static str,
    /// Its settings.
    pub(super) settings: &'static [&'static dyn Declared],
}

impl Section {
    /// The section of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SECTIONS.into_iter().find(|section| section.name == name)
    }

    /// Every key, relative to the section, with the files of secrets.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.settings.iter().flat_map(|setting| {
            let file = setting.secrecy().has_file().then(|| file_key(setting.key()));
            std::iter::once(setting.key().to_owned()).chain(file)
        })
    }

    /// Whether this relative key is one of its settings.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }

    /// Whether some of its keys lie in a table of this relative key.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.keys().any(|known| known.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Whether the value of this relative key is a secret itself (its file's name is none).
    pub(super) fn is_secret(&self, key: &str) -> bool {
        self.settings.iter().any(|setting| setting.key() == key && !setting.secrecy().is_public())
    }
}

/// The key of the file that holds the secret of this key.
pub(super) fn file_key(key: &str) -> String {
    format!("{key}_file")
}

/// The variable of a full key: dots and hyphens become underscores, and all letters capitals.
pub(super) fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", variable_part(key))
}

/// The same without the prefix.
pub(super) fn variable_part(key: &str) -> String {
    key.replace(['.', '-'], "_").to_ascii_uppercase()
}

/// Why a name of a provider or an upstream will not do, if it will not. Names stand in URLs and in variables.
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    let allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '_');
    if name.is_empty() || name.len() > 32 {
        Some("A name has 1 to 32 characters.")
    } else if !name.chars().all(allowed) || !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        Some("A name is made of a–z, 0–9, - and _, and starts with a letter or a digit.")
    } else {
        None
    }
}

/// The candidate that was probably meant.
pub(super) fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: how many characters to insert, remove or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, left) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = *cell;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::setting::Fallback;
    use super::{SECTIONS, Section, distance, name_problem, nearest, variable};
    use std::collections::HashSet;

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("lisen", "listen"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn only_a_near_candidate_is_suggested() {
        let candidates = ["listen", "render", "site_dir"];
        assert_eq!(nearest("lsiten", candidates.into_iter()), Some("listen"));
        assert_eq!(nearest("banana", candidates.into_iter()), None);
    }

    #[test]
    fn every_key_has_a_variable_of_its_own() {
        let mut variables = HashSet::new();
        for section in SECTIONS {
            for key in section.keys() {
                let element = section.element.map_or_else(String::new, |element| format!("{element}."));
                let variable = variable(&format!("{}.{element}{key}", section.name));
                assert!(variables.insert(variable.clone()), "{variable} stands for two keys");
            }
        }
    }

    #[test]
    fn every_default_and_every_example_can_be_read() {
        for setting in SECTIONS.iter().flat_map(|section| section.settings) {
            if let Fallback::Text(text) = setting.fallback() {
                setting.check(text).unwrap_or_else(|unreadable| panic!("default of {}: {}", setting.key(), unreadable.problem));
            }
            if !setting.example().is_empty() {
                setting
                    .check(setting.example())
                    .unwrap_or_else(|unreadable| panic!("example of {}: {}", setting.key(), unreadable.problem));
            }
        }
    }

    #[test]
    fn every_setting_shows_what_a_value_looks_like() {
        for section in SECTIONS {
            assert_eq!(Section::named(section.name).map(|found| found.name), Some(section.name));
            for setting in section.settings {
                assert!(!setting.doc().is_empty(), "{}.{}", section.name, setting.key());
                let shown = matches!(setting.fallback(), Fallback::Text(_)) || !setting.example().is_empty();
                assert!(shown, "{}.{} has neither a default nor an example", section.name, setting.key());
            }
        }
    }

    #[test]
    fn names_fit_into_urls_and_variables() {
        for good in ["github", "my-idp", "my_idp", "a", "2nd"] {
            assert_eq!(name_problem(good), None, "{good}");
        }
        for bad in ["", "GitHub", "a b", "a/b", "a.b", "-a", "ä", "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz"] {
            assert!(name_problem(bad).is_some(), "{bad}");
        }
    }
}
