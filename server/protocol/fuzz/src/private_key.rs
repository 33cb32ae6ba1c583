//! The client's own private key, as somebody has pasted it.

use oauth2flow_protocol::signing_key::SigningKey;

/// What is published of a key is its public half, and what is printed of it is less.
pub fn private_key(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Ok(key) = SigningKey::from_pem(text, None, None) else { return false };
    let public = key.public_jwk();
    let members = public.as_object().unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(!members.contains_key(private), "{private} is published");
    }
    assert_eq!(members["use"], "sig");
    assert_eq!(members["kid"], key.key_id());
    assert!(!key.algorithms().is_empty(), "signs nothing");
    let printed = format!("{key:?}");
    let body = text.lines().filter(|line| line.len() >= 16 && !line.starts_with('-'));
    assert!(body.into_iter().all(|line| !printed.contains(line)), "the key is printed");
    true
}
