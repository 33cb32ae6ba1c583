//! Keeping people out: what a rule's answer becomes for the person, for a program, and in the log.

use crate::{
    config::UpstreamConfig,
    error::Failure,
    provider::Registered,
    session::record::{Profile, SessionRecord},
    state::AppState,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2flow_app::{api::User, problem::ProblemCode};
use oauth2flow_protocol::{
    Provider,
    access::{self, Denied, Subject},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Where a rule is in force, as a sentence about it begins.
const APP: &str = "This app";
const API: &str = "This API";

/// Decides whether somebody who has just signed in at the provider may have a session.
///
/// # Errors
/// `not_permitted`, with a sign-in that offers another account.
pub fn require_at_login(registered: &Registered, issuer: &str, profile: &Profile) -> Result<(), Failure> {
    let provider = &*registered.provider;
    access::decide(&provider.access, &profile.facts).map_err(|denied| {
        log(&denied, &provider.id, None, issuer, &profile.user.sub);
        let detail = format!("{} {}", signed_in_as(&provider.name, &profile.user), why(&denied, APP, &provider.name));
        Failure::new(ProblemCode::NotPermitted).detail(detail).login_url(login_with_another_account(provider)).source(denied)
    })
}

/// What the configuration, which may be another one than at the sign-in, makes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Admitted,
    /// The provider's rule keeps it out.
    KeptOut,
    /// Its provider is not configured. It counts again when the provider is there again.
    Dormant,
}

/// Decides whether a session may still be used.
pub fn standing(app: &AppState, session: &SessionRecord) -> Standing {
    let Some(registered) = app.providers.get(&session.provider) else {
        app.absent_providers.note(&session.provider);
        return Standing::Dormant;
    };
    let provider = &*registered.provider;
    match access::decide(&provider.access, &session.profile.facts) {
        Ok(()) => Standing::Admitted,
        Err(denied) => {
            log(&denied, &provider.id, None, &session.issuer, &session.sub);
            Standing::KeptOut
        }
    }
}

/// The providers of sessions that are not configured: each is logged once.
#[derive(Debug, Default)]
pub struct AbsentProviders(Mutex<BTreeSet<String>>);

impl AbsentProviders {
    fn note(&self, provider: &str) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.contains(provider) {
            noted.insert(provider.to_owned());
            tracing::warn!(provider, "people are signed in at a provider that is not configured: their sessions rest until it is again");
        }
    }
}

/// Decides whether the rule of an upstream lets a session's calls through.
///
/// # Errors
/// `not_permitted`, with a sign-in that offers another account.
pub fn require_at_upstream(app: &AppState, upstream: &UpstreamConfig, session: &SessionRecord) -> Result<(), Failure> {
    access::decide(&upstream.access, &session.profile.facts).map_err(|denied| {
        log(&denied, &session.provider, Some(&upstream.name), &session.issuer, &session.sub);
        let provider = app.providers.get(&session.provider).map(|registered| &*registered.provider);
        let name = provider.map_or(session.provider.as_str(), |provider| provider.name.as_str());
        let detail = format!("{} {}", signed_in_as(name, &session.profile.user), why(&denied, API, name));
        let failure = Failure::new(ProblemCode::NotPermitted).detail(detail).source(denied);
        match provider {
            Some(provider) => failure.login_url(login_with_another_account(provider)),
            None => failure,
        }
    })
}

/// For whoever has to know who was kept out: a name for the person that is always the same, and tells nobody who does not know the
/// person's identifier anything.
fn log(denied: &Denied, provider: &str, upstream: Option<&str>, issuer: &str, sub: &str) {
    let user = pseudonym(issuer, sub);
    tracing::warn!(provider, upstream = upstream.unwrap_or_default(), reason = denied.code(), user, "kept out");
}

fn pseudonym(issuer: &str, sub: &str) -> String {
    let hash = Sha256::new().chain_update(issuer).chain_update([0]).chain_update(sub).finalize();
    URL_SAFE_NO_PAD.encode(&hash[..12])
}

fn signed_in_as(provider: &str, user: &User) -> String {
    match user.email.as_ref().or(user.login.as_ref()).or(user.name.as_ref()) {
        Some(name) => format!("You are signed in at {provider} as {name}."),
        None => format!("You are signed in at {provider}."),
    }
}

/// Why, in words that tell nobody whom the rule lets in.
fn why(denied: &Denied, place: &str, provider: &str) -> String {
    match denied {
        Denied::EmailNotVerified => {
            format!("{place} lets people in by their e-mail address, and {provider} does not say that it has confirmed yours.")
        }
        Denied::Email => format!("{place} lets people in by their e-mail address, and yours is not among those."),
        Denied::Group => format!("{place} lets in the members of certain groups, and you are in none of them."),
        Denied::Role => format!("{place} lets in people with certain roles, and you have none of them."),
        Denied::Organization => format!(
            "{place} lets in the members of certain organisations, and you are in none of them, or none of them has approved this app at \
             {provider}."
        ),
        Denied::Team => format!(
            "{place} lets in the members of certain teams, and you are in none of them, or their organisation has not approved this app at \
             {provider}."
        ),
        Denied::Claim(_) => format!("{place} lets in people of whom {provider} says something that it does not say of you."),
        Denied::Incomplete(subject) => {
            let what = match subject {
                Subject::Groups => "which groups you are in",
                Subject::Roles => "which roles you have",
                Subject::Organizations => "which organisations you are in",
                Subject::Teams => "which teams you are in",
                Subject::Claim(_) => "everything that it asks for",
            };
            format!("{place} lets in certain people only, and {provider} does not tell it {what}, or not completely.")
        }
    }
}

/// The sign-in at the same provider as somebody else.
fn login_with_another_account(provider: &Provider) -> String {
    let parameters = [("provider", provider.id.as_str()), ("prompt", provider.another_account.name())];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/api/v1/oauth/login?{query}")
}

#[cfg(test)]
mod tests {
    use super::pseudonym;

    #[test]
    fn a_person_has_another_pseudonym_at_every_issuer() {
        assert_eq!(pseudonym("https://a.example", "1"), pseudonym("https://a.example", "1"));
        assert_ne!(pseudonym("https://a.example", "1"), pseudonym("https://b.example", "1"));
        assert_ne!(pseudonym("https://a.example", "1"), pseudonym("https://a.example1", ""));
        assert_eq!(pseudonym("https://a.example", "1").len(), 16);
    }
}
