//! What a provider says about a user: JSON, a signed token, or GitHub's list of addresses.

use oauth2flow_protocol::{User, access::MAXIMUM_FACTS_BYTES, userinfo};
use url::Url;

use super::id_token;
use super::stand_in::{ISSUER, SUBJECT, assert_is_plain, keys, metadata, now, provider, read_response, sign};

fn assert_is_the_user(user: &User) {
    assert_eq!((user.issuer.as_str(), user.sub.as_str()), (ISSUER, SUBJECT));
    for text in [&user.name, &user.login, &user.email].into_iter().flatten() {
        assert!(!text.is_empty());
        assert_is_plain(text);
    }
    assert!(user.email_verified.is_none() || user.email.is_some(), "no address is verified");
    let kept = [&user.facts.groups, &user.facts.roles].into_iter().flat_map(|known| &known.values);
    assert!(kept.map(String::len).sum::<usize>() <= MAXIMUM_FACTS_BYTES);
    if let Some(picture) = &user.picture {
        let url = Url::parse(picture).unwrap();
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
            || url.host_str().is_some_and(|host| host.starts_with("127."));
        assert!(url.scheme() == "https" || (url.scheme() == "http" && is_local), "{picture}");
    }
}

/// Only a description of the ID token's subject is accepted, whatever form it has, and it is text that can be shown.
pub fn userinfo(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let user = userinfo::process(&response, provider(), metadata(), Some(keys()), Some(id_token::of_the_login()), now());
    user.inspect(assert_is_the_user).is_ok()
}

/// The same of a description that the provider has signed.
pub fn userinfo_claims(input: &[u8]) -> bool {
    let head = b"200 application/jwt\n";
    userinfo(&[head.as_slice(), sign("JWT", input).as_bytes()].concat())
}

/// An address is one that the provider calls primary and verified.
pub fn emails(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let Ok(Some(email)) = userinfo::process_emails(&response) else { return false };
    assert_eq!(response.status, 200);
    assert!(!email.is_empty());
    assert_is_plain(&email);
    let list: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let is_chosen = |entry: &serde_json::Value| entry["primary"] == true && entry["verified"] == true;
    assert!(list.as_array().unwrap().iter().any(is_chosen), "{list}");
    true
}
