//! The pages: rendered here and taken over by the browser (`ssr`), or one constant document (`spa`).

mod path_pattern;

use self::path_pattern::PathPattern;
use crate::{
    assets::Assets,
    config::Render,
    error::Failure,
    proxy,
    routes::{language, session, sessions},
    session::cookie::Presented,
    state::AppState,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use leptos::{
    context::{provide_context, use_context},
    nonce::use_nonce,
};
use leptos_axum::{ResponseOptions, generate_route_list};
use oauth2flow_app::{
    api::{Provider, Session},
    flow::Flow,
    handover::{HandedFlow, HandedRun},
    lab::LabRun,
    language::Language,
    problem::ProblemCode,
    shell::{RequestContext, SetStatus, SiteAssets, home_shell, shell, static_shell},
    site::Site,
    texts::Group,
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::timeout;
use tracing::Instrument as _;

/// The app's pages. Nothing is made before somebody asks for one: a gateway's server is never asked.
pub struct Pages {
    site: Site,
    files: SiteAssets,
    avatar_hosts: Vec<String>,
    providers: Vec<Provider>,
    made: OnceLock<Made>,
}

/// What the app says of itself, and the documents that the single-page app starts from: each rendered once, the same for everybody who
/// reads its language.
struct Made {
    /// The paths that the app has a page for; every other one is its "not found" page.
    paths: Vec<PathPattern>,
    documents: RwLock<Documents>,
    policy: HeaderValue,
}

/// By language and by the texts that the document brings; without those, the home page for browsers without a session, with the links to
/// the providers.
type Documents = HashMap<(Language, Option<&'static [Group]>), Bytes>;

impl Pages {
    /// Keeps what it takes to make the pages.
    ///
    /// # Errors
    /// When a configured avatar host cannot stand in a header.
    pub fn prepare(
        site: Site,
        assets: &Assets,
        avatar_hosts: &[String],
        providers: Vec<Provider>,
    ) -> Result<Self, header::InvalidHeaderValue> {
        HeaderValue::try_from(policy("", avatar_hosts))?;
        Ok(Self { site, files: assets.site.clone(), avatar_hosts: avatar_hosts.to_vec(), providers, made: OnceLock::new() })
    }

    /// Asks the app for its routes, which also readies the renderer, and renders the document.
    #[expect(clippy::expect_used, reason = "the hosts have been tried in a header, and beside them there are hashes in base64")]
    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let paths = generate_route_list(self.site.app).iter().map(|route| PathPattern::parse(route.path())).collect();
            // All have the same script.
            let hashes = static_shell(self.site, &self.files, Language::default(), "/").script_hashes;
            let policy = HeaderValue::try_from(policy(&hashes.join(" "), &self.avatar_hosts)).expect("a policy of ASCII");
            Made { paths, documents: RwLock::default(), policy }
        })
    }

    /// The document for the page at `path`, or for the home page of somebody new.
    fn document(&self, language: Language, path: &str, is_newcomer: bool) -> Bytes {
        let key = (language, (!is_newcomer).then(|| (self.site.texts)(path)));
        let documents = &self.made().documents;
        if let Some(known) = documents.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let shell = if is_newcomer {
            home_shell(self.site, &self.files, language, self.providers.clone())
        } else {
            static_shell(self.site, &self.files, language, path)
        };
        let document = Bytes::from(shell.html);
        documents.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(document).clone()
    }

    /// The app.
    pub fn site(&self) -> Site {
        self.site
    }

    fn has(&self, path: &str) -> bool {
        self.made().paths.iter().any(|page| page.matches(path))
    }
}

/// The content security policy of a page: nothing from elsewhere, no script but those that this server wrote.
fn policy(scripts: &str, avatar_hosts: &[String]) -> String {
    let mut images = "'self' data:".to_owned();
    for host in avatar_hosts {
        images.push(' ');
        images.push_str(host);
    }
    format!(
        "default-src 'none'; script-src {scripts} 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src {images}; \
         font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}

/// Serves a file of the site, else a page.
///
/// # Errors
/// `method_not_allowed`, `not_found`
pub async fn handler(State(app): State<AppState>, request: Request) -> Result<Response, Failure> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ProblemCode::MethodNotAllowed.into());
    }
    let path = request.uri().path();
    // To a router that resolves it, such a path is another host.
    if path.starts_with("//") || path.starts_with("/\\") {
        return Err(ProblemCode::NotFound.into());
    }
    if let Some(file) = app.assets.serve(path, request.headers()) {
        return Ok(file);
    }
    if let Some(page) = path.strip_suffix('/').filter(|page| app.pages.has(page) && !app.pages.has(path)) {
        // The router of the app sees no difference, but whoever reads the session for a page does.
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return Ok(Redirect::temporary(&format!("{page}{query}")).into_response());
    }
    match app.config.server.render {
        Render::Spa => Ok(constant(&app, path, request.headers()).await),
        Render::Ssr => Ok(render(app, request, None).await),
    }
}

/// Whether the page at `path` is one of the app's, and made here: then it can answer a form of its own.
pub fn takes_forms(app: &AppState, path: &str) -> bool {
    app.config.server.render == Render::Ssr && app.pages.has(path)
}

/// What decides over a page beside its address.
const VARY: HeaderValue = HeaderValue::from_static("accept-language, cookie");

/// How long the home page waits to learn whether a session is alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether whoever opens the home page is to be shown the ways to sign in at once, and not when the app knows better. The cookie of a
/// session that is over stays in the browser.
async fn is_newcomer(app: &AppState, headers: &HeaderMap) -> bool {
    match app.cookies.session(headers) {
        Presented::Absent => true,
        Presented::Value(_) => {
            let (app, headers) = (app.clone(), headers.clone());
            // A call to the store that is given up in the middle costs a connection.
            let peeked = tokio::spawn(async move { session::peek(&app, &headers).await }.in_current_span());
            matches!(timeout(PATIENCE, peeked).await, Ok(Ok(Ok(None))))
        }
        Presented::Ambiguous => false,
    }
}

async fn constant(app: &AppState, path: &str, headers: &HeaderMap) -> Response {
    let is_newcomer = path == "/" && is_newcomer(app, headers).await;
    let language = language::wanted(app, headers);
    let document = app.pages.document(language, path, is_newcomer);
    let status = if app.pages.has(path) { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, app.pages.made().policy.clone()),
        // The document names the files of one build; after an update it has to name those of the next.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, VARY),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
    ];
    (status, headers, Body::from(document)).into_response()
}

/// Renders the page that is asked for, with what happened in an experiment, if one was made for it.
pub async fn render(app: AppState, request: Request, run: Option<&LabRun>) -> Response {
    // Nothing can be rendered before the renderer is ready.
    app.pages.made();
    let exists = app.pages.has(request.uri().path());
    let (mut known, browser_cookie) = request_context(&app, request.uri().path(), request.headers()).await;
    known.run = run.map(HandedRun::new);
    let language = known.language;
    let (site, assets, policy_app) = (app.pages.site, app.assets.site.clone(), app.clone());
    let context = move || {
        provide_context(known.clone());
        let Some(response) = use_context::<ResponseOptions>() else { return };
        if let Some(nonce) = use_nonce() {
            let policy = policy(&format!("'nonce-{nonce}'"), &policy_app.config.server.avatar_hosts);
            if let Ok(policy) = HeaderValue::try_from(policy) {
                response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            }
        }
        provide_context(SetStatus(Arc::new(move |status| {
            if let Ok(status) = StatusCode::from_u16(status) {
                response.set_status(status);
            }
        })));
    };
    let mut response = leptos_axum::render_app_to_stream_with_context(context, move || shell(site, &assets))(request).await;
    // An app need not say so itself.
    if !exists && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    // The page says who is signed in.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::VARY, VARY);
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if let Some(cookie) = browser_cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What the page is to know, and the cookie to know its browser's logins by, if it has none.
async fn request_context(app: &AppState, path: &str, headers: &HeaderMap) -> (RequestContext, Option<HeaderValue>) {
    let mut known = RequestContext {
        language: language::wanted(app, headers),
        session: Some(Session::anonymous()),
        providers: app.providers.describe(),
        csrf_token: None,
        notes: None,
        sessions: None,
        flow: None,
        run: None,
        now_unix_seconds: app.clock.now().as_second(),
    };
    // The callback is rendered without looking at who asks: the code in its address is nobody's until the browser posts it.
    if path == "/callback" || !app.pages.has(path) {
        return (known, None);
    }
    let needs = (app.pages.site.needs)(path);
    let mut browser_cookie = None;
    if needs.flow {
        let browser = app.flow.as_ref().map(|recordings| (recordings, recordings.browser(app.cookies, headers)));
        let flow = browser.as_ref().map(|(recordings, browser)| Flow { logins: recordings.logins(browser) });
        known.flow = Some(HandedFlow::new(flow.as_ref()));
        browser_cookie = browser.and_then(|(_, browser)| browser.set_cookie);
    }
    match session::current(app, headers).await {
        Ok(Some((id, record))) => {
            known.session = Some(record.describe());
            known.csrf_token = Some(id.csrf_token());
            // Without them the page asks again from the browser.
            if needs.sessions {
                known.sessions = sessions::summaries(app, &record).await.ok();
            }
            if needs.notes {
                known.notes = proxy::notes(app, &record).await;
            }
        }
        Ok(None) => {}
        // The page asks again from the browser, and says what is the matter if it still is.
        Err(failure) => {
            tracing::error!(
                code = failure.code.code(),
                causes = failure.causes().unwrap_or_default(),
                "a page was rendered without its session"
            );
            known.session = None;
        }
    }
    (known, browser_cookie)
}
