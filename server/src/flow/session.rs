//! What happens to the session afterwards: calls, renewals, the sign-out.

use super::{Draft, Recorder, Sent, current, of_session, redaction, verdict};
use crate::{outbound::UpstreamError, session::record::Key, state::AppState};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use oauth2flow_app::flow::{CheckName, MessageName, Place};
use oauth2flow_protocol::{
    TokenResponse, ValidatedIdToken, logout::RevocationError, logout_token::LogoutTokenError, refresh::RefreshError,
};
use url::Url;

/// How many calls of a session are recorded: they are all alike.
const MAXIMUM_API_CALLS: usize = 5;

/// Records a call of the app to an API, if its login was recorded and there were not many calls before; answers what records the rest
/// of it.
pub(crate) fn api_call(app: &AppState, session: Key, method: &Method, uri: &Uri) -> Option<Recorder> {
    let recorder = of_session(app, session)?;
    // Of the many calls that follow nobody has to hear.
    if recorder.api_calls()? >= MAXIMUM_API_CALLS {
        return None;
    }
    recorder.change(|recording, _| recording.api_calls += 1)?;
    let mut parameters = Draft::default();
    parameters.add_form(Place::Query, uri.query().unwrap_or_default().as_bytes());
    let address = app.config.server.public_url.origin().to_owned() + uri.path();
    let address = Some(redaction::text(&address, &recorder.secrets()));
    recorder.message(Sent { method: Some(method.to_string()), address, parameters, ..Sent::new(MessageName::ApiCall) });
    Some(recorder)
}

/// A call that has been passed on, with the token.
pub(crate) struct UpstreamCall {
    recorder: Recorder,
    request: Option<u32>,
}

impl UpstreamCall {
    /// Records that it is sent, if anything does.
    pub(crate) fn begin(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let recorder = current()?;
        let mut parameters = Draft::default();
        parameters.add_form(Place::Query, uri.query().unwrap_or_default().as_bytes());
        parameters.add_headers(headers);
        let address = Url::parse(&uri.to_string()).ok().map(|url| redaction::address(&url, &recorder.secrets()));
        let request =
            recorder.message(Sent { method: Some(method.to_string()), address, parameters, ..Sent::new(MessageName::UpstreamRequest) });
        Some(Self { recorder, request })
    }

    /// Records what became of it: the answer itself is none of our business.
    pub(crate) fn end(self, answered: Result<StatusCode, &UpstreamError>) {
        match answered {
            Ok(status) => {
                self.recorder.ended(self.request, None);
                self.recorder.message(Sent { status: Some(status.as_u16()), ..Sent::new(MessageName::UpstreamResponse) });
            }
            Err(error) => self.recorder.ended(self.request, Some(verdict::in_words(error))),
        }
    }
}

/// The verdict on new tokens.
pub(crate) fn renewed(renewed: &Result<TokenResponse, RefreshError>) {
    // A renewal need not bring an ID token.
    super::judged(MessageName::RefreshResponse, || verdict::verdicts(verdict::of_tokens(false), renewed.as_ref().err()));
}

/// The verdict on a renewed ID token.
pub(crate) fn renewed_id_token(judged: &Result<Option<ValidatedIdToken>, RefreshError>) {
    super::judged(MessageName::RefreshResponse, || verdict::verdicts([(CheckName::IdTokenIdentity, None)], judged.as_ref().err()));
}

/// The user signs out.
pub(crate) fn logout_begins(app: &AppState, session: Key) -> Option<Recorder> {
    let recorder = of_session(app, session)?;
    let address = Some(format!("{}/api/v1/oauth/logout", app.config.server.public_url.origin()));
    recorder.message(Sent { method: Some(Method::POST.to_string()), address, ..Sent::new(MessageName::LogoutRequest) });
    Some(recorder)
}

/// The session has ended here, and this is where the browser goes to end it at the provider, too.
pub(crate) fn logged_out(recorder: Option<&Recorder>, end_session_url: Option<&Url>) {
    let Some(recorder) = recorder else { return };
    recorder.message(Sent { status: Some(StatusCode::OK.as_u16()), ..Sent::new(MessageName::LogoutResponse) });
    let Some(url) = end_session_url else { return };
    let mut parameters = Draft::default();
    parameters.add_form(Place::Query, url.query().unwrap_or_default().as_bytes());
    let address = Some(redaction::address(url, &recorder.secrets()));
    recorder.message(Sent { method: Some(Method::GET.to_string()), address, parameters, ..Sent::new(MessageName::EndSessionRequest) });
}

/// What the provider says to a token that is given back.
pub(crate) fn revoked(answer: &Result<(), RevocationError>) {
    super::judged(MessageName::RevocationResponse, || verdict::verdicts([(CheckName::Revocation, None)], answer.as_ref().err()));
}

/// The provider has ended the sessions that a logout token names.
pub(crate) fn ended_by_provider(app: &AppState, raw: &str, issuer: &str, sub: Option<&str>, sid: Option<&str>) {
    let Some(recordings) = app.flow.as_ref() else { return };
    let is_named = |named: &super::Named| {
        named.issuer == issuer && sub.is_none_or(|sub| sub == named.sub) && sid.is_none_or(|sid| Some(sid) == named.sid.as_deref())
    };
    let Some(recorder) = recordings.find(|recording| recording.named.as_ref().is_some_and(is_named)) else { return };
    let mut parameters = Draft::default();
    parameters.add("logout_token", Place::Body, raw);
    recorder.message(Sent { method: Some(Method::POST.to_string()), parameters, ..Sent::new(MessageName::BackchannelLogout) });
    recorder.judged(MessageName::BackchannelLogout, verdict::verdicts::<LogoutTokenError>([(CheckName::LogoutToken, None)], None));
}
