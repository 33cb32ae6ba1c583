//! What is said in an experiment, written down and redacted as the X-ray does it.

use crate::{
    entropy::{Entropy, random},
    flow::redaction::{self, Draft, Fingerprints, Secrets},
};
use oauth2flow_app::{
    flow::{Channel, Check, CheckOutcome, Parameter, Place},
    lab::{LabMessage, LabMessageName, LabParty},
};
use oauth2flow_protocol::{IdToken, OutboundRequest, OutboundResponse};
use serde_json::Value;
use url::Url;

/// The messages so far.
pub(super) struct Trace {
    messages: Vec<LabMessage>,
    secrets: Secrets,
    fingerprints: Fingerprints,
}

/// A message that is about to be written down.
pub(super) struct Said {
    name: LabMessageName,
    from: LabParty,
    to: LabParty,
    method: Option<&'static str>,
    address: Option<Url>,
    status: Option<u16>,
    parameters: Draft,
}

impl Said {
    /// A message that says nothing yet.
    pub(super) fn new(name: LabMessageName, from: LabParty, to: LabParty) -> Self {
        Self { name, from, to, method: None, address: None, status: None, parameters: Draft::default() }
    }

    /// It opens an address.
    pub(super) fn get(self, url: &Url) -> Self {
        Self { method: Some("GET"), ..self.about(url) }
    }

    /// It is about an address.
    pub(super) fn about(mut self, url: &Url) -> Self {
        self.parameters.add_form(Place::Query, url.query().unwrap_or_default().as_bytes());
        Self { address: Some(url.clone()), ..self }
    }

    /// It is an answer.
    pub(super) fn answer(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// A cookie goes with it.
    pub(super) fn cookie(mut self, name: &str, value: &str) -> Self {
        self.parameters.add_secret(name, Place::Cookie, value);
        self
    }

    /// It says something that everybody may know.
    pub(super) fn says(mut self, name: &str, place: Place, value: &str) -> Self {
        self.parameters.add_shown(name, place, value);
        self
    }

    /// The code is in it, and nothing else of interest.
    pub(super) fn code(mut self, code: &str) -> Self {
        self.parameters.add("code", Place::Query, code);
        self
    }

    /// It is a request from server to server.
    pub(super) fn request(mut self, request: &OutboundRequest) -> Self {
        for (header, value) in &request.headers {
            self.parameters.add_header(header, value);
        }
        self.parameters.add_form(Place::Body, request.body.as_deref().unwrap_or_default().as_bytes());
        Self { method: Some(request.method.as_str()), ..self.about(&request.url) }
    }

    /// It is the answer to one.
    pub(super) fn response(mut self, response: &OutboundResponse) -> Self {
        if let Ok(Value::Object(members)) = serde_json::from_slice(&response.body) {
            self.parameters.add_members(&members);
        }
        self.answer(response.status)
    }

    /// It is a description of the user.
    pub(super) fn description(mut self, response: &OutboundResponse) -> Self {
        if let Ok(Value::Object(claims)) = serde_json::from_slice(&response.body) {
            self.parameters.add_claims(Place::Body, &claims);
        }
        self.answer(response.status)
    }
}

/// Whether a message passes through a browser.
const fn channel(from: LabParty, to: LabParty) -> Channel {
    match (from, to) {
        (LabParty::Attacker | LabParty::Victim, _) | (_, LabParty::Attacker | LabParty::Victim) => Channel::Front,
        _ => Channel::Back,
    }
}

impl Trace {
    /// Nothing has been said.
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self { messages: Vec::new(), secrets: Secrets::default(), fingerprints: Fingerprints::new(random(entropy)) }
    }

    /// Writes a message down, and answers its number.
    pub(super) fn note(&mut self, said: Said) -> u32 {
        let Said { name, from, to, method, address, status, parameters } = said;
        let (parameters, _) = parameters.redact(&mut self.secrets, &self.fingerprints);
        let number = u32::try_from(self.messages.len() + 1).unwrap_or(u32::MAX);
        self.messages.push(LabMessage {
            number,
            name,
            from,
            to,
            channel: channel(from, to),
            method: method.map(str::to_owned),
            address: address.map(|address| redaction::address(&address, &self.secrets)),
            status,
            parameters,
            checks: Vec::new(),
        });
        number
    }

    /// Notes what its receiver found out about a message.
    pub(super) fn judge(&mut self, number: u32, mut checks: Vec<Check>) {
        for check in &mut checks {
            if let CheckOutcome::Failed { reason, .. } = &mut check.outcome {
                *reason = redaction::text(reason, &self.secrets);
            }
        }
        if let Some(message) = self.message(number) {
            message.checks.extend(checks);
        }
    }

    /// Shows what is in the ID token that a message brought.
    pub(super) fn take_apart(&mut self, number: u32, token: &IdToken) {
        // In the sandbox it is no secret whose it is.
        let decoded = redaction::decode(token.expose(), true, &mut self.secrets, &self.fingerprints);
        let claims: Vec<Parameter> = decoded.map(|(decoded, _)| decoded.claims).unwrap_or_default();
        if let Some(message) = self.message(number) {
            message.parameters.extend(claims);
        }
    }

    /// All that was said.
    pub(super) fn into_messages(self) -> Vec<LabMessage> {
        self.messages
    }

    fn message(&mut self, number: u32) -> Option<&mut LabMessage> {
        self.messages.iter_mut().find(|message| message.number == number)
    }
}
