//! The parameters of a query or a form, as OAuth wants them read.

use std::collections::{BTreeMap, BTreeSet};

/// Decoded parameters.
///
/// A parameter without a value counts as absent, and one that is sent twice is no parameter at all
/// ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded` text.
    pub(crate) fn parse(encoded: &str) -> Self {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            if parameters.values.contains_key(&*name) {
                parameters.repeated.insert(name.into_owned());
            } else {
                parameters.values.insert(name.into_owned(), value.into_owned());
            }
        }
        parameters
    }

    /// Takes parameters that are named once for certain, as the members of a JSON object are.
    pub(crate) fn from_members(members: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { values: members.into_iter().collect(), repeated: BTreeSet::new() }
    }

    /// The value of a parameter that is there once and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        if self.repeated.contains(name) {
            return None;
        }
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether any parameter is there more than once.
    pub(crate) fn any_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_have_no_value() {
        let parameters = Parameters::parse("a=1&b=2&a=1");
        assert_eq!(parameters.get("a"), None);
        assert_eq!(parameters.get("b"), Some("2"));
        assert!(parameters.any_repeated());
    }

    #[test]
    fn an_encoded_name_repeats_the_plain_one() {
        assert!(Parameters::parse("state=1&st%61te=2").any_repeated());
    }

    #[test]
    fn empty_parameters_are_absent() {
        let parameters = Parameters::parse("state=&&=&nonce");
        assert_eq!(parameters.get("state"), None);
        assert_eq!(parameters.get("nonce"), None);
    }

    #[test]
    fn any_bytes_can_be_read() {
        assert_eq!(Parameters::parse("a=%ff%zz+%2B").get("a"), Some("\u{fffd}%zz +"));
    }
}
