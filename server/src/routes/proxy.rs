//! `ANY /proxy/{upstream}/{*path}`: step 7 of the flow, the API call with the token that the backend keeps.

use crate::{
    config::UpstreamConfig,
    dpop::Role,
    error::{Failure, StepUp},
    outbound::OutboundError,
    routes::{login::MAXIMUM_AGE, session},
    session::{
        live::LiveSession,
        record::SessionRecord,
        refresh::{self, Access},
    },
    state::AppState,
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{OriginalUri, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use jiff::Timestamp;
use oauth2flow_app::{
    api::{CSRF_HEADER, Note},
    problem::ProblemCode,
};
use oauth2flow_protocol::{
    Provider,
    authorize::{AuthorizationOptions, Prompt},
    dpop::is_nonce,
    provider::ProviderKind,
    step_up::Challenge,
};
use std::{sync::Arc, time::Duration};
use url::Url;

const PREFIX: &str = "/api/v1/proxy/";

/// How long a page waits for the notes in it, and how many of them it takes.
const NOTES_TIMEOUT: Duration = Duration::from_secs(2);
const MAXIMUM_NOTES_BYTES: usize = 256 * 1024;

/// How large a body may be that is kept until it is known that it need not be sent twice.
const MAXIMUM_REPLAY_BYTES: usize = 64 * 1024;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Fields that concern one connection only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Fields of an answer that would speak for this origin, which is not the upstream's.
const NOT_FOR_THE_BROWSER: [HeaderName; 18] = [
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::CONTENT_SECURITY_POLICY,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
    header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
    header::REFRESH,
    header::ALT_SVC,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("reporting-endpoints"),
    DPOP_NONCE,
];

/// Passes a call on to an upstream with the session's access token, and streams the answer back.
#[utoipa::path(get, path = "/api/v1/proxy/{upstream}/{path}", tag = "proxy",
    description = "Passes a call on to a configured upstream with the session's access token, whatever the method, and streams the answer back.",
    params(
        ("upstream" = String, Path, description = "The upstream's name"),
        ("path" = String, Path, description = "The path at the upstream"),
        ("X-CSRF" = String, Header, description = "Always `1`")),
    responses(
        (status = 200, description = "Whatever the upstream answers"),
        (status = 401, description = "`unauthenticated`, `session_ended`, `permission_expired`, `step_up_required`", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_upstream`", body = oauth2flow_app::api::Problem),
        (status = 502, description = "`upstream_unavailable`", body = oauth2flow_app::api::Problem),
        (status = 504, description = "`upstream_timeout`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, OriginalUri(uri): OriginalUri, request: Request) -> Result<Response<Body>, Failure> {
    let (_, record) = session::required(&app, request.headers()).await?;
    let (name, path) = split(&uri).ok_or(ProblemCode::NotFound)?;
    let upstream = app.config.upstreams.iter().find(|upstream| upstream.name == name).ok_or(ProblemCode::UnknownUpstream)?;
    // CONNECT asks for a tunnel, TRACE for its own headers back, the token among them.
    let never = matches!(*request.method(), Method::CONNECT | Method::TRACE);
    if never || upstream.methods.as_ref().is_some_and(|methods| methods.iter().all(|method| method != request.method().as_str())) {
        return Err(Failure::new(ProblemCode::MethodNotAllowed).detail(format!("The upstream {name} does not take {}.", request.method())));
    }
    if upstream.providers.as_ref().is_some_and(|providers| !providers.contains(&record.provider)) {
        // A provider's token is for that provider's APIs: sent elsewhere, it could be used by whoever runs the other.
        return Err(
            Failure::new(ProblemCode::UnknownUpstream).detail(format!("The upstream {name} is not for users of {}.", record.provider))
        );
    }
    let url = target(&upstream.url, path, uri.query())?;
    require_authentication(&app, upstream, &record)?;
    let provider = record.provider.clone();
    let access = refresh::access_token(&app, &record).await?;
    let (parts, body) = request.into_parts();
    let mut headers = end_to_end(parts.headers);
    drop_private(&mut headers);
    let call = Call { method: parts.method, url, headers, timeout: upstream.timeout };
    let answer = send(&app, upstream, &access, call, body).await?;
    if let Some(challenge) = challenge(&answer) {
        // The upstream's own demand (RFC 9470) looks to the app like one that is configured here.
        let login_url = app.providers.get(&provider).and_then(|registered| login_for(&registered.provider, &challenge));
        return Err(step_up(challenge, login_url));
    }
    let (mut parts, body) = answer.into_parts();
    parts.headers = end_to_end(parts.headers);
    for name in NOT_FOR_THE_BROWSER {
        parts.headers.remove(name);
    }
    Ok(Response::from_parts(parts, body))
}

/// The notes of the demo provider's user, for the account page that is rendered here; `None` when they cannot be had soon.
pub async fn notes(app: &AppState, record: Arc<LiveSession>) -> Option<Vec<Note>> {
    let upstream = app.config.upstreams.iter().find(|upstream| upstream.name == "notes")?;
    if upstream.providers.as_ref().is_none_or(|providers| !providers.contains(&record.provider)) {
        return None;
    }
    require_authentication(app, upstream, &record).ok()?;
    let access = refresh::access_token(app, &record).await.ok()?;
    let call = Call { method: Method::GET, url: upstream.url.clone(), headers: HeaderMap::new(), timeout: NOTES_TIMEOUT };
    let answer = send(app, upstream, &access, call, Body::empty()).await.ok()?;
    let body = tokio::time::timeout(NOTES_TIMEOUT, axum::body::to_bytes(answer.into_body(), MAXIMUM_NOTES_BYTES)).await.ok()?.ok()?;
    serde_json::from_slice(&body).ok()
}

/// Refuses a call that the upstream's configuration wants a better sign-in for.
fn require_authentication(app: &AppState, upstream: &UpstreamConfig, record: &SessionRecord) -> Result<(), Failure> {
    let authenticated_at = record.profile.authenticated_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    upstream
        .requirements
        .met_by(record.profile.acr.as_deref(), authenticated_at, app.clock.now())
        .map_err(|challenge| step_up(challenge, Some(login_url(&[("provider", &record.provider), ("upstream", &upstream.name)]))))
}

/// Where the sign-in begins that an upstream of its own accord demands; nothing when this provider could never meet the demand, or
/// the login would refuse to ask for it. The upstream's words are only its own: nobody has checked them yet.
fn login_for(provider: &Provider, challenge: &Challenge) -> Option<String> {
    // Nothing in particular, or a time that this provider would not prove: who signs in once more has just done so.
    let proves = matches!(provider.kind, ProviderKind::OpenId { .. });
    let max_age = challenge.max_age.filter(|_| proves).map(|age| age.min(MAXIMUM_AGE).as_secs().to_string());
    let acr_values = challenge.acr_values.join(" ");
    let mut parameters = vec![("provider", provider.id.as_str())];
    if !challenge.acr_values.is_empty() {
        let asked = AuthorizationOptions { acr_values: challenge.acr_values.clone(), ..AuthorizationOptions::default() };
        // Where the configuration limits what is asked for, a login cannot ask for anything else.
        let offered = &provider.defaults.acr_values;
        let is_offered = offered.is_empty() || asked.acr_values.iter().any(|value| offered.contains(value));
        if !proves || !is_offered || asked.check().is_err() {
            return None;
        }
        parameters.push(("acr_values", &acr_values));
    }
    match &max_age {
        Some(max_age) => parameters.push(("max_age", max_age)),
        None if acr_values.is_empty() => parameters.push(("prompt", Prompt::Login.name())),
        None => {}
    }
    Some(login_url(&parameters))
}

fn login_url(parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/api/v1/oauth/login?{query}")
}

/// The demand for a better sign-in, with the address where it begins.
fn step_up(challenge: Challenge, login_url: Option<String>) -> Failure {
    let failure = Failure::new(ProblemCode::StepUpRequired);
    let failure = if login_url.is_some() { failure } else { failure.detail("No sign-in here could bring what this API demands.") };
    failure.step_up(StepUp { acr_values: challenge.acr_values, max_age: challenge.max_age, login_url })
}

/// What an upstream demands of the user's sign-in. [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
fn challenge(answer: &Response<Body>) -> Option<Challenge> {
    let challenges = answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter(|_| answer.status() == StatusCode::UNAUTHORIZED);
    challenges.filter_map(|value| value.to_str().ok()).find_map(Challenge::parse)
}

/// A call, but for its body and its token.
#[derive(Clone)]
struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
}

/// Sends a call with the token; once more when the token is bound to a key and the upstream wants its nonce in the proof
/// ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)).
async fn send(app: &AppState, upstream: &UpstreamConfig, access: &Access, call: Call, body: Body) -> Result<Response<Body>, Failure> {
    if access.dpop_key.is_none() {
        return attempt(app, access, call, body, None).await;
    }
    let mut body = Replayable::read(body, &call.headers).await?;
    let nonce = app.dpop_nonces.of(Role::Upstream, &upstream.name);
    let answer = attempt(app, access, call.clone(), body.take(), nonce.as_deref()).await?;
    // What is no nonce would be left out of the proof, which would then be the one that was refused.
    let new_nonce = answer.headers().get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok()).filter(|nonce| is_nonce(nonce));
    app.dpop_nonces.remember(Role::Upstream, &upstream.name, new_nonce);
    let wanted = new_nonce.filter(|new| Some(*new) != nonce.as_deref() && wants_nonce(&answer));
    match (wanted, body) {
        (None, _) => Ok(answer),
        (Some(nonce), Replayable::Whole(bytes)) => attempt(app, access, call, Body::from(bytes), Some(nonce)).await,
        (Some(_), Replayable::Stream(_)) => Err(Failure::new(ProblemCode::UpstreamUnavailable)
            .detail("The API wants to be called once more, and the body was too large to be kept.")),
    }
}

/// Whether the answer only asks for another proof.
fn wants_nonce(answer: &Response<Body>) -> bool {
    let mut challenges = answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    answer.status() == StatusCode::UNAUTHORIZED && challenges.any(|challenge| challenge.contains("use_dpop_nonce"))
}

async fn attempt(app: &AppState, access: &Access, call: Call, body: Body, nonce: Option<&str>) -> Result<Response<Body>, Failure> {
    let Call { method, url, mut headers, timeout } = call;
    let scheme = if access.dpop_key.is_some() { "DPoP" } else { "Bearer" };
    headers.insert(header::AUTHORIZATION, secret_header(format!("{scheme} {}", access.token.expose()))?);
    if let Some(key) = &access.dpop_key {
        let proof = app.with_context(|context| key.proof(method.as_str(), &url, nonce, Some(&access.token), context));
        headers.insert(DPOP, secret_header(proof)?);
    }
    app.outbound.forward(method, url, headers, body, timeout).await.map_err(|error| {
        let code = match error {
            OutboundError::Timeout(_) | OutboundError::Silent => ProblemCode::UpstreamTimeout,
            _ => ProblemCode::UpstreamUnavailable,
        };
        Failure::new(code).source(error)
    })
}

fn secret_header(value: String) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Failure::new(ProblemCode::ProviderInvalidResponse).detail("The access token cannot be sent in a header."))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A body that may be sent a second time, if it is small.
enum Replayable {
    Whole(Bytes),
    Stream(Body),
}

impl Replayable {
    async fn read(body: Body, headers: &HeaderMap) -> Result<Self, Failure> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let is_small = body.is_end_stream() || length.is_some_and(|length| length <= MAXIMUM_REPLAY_BYTES);
        if !is_small {
            return Ok(Self::Stream(body));
        }
        let bytes = axum::body::to_bytes(body, MAXIMUM_REPLAY_BYTES).await;
        bytes.map(Self::Whole).map_err(|error| Failure::new(ProblemCode::InvalidRequest).source(error))
    }

    /// The body, for the first time.
    fn take(&mut self) -> Body {
        match self {
            Self::Whole(bytes) => Body::from(bytes.clone()),
            Self::Stream(body) => std::mem::take(body),
        }
    }
}

/// The upstream's name and the rest of the path, as they came over the wire.
fn split(uri: &Uri) -> Option<(&str, &str)> {
    let rest = uri.path().strip_prefix(PREFIX)?;
    Some(match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    })
}

/// The address at the upstream.
///
/// # Errors
/// `invalid_path` for a path that could mean another place to the upstream than it does here.
fn target(base: &Url, path: &str, query: Option<&str>) -> Result<Url, Failure> {
    let lower = path.to_ascii_lowercase();
    let ambiguous = ["%2e", "%2f", "%5c", "%00", "%252e", "%252f", "%255c", "\\", "//"].iter().any(|part| lower.contains(part));
    if ambiguous || path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | ".."))) {
        return Err(ProblemCode::InvalidPath.into());
    }
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    let stays = url.origin() == base.origin() && url.path().starts_with(base.path().trim_end_matches('/'));
    if stays { Ok(url) } else { Err(ProblemCode::InvalidPath.into()) }
}

/// The fields that are meant for the other end; `Connection` may name more that are not.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    headers
}

/// What the upstream must not learn, or must not be told by the browser.
fn drop_private(headers: &mut HeaderMap) {
    for name in [header::HOST, header::COOKIE, header::AUTHORIZATION, header::FORWARDED, header::ORIGIN, header::REFERER] {
        headers.remove(name);
    }
    headers.remove(CSRF_HEADER);
    headers.remove(DPOP);
    let forwarded: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-forwarded-") || *name == "x-real-ip").cloned().collect();
    for name in forwarded {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{end_to_end, split, target};
    use axum::http::{HeaderMap, HeaderValue, Uri, header};
    use url::Url;

    #[test]
    fn a36_a_path_never_leaves_its_upstream() {
        let base = Url::parse("http://api.example/v1").unwrap();
        for path in [
            "/../secret",
            "/a/../../secret",
            "/./a",
            "//evil.example",
            "/%2e%2e/secret",
            "/%2E%2e/secret",
            "/a%2f..%2fb",
            "/a%5Cb",
            "/\\evil",
            "/a%00b",
            "/..;/admin",
            "/a/.;x/b",
            "/%252e%252e/admin",
            "/a%252Fb",
        ] {
            assert!(target(&base, path, None).is_err(), "{path}");
        }
        for (path, expected) in [
            ("", "http://api.example/v1"),
            ("/", "http://api.example/v1/"),
            ("/notes/1", "http://api.example/v1/notes/1"),
            ("/@evil.example/", "http://api.example/v1/@evil.example/"),
            ("/http://evil", "refused"),
        ] {
            assert_eq!(target(&base, path, None).map_or("refused".to_owned(), String::from), expected, "{path}");
        }
        assert_eq!(target(&base, "/a", Some("x=//../&y=1")).unwrap().as_str(), "http://api.example/v1/a?x=//../&y=1");
    }

    #[test]
    fn a36_an_absolute_form_target_counts_by_its_path_only() {
        let uri: Uri = "http://evil.example/api/v1/proxy/notes/1".parse().unwrap();
        assert_eq!(split(&uri), Some(("notes", "/1")));
    }

    #[test]
    fn what_connection_names_goes_no_further() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close, X-Secret"));
        headers.insert("x-secret", HeaderValue::from_static("1"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        assert_eq!(end_to_end(headers).keys().collect::<Vec<_>>(), ["accept"]);
    }
}
