//! The challenge of an API that wants a stronger or a fresher login. [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)

use oauth2flow_protocol::step_up::Challenge;

/// A challenge demands something, and only what fits into an authorization request.
pub fn step_up(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Some(challenge) = Challenge::parse(text) else { return false };
    // A quoted string may have a backslash before any of its characters.
    assert!(text.replace('\\', "").contains("insufficient_user_authentication"), "{text:?}");
    for value in &challenge.acr_values {
        assert!(!value.is_empty() && !value.contains(char::is_whitespace) && !value.contains(char::is_control), "{value:?}");
    }
    assert_eq!(Challenge::parse(text), Some(challenge));
    true
}
