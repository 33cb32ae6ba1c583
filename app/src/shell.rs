//! The HTML document around the app: rendered for each request, or the same bytes for everybody.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{
    attr::custom::{CustomAttr, custom_attribute},
    nonce::use_nonce,
    prelude::*,
};
use leptos_meta::{MetaTags, ServerMetaContext};
use leptos_router::location::RequestUrl;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    api::{Note, Provider, Session, SessionSummary},
    components::page_notices::PageNotices,
    handover::{HandedFlow, HandedRun, Handover, KNOWN},
    json,
    language::Language,
    routes::part_name_at,
    site::Site,
    texts::{self, Group, frame, t},
};

/// The addresses of the built files, as the site's `manifest.json` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteAssets {
    /// The module that loads the app.
    pub js: String,
    /// The app.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The style sheets that come with parts of the app, by the part.
    pub sheets: BTreeMap<String, String>,
    /// Where people find the app, such as `https://app.example`.
    pub origin: String,
}

/// Everything the server knows when it renders a page. The server provides it as context before it renders the app.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// The language of the page.
    pub language: Language,
    /// Who is signed in, as this request's cookies tell; `None` when the server cannot say.
    pub session: Option<Session>,
    /// The ways to sign in.
    pub providers: Vec<Provider>,
    /// What the sign-out form carries instead of the header that a script would send.
    pub csrf_token: Option<String>,
    /// The user's notes, where the server has asked for them, so that the account page has them without a script.
    pub notes: Option<Vec<Note>>,
    /// The user's sessions, where the server has asked for them, for the same reason.
    pub sessions: Option<Vec<SessionSummary>>,
    /// This browser's own logins, for the pages about them.
    pub flow: Option<HandedFlow>,
    /// What happened in the experiment that the page was asked for.
    pub run: Option<HandedRun>,
    /// The server's time in seconds since 1970, from which the first countdowns are written.
    pub now_unix_seconds: i64,
}

/// Sets the status of the answer that is being rendered. The server provides it as context.
#[derive(Clone)]
pub struct SetStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

impl fmt::Debug for SetStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SetStatus")
    }
}

/// The document of single-page mode: the same for every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticShell {
    /// The document.
    pub html: String,
    /// What the Content-Security-Policy's `script-src` has to allow: one `'sha256-…'` for each inline script.
    pub script_hashes: Vec<String>,
}

/// The document of server-rendering mode, with the app in it.
///
/// Every inline script carries the request's nonce, which the server has to name in the Content-Security-Policy.
pub fn shell(site: Site, assets: &SiteAssets) -> impl IntoView + use<> {
    let language = use_context::<RequestContext>().map(|context| context.language).unwrap_or_default();
    provide_context(language);
    let url = use_context::<RequestUrl>();
    let path = url.as_ref().map_or("/", |url| path_of(url.as_ref()));
    let texts = (site.texts)(path);
    let sheet = part_name_at(path).and_then(|part| assets.sheets.get(part).cloned());
    let head = view! {
        {sheet.map(|sheet| view! { <link rel="stylesheet" href=sheet /> })}
        <MetaTags />
    };
    document("ssr", site, language, texts, assets, &starter(assets), head.into_any(), (site.app)())
}

/// The path in the address of a request, which the renderer writes with a host that means nothing.
fn path_of(address: &str) -> &str {
    let host = address.split_once("://").filter(|(scheme, _)| !scheme.contains('/')).map(|(_, host)| host);
    let path = host.map_or(address, |host| host.find('/').map_or("/", |at| &host[at..]));
    path.split('?').next().unwrap_or_default()
}

/// The document of single-page mode for the page at `path`: a header, a heading and a word of patience until the app takes over.
pub fn static_shell(site: Site, assets: &SiteAssets, language: Language, path: &str) -> StaticShell {
    unattended(site, assets, language, path, || {
        let body = view! {
            {(site.header)()}
            <main id="content" tabindex="-1">
                <PageNotices />
                <h1>{site.name}</h1>
                <p role="status" data-loading="">
                    {t(frame::PAGE_LOADING)}
                </p>
                <NeedsScript />
            </main>
            {(site.footer)()}
        };
        (view! { <title>{site.name}</title> }.into_any(), body.into_any())
    })
}

/// The home page of single-page mode, as whoever has no session sees it: the links work before the app is there, which then draws the same.
pub fn home_shell(site: Site, assets: &SiteAssets, language: Language, providers: Vec<Provider>) -> StaticShell {
    unattended(site, assets, language, "/", || {
        let known = Handover { session: Some(Session::anonymous()), providers: Some(providers.clone()), ..Handover::default() };
        // Strings can always be written; and in a script element nothing may look like its end.
        let known = json::write(&known).unwrap_or_default().replace('<', "\\u003c");
        let title = site.home.map_or_else(|| site.name.to_owned(), |home| [home(), " · ", site.name].concat());
        let head = view! {
            <title>{title}</title>
            <script type="application/json" id=KNOWN inner_html=known></script>
        };
        let (meta, _output) = ServerMetaContext::new();
        provide_context(meta);
        provide_context(RequestUrl::new("/"));
        provide_context(RequestContext { session: Some(Session::anonymous()), providers, language, ..RequestContext::default() });
        let body = view! {
            {(site.app)()}
            <NeedsScript />
        };
        (head.into_any(), body.into_any())
    })
}

#[component]
fn NeedsScript() -> impl IntoView {
    view! {
        <noscript>
            <p class="notice" inner_html=t(frame::PAGE_NEEDS_SCRIPT_HTML)></p>
        </noscript>
    }
}

/// A document that is made without a request; `content` gives what stands in its head and its body.
fn unattended(
    site: Site,
    assets: &SiteAssets,
    language: Language,
    path: &str,
    content: impl FnOnce() -> (AnyView, AnyView),
) -> StaticShell {
    let starter = starter(assets);
    let html = Owner::new().with(|| {
        provide_context(language);
        let (head, body) = content();
        document("spa", site, language, (site.texts)(path), assets, &starter, head, body).to_html()
    });
    let hash = STANDARD.encode(Sha256::digest(starter.as_bytes()));
    StaticShell { html, script_hashes: vec![format!("'sha256-{hash}'")] }
}

/// The one document of both modes.
///
/// The starter comes before the style sheet, which would otherwise hold it back, and fetches the module and the
/// WebAssembly itself, so that they need no preload links: under `'strict-dynamic'` those would need a nonce too.
#[expect(clippy::too_many_arguments, reason = "a document is made of many things, in one place")]
fn document(
    render: &'static str,
    site: Site,
    language: Language,
    texts: &'static [Group],
    assets: &SiteAssets,
    starter: &str,
    head: AnyView,
    body: AnyView,
) -> impl IntoView + use<> {
    let starter = starter.to_owned();
    let css = assets.css.clone();
    // Whoever draws a link to the app elsewhere takes whole addresses only.
    let picture = site.picture.map(|picture| [&assets.origin, picture].concat());
    let description = (site.description)();
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() data-render=render>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <script nonce=use_nonce()>{starter}</script>
                <link rel="stylesheet" href=css />
                <texts::Element language groups=texts />
                <template id="offline">
                    <p class="page-notice notice">
                        {t(frame::PAGE_OFFLINE)}
                    </p>
                </template>
                <template id="no-cookies">
                    <p class="page-notice notice notice-problem">
                        {t(frame::PAGE_NO_COOKIES)}
                    </p>
                </template>
                <template id="not-started">
                    <div class="page" role="alert">
                        <strong>{t(frame::PAGE_NOT_STARTED)}</strong>
                        <p>{t(frame::PAGE_NOT_STARTED_WHY)}</p>
                        <p class="actions">
                            <a class="button" rel="external">
                                {t(frame::PAGE_RELOAD)}
                            </a>
                            <a class="quiet-link" href="/" rel="external">
                                {t(frame::NOT_FOUND_HOME)}
                            </a>
                        </p>
                    </div>
                </template>
                <meta name="description" content=description />
                <meta {..property("og:title")} content=site.name />
                <meta {..property("og:description")} content=description />
                <meta {..property("og:type")} content="website" />
                {picture
                    .map(|picture| {
                        view! {
                            <meta {..property("og:image")} content=picture />
                            <meta {..property("og:image:width")} content="1200" />
                            <meta {..property("og:image:height")} content="630" />
                            <meta name="twitter:card" content="summary_large_image" />
                        }
                    })}
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#fbfaf8" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#14161b" />
                <link rel="icon" href="/favicon.ico" sizes="32x32" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                {head}
            </head>
            <body>{body}</body>
        </html>
    }
}

/// How meta elements are named that say what a link to the page looks like elsewhere ([Open Graph](https://ogp.me/)).
fn property(name: &'static str) -> CustomAttr<&'static str, &'static str> {
    custom_attribute("property", name)
}

/// The inline script: without its comments and indentation, and with the addresses filled in.
fn starter(assets: &SiteAssets) -> String {
    let script: Vec<_> =
        include_str!("shell/starter.js").lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    script.join("\n").replace("JS_ADDRESS", &script_string(&assets.js)).replace("WASM_ADDRESS", &script_string(&assets.wasm))
}

/// `text` as a string literal that cannot end the script element it stands in.
fn script_string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_path_is_found_in_whatever_the_renderer_calls_an_address() {
        for (address, path) in [
            ("http://leptos.dev/flow?login=a://b/c", "/flow"),
            ("http://leptos.dev/", "/"),
            ("http://leptos.dev", "/"),
            ("/flow?to=http://x/y", "/flow"),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(path_of(address), path, "{address}");
        }
    }
}
