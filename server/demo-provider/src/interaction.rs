//! What stands between an authorization request and its answer.

use crate::{
    authorization_request::{AuthorizationRequest, Prompt},
    store::provider_session::ProviderSession,
};

/// What has to happen next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Interaction {
    /// Somebody has to sign in.
    Login,
    /// Somebody who is signed in has to allow it.
    Consent,
    /// Nothing: the client gets its code.
    Done,
}

/// Decides what has to happen next.
///
/// `authenticated_sid` is the session in which somebody signed in for this very request, and `consented` whether the
/// session remembers having allowed all that is asked for.
pub(crate) fn next(
    request: &AuthorizationRequest,
    authenticated_sid: Option<&str>,
    session: Option<&ProviderSession>,
    consented: bool,
    now: i64,
) -> Interaction {
    let Some(session) = session else { return Interaction::Login };
    if request.hinted_sub.as_ref().is_some_and(|hinted| *hinted != session.sub) {
        return Interaction::Login;
    }
    if request.acr().is_some_and(|acr| session.acr < acr) {
        return Interaction::Login;
    }
    if authenticated_sid != Some(session.sid.as_str()) {
        let too_old = request.max_age.is_some_and(|max_age| now.saturating_sub(session.auth_time) > max_age);
        if too_old || request.prompts(Prompt::Login) || request.prompts(Prompt::SelectAccount) {
            return Interaction::Login;
        }
    }
    if !consented || request.prompts(Prompt::Consent) { Interaction::Consent } else { Interaction::Done }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{acr::Acr, authorization_response::ResponseMode, scope::ScopeSet};

    const NOW: i64 = 1000;

    fn request(prompt: &[Prompt], max_age: Option<i64>) -> AuthorizationRequest {
        AuthorizationRequest {
            client_id: "client".into(),
            redirect_uri: "http://localhost:3000/callback".into(),
            state: None,
            nonce: None,
            scope: ScopeSet::parse("openid"),
            code_challenge: None,
            prompt: prompt.to_vec(),
            max_age,
            login_hint: None,
            hinted_sub: None,
            response_mode: ResponseMode::Query,
            acr_values: Vec::new(),
            dpop_jkt: None,
        }
    }

    fn session() -> ProviderSession {
        ProviderSession { sid: "sid".into(), sub: "sub".into(), auth_time: NOW - 60, acr: Acr::Password }
    }

    #[test]
    fn an_authentication_that_is_too_weak_is_repeated_until_it_is_not() {
        let asking = |acr_values: &[&str]| AuthorizationRequest {
            acr_values: acr_values.iter().map(|acr| (*acr).to_owned()).collect(),
            ..request(&[], None)
        };
        let strong = ProviderSession { acr: Acr::TwoFactor, ..session() };
        let two_factor = asking(&[Acr::TwoFactor.name()]);
        assert_eq!(next(&two_factor, None, Some(&session()), true, NOW), Interaction::Login);
        assert_eq!(next(&two_factor, Some("sid"), Some(&session()), true, NOW), Interaction::Login);
        assert_eq!(next(&two_factor, None, Some(&strong), true, NOW), Interaction::Done);
        // The first one that is known counts, and what nobody knows asks for nothing.
        assert_eq!(next(&asking(&["unknown", Acr::Password.name()]), None, Some(&session()), true, NOW), Interaction::Done);
        assert_eq!(next(&asking(&["unknown"]), None, Some(&session()), true, NOW), Interaction::Done);
    }

    #[test]
    fn a_session_and_a_remembered_consent_need_nothing() {
        assert_eq!(next(&request(&[], None), None, Some(&session()), true, NOW), Interaction::Done);
        assert_eq!(next(&request(&[], Some(60)), None, Some(&session()), true, NOW), Interaction::Done);
    }

    #[test]
    fn without_a_session_somebody_has_to_sign_in() {
        assert_eq!(next(&request(&[], None), None, None, false, NOW), Interaction::Login);
    }

    #[test]
    fn an_authentication_that_is_too_old_or_unwanted_is_repeated_once() {
        for request in
            [request(&[], Some(59)), request(&[], Some(0)), request(&[Prompt::Login], None), request(&[Prompt::SelectAccount], None)]
        {
            assert_eq!(next(&request, None, Some(&session()), true, NOW), Interaction::Login);
            assert_eq!(next(&request, Some("other"), Some(&session()), true, NOW), Interaction::Login);
            assert_eq!(next(&request, Some("sid"), Some(&session()), true, NOW), Interaction::Done);
        }
    }

    #[test]
    fn another_account_than_the_hinted_one_is_not_accepted() {
        let request = AuthorizationRequest { hinted_sub: Some("other".into()), ..request(&[], None) };
        assert_eq!(next(&request, Some("sid"), Some(&session()), true, NOW), Interaction::Login);
    }

    #[test]
    fn consent_is_asked_for_when_it_is_new_or_wanted_again() {
        assert_eq!(next(&request(&[], None), None, Some(&session()), false, NOW), Interaction::Consent);
        assert_eq!(next(&request(&[Prompt::Consent], None), None, Some(&session()), true, NOW), Interaction::Consent);
    }
}
