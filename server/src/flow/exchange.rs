//! What goes from server to server: requests to the provider, and its answers.

use super::{Draft, Recorder, Sent, current, redaction, verdict};
use crate::outbound::OutboundError;
use oauth2flow_app::flow::{CheckName, MessageName, Place};
use oauth2flow_protocol::{
    JwkSet, Method, OutboundRequest, OutboundResponse, ProviderMetadata, discovery::DiscoveryError, jwks::JwksError,
};
use serde_json::Value;

/// Has a request to a provider sent, and recorded with what becomes of it, if anything records.
pub(crate) async fn recorded<F>(
    request: OutboundRequest,
    send: impl FnOnce(OutboundRequest) -> F,
) -> Result<OutboundResponse, OutboundError>
where
    F: Future<Output = Result<OutboundResponse, OutboundError>>,
{
    let recorded = begin(&request);
    let answered = send(request).await;
    if let Some(recorded) = recorded {
        recorded.end(&answered);
    }
    answered
}

/// A request that has been sent.
struct Exchange {
    recorder: Recorder,
    request: Option<u32>,
    answer: MessageName,
}

/// Records a request to a provider, if anything does.
fn begin(request: &OutboundRequest) -> Option<Exchange> {
    let recorder = current()?;
    let (name, answer) = names(request);
    let mut parameters = Draft::default();
    parameters.add_form(Place::Query, request.url.query().unwrap_or_default().as_bytes());
    for (header, value) in &request.headers {
        parameters.add_header(header, value);
    }
    add_body(&mut parameters, request.header("content-type"), request.body.as_deref().unwrap_or_default().as_bytes());
    let address = redaction::address(&request.url, &recorder.secrets());
    let method = Some(request.method.as_str().to_owned());
    let request = recorder.message(Sent { method, address: Some(address), parameters, ..Sent::new(name) });
    Some(Exchange { recorder, request, answer })
}

impl Exchange {
    /// Records what became of it.
    fn end(self, answered: &Result<OutboundResponse, OutboundError>) {
        let response = match answered {
            Ok(response) => response,
            Err(error) => return self.recorder.ended(self.request, Some(verdict::in_words(error))),
        };
        self.recorder.ended(self.request, None);
        let mut parameters = Draft::default();
        if let Some(content_type) = &response.content_type {
            parameters.add_header("content-type", content_type);
        }
        match self.answer {
            MessageName::UserinfoResponse => add_description(&mut parameters, response),
            MessageName::MetadataResponse | MessageName::JwksResponse => add_public(&mut parameters, &response.body),
            _ => add_body(&mut parameters, response.content_type.as_deref(), &response.body),
        }
        self.recorder.message(Sent { status: Some(response.status), parameters, ..Sent::new(self.answer) });
    }
}

/// What a request is, and what its answer is called: each says by its parameters what it wants.
fn names(request: &OutboundRequest) -> (MessageName, MessageName) {
    use MessageName as Name;
    let body = request.body.as_deref().unwrap_or_default();
    let of_form = |wanted: &str| url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value);
    match (request.method, of_form("grant_type").as_deref()) {
        (Method::Delete, _) => (Name::RevocationRequest, Name::RevocationResponse),
        (Method::Get, _) if request.header("authorization").is_some() => (Name::UserinfoRequest, Name::UserinfoResponse),
        (Method::Get, _) if request.url.path().contains("/.well-known/") && !request.url.path().contains("jwks") => {
            (Name::MetadataRequest, Name::MetadataResponse)
        }
        (Method::Get, _) => (Name::JwksRequest, Name::JwksResponse),
        (Method::Post, Some("refresh_token")) => (Name::RefreshRequest, Name::RefreshResponse),
        (Method::Post, Some("urn:ietf:params:oauth:grant-type:token-exchange")) => {
            (Name::TokenExchangeRequest, Name::TokenExchangeResponse)
        }
        (Method::Post, Some(_)) => (Name::TokenRequest, Name::TokenResponse),
        (Method::Post, None) if of_form("token").is_some() => (Name::RevocationRequest, Name::RevocationResponse),
        (Method::Post, None) => (Name::PushedAuthorizationRequest, Name::PushedAuthorizationResponse),
    }
}

/// A form's fields, or an object's members. Of anything else, such as a page, only that it is there is of interest.
fn add_body(parameters: &mut Draft, content_type: Option<&str>, body: &[u8]) {
    if content_type.is_some_and(|content_type| content_type.starts_with("application/x-www-form-urlencoded")) {
        parameters.add_form(Place::Body, body);
    } else if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        parameters.add_members(&members);
    } else if !body.is_empty() {
        parameters.add("body", Place::Body, &String::from_utf8_lossy(body));
    }
}

/// Who the user is: this is shown to nobody else.
fn add_description(parameters: &mut Draft, response: &OutboundResponse) {
    match serde_json::from_slice(&response.body) {
        Ok(Value::Object(claims)) => parameters.add_claims(Place::Body, &claims),
        Ok(list) => parameters.add_shown("list", Place::Body, &list.to_string()),
        // A signed description proves something.
        Err(_) if !response.body.is_empty() => parameters.add_secret("response", Place::Body, &String::from_utf8_lossy(&response.body)),
        Err(_) => {}
    }
}

/// What everybody may read.
fn add_public(parameters: &mut Draft, body: &[u8]) {
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        for (name, value) in &members {
            parameters.add_shown(name, Place::Body, &redaction::text_of(value));
        }
    }
}

/// The verdict on metadata.
pub(crate) fn metadata(judged: &Result<ProviderMetadata, DiscoveryError>) {
    super::judged(MessageName::MetadataResponse, || verdict::verdicts([(CheckName::Metadata, None)], judged.as_ref().err()));
}

/// The verdict on keys.
pub(crate) fn keys(judged: &Result<JwkSet, JwksError>) {
    super::judged(MessageName::JwksResponse, || verdict::verdicts([(CheckName::ProviderKeys, None)], judged.as_ref().err()));
}
