//! What of a message may be kept: names that are known to be harmless with their values, and of everything else the length and a
//! fingerprint.
//!
//! Providers repeat in their texts what they were sent, so what is shown is also compared with the secrets that went by before: a value
//! that has eight characters in a row in common with one of them, as it is or in base64, is hidden as a whole.

use axum::http::{HeaderMap, header};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use oauth2flow_app::flow::{DecodedToken, Parameter, ParameterValue, Place};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{collections::HashSet, fmt::Write as _};
use url::Url;
use zeroize::Zeroizing;

/// How many parameters of a message are kept.
pub(crate) const MAXIMUM_PARAMETERS: usize = 32;
/// How many characters of a name and of a value are kept.
const MAXIMUM_NAME: usize = 64;
const MAXIMUM_VALUE: usize = 256;
/// A common part of a shown text and a secret that is shorter is chance.
const WINDOW: usize = 8;
/// A secret that is shorter can be part of any word, and nobody issues one.
const SHORTEST_SECRET: usize = 4;
/// How many bytes of secrets are compared with. Who sends more has every text hidden.
const MAXIMUM_SECRET_BYTES: usize = 64 * 1024;
/// A larger token is not taken apart.
const MAXIMUM_TOKEN_BYTES: usize = 32 * 1024;

/// The parameters that are shown. All others are hidden, those above all that nobody here knows.
const SHOWN: [&str; 49] = [
    "accept",
    "access_type",
    "acr_values",
    "allow_signup",
    "audience",
    "authorization_scheme",
    "client_assertion_type",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "content-type",
    "cookie_attributes",
    "display",
    "dpop_jkt",
    "error",
    "error_description",
    "error_uri",
    "everywhere",
    "expires_in",
    "grant_type",
    "include_granted_scopes",
    "iss",
    "issued_token_type",
    "keys",
    "login_hint",
    "logout_hint",
    "max_age",
    "message",
    "not-before-policy",
    "page",
    "per_page",
    "post_logout_redirect_uri",
    "prompt",
    "provider",
    "redirect_uri",
    "refresh_expires_in",
    "refresh_token_expires_in",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "return_to",
    "scope",
    "subject_token_type",
    "title",
    "token_type",
    "token_type_hint",
    "ui_locales",
    "upstream",
];

/// The parameters that are secrets, or hold some.
const SECRET: [&str; 21] = [
    "access_token",
    "actor_token",
    "assertion",
    "authorization",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "device_secret",
    "dpop",
    "id_token",
    "id_token_hint",
    "logout_token",
    "nonce",
    "refresh_token",
    "request",
    "response",
    "state",
    "subject_token",
    "token",
];

/// Claims that tie a token to a login or a session of the provider: whoever has one has a part of a proof.
const HIDDEN_CLAIMS: [&str; 4] = ["nonce", "sid", "jti", "session_state"];

/// The secrets that went by, for as long as somebody is at work with them.
#[derive(Default)]
pub(crate) struct Secrets {
    windows: HashSet<[u8; WINDOW]>,
    short: Vec<Zeroizing<String>>,
    bytes: usize,
}

impl Secrets {
    /// Remembers one.
    fn learn(&mut self, secret: &str) {
        if secret.len() < SHORTEST_SECRET || self.overflows() {
            return;
        }
        self.bytes += secret.len();
        if self.overflows() {
            return;
        }
        if secret.len() < WINDOW {
            self.short.push(Zeroizing::new(secret.to_owned()));
            return;
        }
        self.add_windows(secret.as_bytes());
        // In base64 it looks another way behind one or two other bytes.
        for shift in 0..3_usize {
            let shifted = Zeroizing::new([&[0; 2][..shift], secret.as_bytes()].concat());
            for encoded in [STANDARD_NO_PAD.encode(&*shifted), URL_SAFE_NO_PAD.encode(&*shifted)].map(Zeroizing::new) {
                // The characters at both ends depend on the neighbours.
                let inner = encoded.as_bytes().get(shift + usize::from(shift > 0)..encoded.len() - 1).unwrap_or_default();
                self.add_windows(inner);
            }
        }
    }

    fn add_windows(&mut self, bytes: &[u8]) {
        self.windows.extend(bytes.windows(WINDOW).filter_map(|window| <[u8; WINDOW]>::try_from(window).ok()));
    }

    const fn overflows(&self) -> bool {
        self.bytes > MAXIMUM_SECRET_BYTES
    }

    /// Whether a text holds a part of a secret, as it is or percent-encoded.
    fn touch(&self, text: &str) -> bool {
        let holds = |bytes: &[u8]| {
            bytes.windows(WINDOW).any(|window| self.windows.contains(window))
                || self.short.iter().any(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
        };
        self.overflows() || holds(text.as_bytes()) || text.contains('%') && holds(&percent_decoded(text))
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped =
            after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(escaped) = escaped.filter(|_| byte == b'%') {
            decoded.push(escaped);
            rest = &after[2..];
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    decoded
}

/// Makes fingerprints with a key that nobody else has.
pub(crate) struct Fingerprints(Zeroizing<[u8; 32]>);

impl Fingerprints {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn hidden(&self, value: &str) -> ParameterValue {
        let hash = Sha256::new().chain_update(*self.0).chain_update(value).finalize();
        let fingerprint = hash.iter().take(4).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        ParameterValue::Hidden { length: value.len() as u64, fingerprint }
    }
}

/// The parameters of a message before it is known what of them may be kept.
#[derive(Default)]
pub(crate) struct Draft(Vec<Raw>);

struct Raw {
    name: String,
    place: Place,
    value: Zeroizing<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// To be hidden, and nowhere else to be seen.
    Secret,
    /// To be hidden.
    Hidden,
    /// To be shown, unless it holds a secret.
    Shown,
}

impl Draft {
    fn push(&mut self, name: &str, place: Place, value: &str, kind: Kind) {
        // One more than is kept says that there were more; what there is beyond that need not be looked at.
        self.0.push(Raw { name: name.to_owned(), place, value: Zeroizing::new(value.to_owned()), kind });
    }

    /// A parameter by its name.
    pub(crate) fn add(&mut self, name: &str, place: Place, value: &str) {
        let kind = if SHOWN.contains(&name) {
            Kind::Shown
        } else if SECRET.contains(&name) || looks_like_a_token(value) {
            Kind::Secret
        } else {
            Kind::Hidden
        };
        self.push(name, place, value, kind);
    }

    /// A secret, whatever its name.
    pub(crate) fn add_secret(&mut self, name: &str, place: Place, value: &str) {
        self.push(name, place, value, Kind::Secret);
    }

    /// Something that describes a message, and is no secret.
    pub(crate) fn add_shown(&mut self, name: &str, place: Place, value: &str) {
        self.push(name, place, value, Kind::Shown);
    }

    /// The parameters of a query or a form.
    pub(crate) fn add_form(&mut self, place: Place, form: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(form) {
            self.add(&name, place, &value);
        }
    }

    /// The value of `Authorization`: the scheme is no secret.
    pub(crate) fn add_authorization(&mut self, value: &str) {
        let (scheme, credentials) = value.split_once(' ').unwrap_or(("", value));
        if !scheme.is_empty() {
            self.add_shown("authorization_scheme", Place::Header, scheme);
        }
        if scheme.eq_ignore_ascii_case("basic")
            && let Some(decoded) = base64::engine::general_purpose::STANDARD.decode(credentials).ok().map(Zeroizing::new)
            && let Ok(decoded) = std::str::from_utf8(&decoded)
            && let Some((_, secret)) = decoded.split_once(':')
        {
            // The whole of it holds the client's id, too, which is shown elsewhere.
            self.push("authorization", Place::Header, secret, Kind::Secret);
            return;
        }
        self.push("authorization", Place::Header, credentials, Kind::Secret);
    }

    /// The header fields of a request that say something about the flow.
    pub(crate) fn add_headers(&mut self, headers: &HeaderMap) {
        for name in [header::AUTHORIZATION.as_str(), "dpop", header::CONTENT_TYPE.as_str()] {
            let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
            self.add_header(name, value);
        }
    }

    /// One of them.
    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        if name == "authorization" { self.add_authorization(value) } else { self.add(name, Place::Header, value) }
    }

    /// The members of an answer of a server that issues tokens.
    pub(crate) fn add_members(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            self.add(name, Place::Body, &text_of(value));
        }
    }

    /// The claims of a token, or of a description of the user.
    pub(crate) fn add_claims(&mut self, place: Place, claims: &Map<String, Value>) {
        for (name, value) in claims {
            let is_hidden = HIDDEN_CLAIMS.contains(&name.as_str()) || ["token", "secret", "passw"].iter().any(|part| name.contains(part));
            self.push(name, place, &text_of(value), if is_hidden { Kind::Hidden } else { Kind::Shown });
        }
    }

    /// Keeps what may be kept, and answers how many parameters were too many.
    pub(crate) fn redact(self, secrets: &mut Secrets, fingerprints: &Fingerprints) -> (Vec<Parameter>, u32) {
        for raw in self.0.iter().filter(|raw| raw.kind == Kind::Secret) {
            secrets.learn(&raw.value);
        }
        let surplus = self.0.len().saturating_sub(MAXIMUM_PARAMETERS);
        let kept = self.0.into_iter().take(MAXIMUM_PARAMETERS).map(|raw| {
            let name = if secrets.touch(&raw.name) { String::from("…") } else { beginning(&raw.name, MAXIMUM_NAME) };
            let value =
                if raw.kind == Kind::Shown && !secrets.touch(&raw.value) { shown(&raw.value) } else { fingerprints.hidden(&raw.value) };
            Parameter { name, place: raw.place, value }
        });
        (kept.collect(), u32::try_from(surplus).unwrap_or(u32::MAX))
    }
}

/// A text that somebody else may have written, with nothing secret in it.
pub(crate) fn text(text: &str, secrets: &Secrets) -> String {
    if secrets.touch(text) { String::from("…") } else { beginning(text, MAXIMUM_VALUE) }
}

/// An address without its query, and without anything secret.
pub(crate) fn address(url: &Url, secrets: &Secrets) -> String {
    let address = format!("{}{}", url.origin().ascii_serialization(), url.path());
    if secrets.touch(&address) { url.origin().ascii_serialization() } else { beginning(&address, MAXIMUM_VALUE) }
}

/// What the checks of a token look at. Of one that does not hold only this is shown: whoever brings somebody else's code is not to learn
/// from it who that is.
const JUDGED: [&str; 12] = ["acr", "amr", "at_hash", "aud", "auth_time", "azp", "exp", "iat", "iss", "jti", "nbf", "nonce"];

/// Takes a token apart, whether or not it holds.
pub(crate) fn decode(
    token: &str,
    holds: bool,
    secrets: &mut Secrets,
    fingerprints: &Fingerprints,
) -> Option<(DecodedToken, Map<String, Value>)> {
    if token.len() > MAXIMUM_TOKEN_BYTES {
        return None;
    }
    secrets.learn(token);
    let mut parts =
        token.split('.').map(|part| -> Option<Map<String, Value>> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() });
    let (header, claims) = (parts.next()??, parts.next()??);
    let mut draft = Draft::default();
    for (name, value) in &header {
        draft.add_shown(name, Place::Header, &text_of(value));
    }
    let header = draft.redact(secrets, fingerprints).0;
    let mut draft = Draft::default();
    draft.add_claims(Place::Claim, &claims);
    let mut shown = draft.redact(secrets, fingerprints).0;
    for claim in shown.iter_mut().filter(|claim| !holds && !JUDGED.contains(&claim.name.as_str())) {
        claim.value = fingerprints.hidden(&claims.get(&claim.name).map(text_of).unwrap_or_default());
    }
    Some((DecodedToken { header, claims: shown }, claims))
}

/// A value as text: JSON for what is none.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn looks_like_a_token(value: &str) -> bool {
    value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+=".contains(&byte))
}

fn shown(value: &str) -> ParameterValue {
    let start = beginning(value, MAXIMUM_VALUE);
    if start.len() == value.len() { ParameterValue::Shown(start) } else { ParameterValue::Shortened { start, length: value.len() as u64 } }
}

fn beginning(text: &str, maximum_characters: usize) -> String {
    text.chars().take(maximum_characters).collect()
}

#[cfg(test)]
mod tests {
    use super::{Draft, Fingerprints, MAXIMUM_PARAMETERS, MAXIMUM_SECRET_BYTES, SECRET, SHOWN, Secrets, decode, text};
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    use oauth2flow_app::flow::{Parameter, ParameterValue, Place};

    fn redact(secrets: &mut Secrets, pairs: &[(&str, &str)]) -> Vec<Parameter> {
        let mut draft = Draft::default();
        for (name, value) in pairs {
            draft.add(name, Place::Body, value);
        }
        draft.redact(secrets, &Fingerprints::new([7; 32])).0
    }

    fn is_hidden(parameter: &Parameter) -> bool {
        matches!(parameter.value, ParameterValue::Hidden { .. })
    }

    #[test]
    fn no_parameter_is_shown_and_a_secret() {
        assert!(SECRET.iter().all(|name| !SHOWN.contains(name)));
    }

    #[test]
    fn what_nobody_knows_is_hidden() {
        let parameters = redact(&mut Secrets::default(), &[("token_type", "Bearer"), ("x_ticket", "abc"), ("code", "abcdefgh")]);
        assert_eq!(parameters.iter().map(is_hidden).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn the_same_secret_has_the_same_fingerprint_and_another_key_makes_another() {
        let first = redact(&mut Secrets::default(), &[("state", "s-1"), ("state", "s-1"), ("state", "s-2")]);
        assert_eq!(first[0], first[1]);
        assert_ne!(first[0], first[2]);
        assert_ne!(Fingerprints::new([7; 32]).hidden("s-1"), Fingerprints::new([8; 32]).hidden("s-1"));
    }

    #[test]
    fn a_text_that_repeats_a_part_of_a_secret_is_hidden() {
        let secret = "Zm9vYmFy.n0t-4-w0rd/that+is=known";
        let mut secrets = Secrets::default();
        redact(&mut secrets, &[("client_secret", secret)]);
        let percent_encoded = secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        let repeated = [
            secret.to_owned(),
            format!("bad secret {}…", &secret[9..17]),
            format!("x{}", STANDARD.encode(secret)),
            STANDARD.encode(format!("id:{secret}")),
            URL_SAFE_NO_PAD.encode(format!("ab{secret}")),
            percent_encoded,
        ];
        for echo in repeated {
            assert!(is_hidden(&redact(&mut secrets, &[("error_description", &echo)])[0]), "{echo}");
            assert_eq!(text(&echo, &secrets), "…");
        }
        assert!(
            !is_hidden(&redact(&mut secrets, &[("error_description", "The code n0t-4-w is unknown.")])[0]),
            "seven in common are chance"
        );
    }

    #[test]
    fn the_order_of_the_parameters_does_not_matter() {
        let parameters = redact(&mut Secrets::default(), &[("error_description", "not 0123456789"), ("code", "0123456789")]);
        assert!(is_hidden(&parameters[0]));
    }

    #[test]
    fn short_secrets_are_found_as_well() {
        let mut secrets = Secrets::default();
        redact(&mut secrets, &[("code", "4711X")]);
        assert_eq!(text("no 4711X here", &secrets), "…");
        assert_eq!(text("no 4711 here", &secrets), "no 4711 here");
    }

    #[test]
    fn who_sends_more_secrets_than_can_be_compared_has_everything_hidden() {
        let mut secrets = Secrets::default();
        let long = "a".repeat(MAXIMUM_SECRET_BYTES + 1);
        assert!(is_hidden(&redact(&mut secrets, &[("error", "harmless"), ("access_token", &long)])[0]));
    }

    #[test]
    fn everything_has_an_end() {
        let long = "ü".repeat(10_000);
        let pairs = vec![("error_description", long.as_str()); 100];
        let parameters = redact(&mut Secrets::default(), &pairs);
        assert_eq!(parameters.len(), MAXIMUM_PARAMETERS);
        let ParameterValue::Shortened { start, length } = &parameters[0].value else { panic!("{:?}", parameters[0]) };
        assert_eq!((start.chars().count(), *length), (256, 20_000));
    }

    #[test]
    fn a_token_is_taken_apart_without_its_signature_and_its_nonce() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let token = format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"ES256"}"#), part(r#"{"sub":"a1","nonce":"n-0S6_WzA2Mj"}"#));
        let (decoded, claims) = decode(&token, true, &mut Secrets::default(), &Fingerprints::new([7; 32])).unwrap();
        assert_eq!(claims["sub"], "a1");
        let written = serde_json::to_string(&decoded).unwrap();
        assert!(written.contains("ES256") && written.contains("a1"));
        assert!(!written.contains("n-0S6_WzA2Mj") && !written.contains("c2lnbmF0dXJl"), "{written}");
        assert!(decode("no token", true, &mut Secrets::default(), &Fingerprints::new([7; 32])).is_none());
    }
}
