//! The answer to a pushed authorization request. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)

use oauth2flow_protocol::par;
use url::Url;

use super::stand_in::{CLIENT_ID, metadata, now, provider, read_response, transaction, with_context};

/// What the browser is sent to says who asks and what was pushed, and nothing else.
pub fn pushed_request(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let transaction = transaction(provider());
    let (_, pending) = with_context(|context| par::request(provider(), metadata(), &transaction, context)).unwrap();
    let Ok(pushed) = pending.process(&response, now()) else { return false };
    assert_eq!(response.status, 201);
    let url = Url::parse(&par::authorization_url(pushed)).unwrap();
    assert_eq!(url.origin(), metadata().authorization_endpoint.origin());
    assert_eq!(url.path(), metadata().authorization_endpoint.path());
    let mut parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    parameters.sort();
    assert_eq!(parameters.len(), 2, "{url}");
    assert_eq!(parameters[0], ("client_id".to_owned(), CLIENT_ID.to_owned()));
    assert_eq!(parameters[1].0, "request_uri");
    assert!(!parameters[1].1.is_empty());
    true
}
