//! A resource server that wants a better or a more recent login. [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)

use std::time::Duration;

use jiff::Timestamp;

use crate::id_token::{CLOCK_LEEWAY, whole_seconds};

/// The longest header read, in bytes.
pub const MAXIMUM_CHALLENGE_BYTES: usize = 8 * 1024;

/// What a login has to be like. [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// How the user may be authenticated, the best way first; empty when any will do.
    pub acr_values: Vec<String>,
    /// How long ago the user may have been authenticated.
    pub max_age: Option<Duration>,
}

/// What a login must have been like for some resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// How the user may have been authenticated; empty when any way will do.
    pub acr_values: Vec<String>,
    /// How long ago the user may have been authenticated.
    pub max_age: Option<Duration>,
}

impl Requirements {
    /// Whether a login was like that. In this order:
    ///
    /// 1. `acr` is one of the values, where there are any. Which is better than which only the provider knows, so none stands for
    ///    another.
    /// 2. `auth_time` is there, neither in the future nor longer ago than `max_age`, but for [`CLOCK_LEEWAY`]: with it, a `max_age` of 0
    ///    can be met at all.
    ///
    /// # Errors
    /// What to ask the provider for: everything, since the next login has to meet all of it.
    pub fn met_by(&self, acr: Option<&str>, auth_time: Option<Timestamp>, now: Timestamp) -> Result<(), Challenge> {
        let acr_fits = self.acr_values.is_empty() || self.acr_values.iter().any(|value| acr == Some(value.as_str()));
        let is_recent = self.max_age.is_none_or(|max_age| {
            auth_time.is_some_and(|auth_time| {
                let age = now.as_second() - auth_time.as_second();
                let leeway = whole_seconds(CLOCK_LEEWAY);
                (-leeway..=whole_seconds(max_age) + leeway).contains(&age)
            })
        });
        if acr_fits && is_recent { Ok(()) } else { Err(self.into()) }
    }
}

impl From<&Requirements> for Challenge {
    fn from(requirements: &Requirements) -> Self {
        Self { acr_values: requirements.acr_values.clone(), max_age: requirements.max_age }
    }
}

impl Challenge {
    /// Reads the challenge that asks for another login from a `WWW-Authenticate` header, of which a response may have several,
    /// joined with commas; `None` when there is none, or when the header cannot be read. In this order:
    ///
    /// 1. The header has at most [`MAXIMUM_CHALLENGE_BYTES`], and is a list of challenges
    ///    ([RFC 9110 §11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1)), in none of which a parameter is repeated.
    /// 2. The first one counts whose scheme is `Bearer` or `DPoP` and whose `error` is `insufficient_user_authentication`.
    /// 3. Its `max_age`, where present, is a number of seconds.
    ///
    /// [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
    pub fn parse(www_authenticate: &str) -> Option<Self> {
        if www_authenticate.len() > MAXIMUM_CHALLENGE_BYTES {
            return None;
        }
        let challenges = Reader { rest: www_authenticate }.challenges()?;
        let challenge = challenges.iter().find(|challenge| {
            let scheme = challenge.scheme;
            let is_known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop");
            is_known && challenge.parameter("error") == Some("insufficient_user_authentication")
        })?;
        let max_age = match challenge.parameter("max_age") {
            // `parse` alone would take a sign.
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Duration::from_secs(text.parse().ok()?)),
            Some(_) => return None,
            None => None,
        };
        let acr_values = challenge.parameter("acr_values").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        Some(Self { acr_values, max_age })
    }
}

/// One challenge of a header, of whatever scheme.
struct AnyChallenge<'a> {
    scheme: &'a str,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl AnyChallenge<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Adds a parameter, unless it is there already.
    fn insert(&mut self, name: &str, value: String) -> Option<()> {
        let name = name.to_ascii_lowercase();
        if self.parameter(&name).is_some() {
            return None;
        }
        self.parameters.push((name, value));
        Some(())
    }
}

/// Reads `WWW-Authenticate`: challenges and their parameters are separated by the same comma.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn challenges(mut self) -> Option<Vec<AnyChallenge<'a>>> {
        let mut challenges: Vec<AnyChallenge<'a>> = Vec::new();
        loop {
            // Elements of a list may be empty: RFC 9110 §5.6.1.2.
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if self.rest.is_empty() {
                return Some(challenges);
            }
            let name = self.token()?;
            if let Some(value) = self.value()? {
                // `name=value` after a comma goes on with the challenge before.
                challenges.last_mut()?.insert(name, value)?;
            } else {
                let mut challenge = AnyChallenge { scheme: name, parameters: Vec::new() };
                self.first_parameter(&mut challenge)?;
                challenges.push(challenge);
            }
            self.skip_blanks();
            if !self.rest.is_empty() && !self.rest.starts_with(',') {
                return None;
            }
        }
    }

    /// What follows a scheme directly: nothing, one `token68`, or the first parameter.
    fn first_parameter(&mut self, challenge: &mut AnyChallenge<'a>) -> Option<()> {
        if !self.rest.starts_with(' ') {
            return Some(());
        }
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(',') {
            return Some(());
        }
        let before = self.rest;
        if let Some(name) = self.token()
            && let Some(value) = self.value()?
        {
            return challenge.insert(name, value);
        }
        self.rest = before.trim_start_matches(|character: char| character.is_ascii_alphanumeric() || "-._~+/".contains(character));
        let is_token68 = self.rest.len() < before.len();
        self.rest = self.rest.trim_start_matches('=');
        is_token68.then_some(())
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token).filter(|token| !token.is_empty())
    }

    /// `= value`, quoted or not; nothing when there is no `=` with a value, in which case nothing is read; `None` when what is
    /// there is no value.
    #[expect(clippy::option_option, reason = "nothing there, and nothing that can be read, are two things")]
    fn value(&mut self) -> Option<Option<String>> {
        let Some(rest) = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=') else { return Some(None) };
        let rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() || rest.starts_with(['=', ',']) {
            // The padding of a `token68`.
            return Some(None);
        }
        self.rest = rest;
        if rest.starts_with('"') { self.quoted().map(Some) } else { self.token().map(|token| Some(token.to_owned())) }
    }

    /// A quoted string, [RFC 9110 §5.6.4](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4).
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[index + 1..];
                    return Some(text);
                }
                '\\' => text.push(characters.next().filter(|(_, character)| is_text(*character))?.1),
                character if is_text(character) => text.push(character),
                _ => return None,
            }
        }
        None
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

/// Whether a quoted string may hold the character: anything that is no control character, and the tab.
fn is_text(character: char) -> bool {
    character == '\t' || !character.is_control()
}
