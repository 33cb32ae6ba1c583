//! What the server writes into each page.
#![cfg(feature = "ssr")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use leptos::{nonce::Nonce, prelude::*};
use leptos_meta::ServerMetaContext;
use leptos_router::{components::Router, location::RequestUrl};
use oauth2flow_app::{
    api::{AccessTokenLifetime, Note, Problem, Provider, Session, SessionLifetime, SessionSummary, SignedIn, User},
    components::{problem_notice::ProblemNotice, problem_view::ProblemView},
    flow::{Flow, LoginOutcome, Parameter, ParameterValue, Place},
    handover::HandedFlow,
    language::Language,
    problem::{NextStep, ProblemCode},
    shell::{RequestContext, SetStatus, SiteAssets, StaticShell, home_shell, shell, static_shell},
    site::Site,
};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

const NOW: i64 = 1_795_345_020;

fn assets() -> SiteAssets {
    SiteAssets {
        js: "/pkg/oauth2flow.0123456789abcdef.js".to_owned(),
        wasm: "/pkg/oauth2flow.fedcba9876543210.wasm".to_owned(),
        css: "/pkg/oauth2flow.0011223344556677.css".to_owned(),
        sheets: ["flow", "learn"].map(|part| (part.to_owned(), "/pkg/flow.8899aabbccddeeff.css".to_owned())).into(),
        origin: "https://app.example".to_owned(),
    }
}

fn providers() -> Vec<Provider> {
    vec![Provider { id: "demo".to_owned(), name: "Demo".to_owned(), icon: "demo".to_owned() }]
}

fn alice() -> SignedIn {
    SignedIn {
        authenticated: true,
        user: User {
            sub: "a1".to_owned(),
            name: Some("Alice Example".to_owned()),
            login: Some("alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            email_verified: Some(true),
            picture: None,
        },
        provider: "demo".to_owned(),
        scopes: vec!["openid".to_owned(), "notes:read".to_owned()],
        session: SessionLifetime {
            created_at: "2026-11-22T10:57:00Z".to_owned(),
            idle_expires_at: "2026-11-22T11:26:12Z".to_owned(),
            expires_at: "2026-11-22T18:57:00Z".to_owned(),
        },
        access_token: AccessTokenLifetime { expires_at: Some("2026-11-22T10:56:00Z".to_owned()), refreshable: true },
        authenticated_at: Some("2026-11-22T10:57:00Z".to_owned()),
        acr: None,
    }
}

fn signed_in(signed_in: SignedIn) -> RequestContext {
    RequestContext {
        language: Language::En,
        session: Some(Session::SignedIn(Box::new(signed_in))),
        providers: providers(),
        csrf_token: Some("csrf-42".to_owned()),
        notes: Some(Vec::new()),
        sessions: Some(Vec::new()),
        flow: None,
        run: None,
        now_unix_seconds: NOW,
    }
}

fn anonymous() -> RequestContext {
    RequestContext { session: Some(Session::anonymous()), providers: providers(), now_unix_seconds: NOW, ..RequestContext::default() }
}

/// The page at `url`, and the status that it asks for.
fn render(url: &str, context: RequestContext) -> (String, Option<u16>) {
    let status = Arc::new(AtomicU16::new(0));
    let set_status = SetStatus(Arc::new({
        let status = Arc::clone(&status);
        move |code| status.store(code, Ordering::Relaxed)
    }));
    let (meta, _output) = ServerMetaContext::new();
    let html = Owner::new().with(|| {
        provide_context(RequestUrl::new(url));
        provide_context(meta);
        provide_context(Nonce::from_value("n0nce"));
        provide_context(set_status);
        provide_context(context);
        shell(Site::own(), &assets()).to_html()
    });
    // The markers that hydration goes by stand between pieces of text.
    let html = html.replace("<!>", "");
    (html, Some(status.load(Ordering::Relaxed)).filter(|&status| status != 0))
}

fn html(url: &str, context: RequestContext) -> String {
    render(url, context).0
}

/// What stands between the one opening and closing tag of that name.
fn element<'a>(html: &'a str, name: &str) -> &'a str {
    let (before, rest) = html.split_once(&format!("<{name}")).unwrap_or_else(|| panic!("no <{name}> in {html}"));
    let (content, after) = rest.split_once(&format!("</{name}>")).unwrap();
    assert!(!before.contains(&format!("</{name}>")) && !after.contains(&format!("<{name}")), "one <{name}>");
    content.split_once('>').unwrap().1
}

#[test]
fn every_page_is_a_whole_document_with_one_heading() {
    let pages = [
        ("/", anonymous(), "Sign in, and see how it works"),
        ("/", signed_in(alice()), "Sign in, and see how it works"),
        ("/account", anonymous(), "Sign in to see your account"),
        ("/account", signed_in(alice()), "Your account"),
        ("/account", RequestContext::default(), "Your account"),
        ("/callback?code=c&state=s", RequestContext::default(), "Finishing your sign-in"),
        ("/problem?code=access_denied&request_id=r-1", anonymous(), "You cancelled the sign-in"),
        ("/nowhere", anonymous(), "There is nothing here"),
    ];
    for (url, context, heading) in pages {
        let html = html(url, context);
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\" data-render=\"ssr\">"), "{url}: {html}");
        assert_eq!(element(&html, "h1"), heading, "{url}");
        assert!(html.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"), "{url}");
        assert!(html.contains("<main id=\"content\" tabindex=\"-1\">"), "{url}");
        assert!(html.contains("Skip to content"), "{url}");
        assert!(html.contains("<nav aria-label=\"Main\">"), "{url}");
        assert!(html.contains(&format!("<link rel=\"stylesheet\" href=\"{}\">", assets().css)), "{url}");
    }
}

#[test]
fn nothing_in_a_page_is_forbidden_by_its_content_security_policy() {
    let urls = ["/", "/account", "/callback?code=c&state=s", "/problem?code=login_expired", "/nowhere"];
    for url in urls {
        for context in [anonymous(), signed_in(alice()), RequestContext::default()] {
            let html = html(url, context);
            assert!(!html.contains(" style="), "{url} has an inline style");
            assert!(!html.contains("<style"), "{url} has a style element");
            assert!(!html.contains(" onclick=") && !html.contains("javascript:"), "{url} has an inline handler");
            let scripts = html.matches("<script").count();
            assert!(scripts >= 1 && html.matches("<script nonce=\"n0nce\">").count() == scripts, "{url} has a script without the nonce");
        }
    }
}

#[test]
fn home_offers_a_link_to_each_provider_that_leaves_the_router() {
    let html = html("/", anonymous());
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=demo&amp;return_to=/account\""), "{html}");
    assert!(html.contains("rel=\"external\""));
    assert!(html.contains("<span>Sign in with Demo</span>"));
}

#[test]
fn home_greets_who_is_signed_in() {
    let html = html("/", signed_in(alice()));
    assert!(html.contains("Signed in as <strong>Alice Example</strong>"), "{html}");
    assert!(html.contains("Open your account") && html.contains("See how you just signed in"));
    assert!(html.contains("<h2 id=\"steps\">What happened when you signed in</h2>"), "{html}");
    assert!(!html.contains("/oauth/login"));
}

#[test]
fn the_page_that_is_open_is_marked_in_the_navigation() {
    let html = html("/account", anonymous());
    assert!(html.contains("<a href=\"/account\" aria-current=\"page\">Account</a>"), "{html}");
    assert_eq!(html.matches("aria-current=\"page\"").count(), 1);
}

#[test]
fn the_account_shows_the_user_the_lifetimes_and_the_way_out() {
    let mut context = signed_in(alice());
    context.notes =
        Some(vec![Note { id: "n1".to_owned(), text: "Buy <b>milk</b>".to_owned(), created_at: "2026-11-22T10:57:00Z".to_owned() }]);
    let html = html("/account", context);
    for (term, description) in [
        ("Username", "alice"),
        ("Email", "<span class=\"address\">alice@<wbr>example.com</span> <span class=\"tag\">verified</span>"),
        ("Identifier", "<code>a1</code>"),
        ("Provider", "Demo"),
    ] {
        assert!(html.contains(&format!("<dt>{term}</dt><dd>{description}</dd>")), "{term}: {html}");
    }
    assert!(html.contains("<section aria-labelledby=\"identity\" class=\"card identity\">"), "{html}");
    assert!(html.contains("<h2 id=\"identity\"><bdi>Alice Example</bdi></h2>"), "{html}");
    assert!(html.contains("<a href=\"/flow\" class=\"button\">See how you just signed in</a>"), "{html}");
    assert!(html.contains("<code>openid</code>") && html.contains("<code>notes:read</code>"));
    assert!(html.contains("<time datetime=\"2026-11-22T11:26:12Z\" aria-live=\"off\">29 minutes 12 seconds</time>"), "{html}");
    assert!(html.contains("<time datetime=\"2026-11-22T18:57:00Z\" aria-live=\"off\">8 hours 0 minutes</time>"));
    assert!(html.contains("renewed the next time it is used"), "the access token has ended");
    assert!(html.contains(">22 November 2026</time>"), "{html}");
    assert!(html.contains("method=\"post\" action=\"/api/v1/oauth/logout\""));
    assert!(html.contains("<input type=\"hidden\" name=\"csrf_token\" value=\"csrf-42\">"), "{html}");
    assert!(html.contains("Buy &lt;b&gt;milk&lt;/b&gt;"));
    assert!(html.contains("aria-label=\"Delete note: Buy"));
    assert!(html.contains("<label for=\"new-note\">New note</label>"));
}

#[test]
fn nothing_is_said_about_other_sessions_until_they_are_known() {
    let nowhere_else = "You are signed in nowhere else.";
    let told = |sessions| html("/account", RequestContext { sessions, ..signed_in(alice()) });
    let session = |id: &str, current| SessionSummary {
        id: id.to_owned(),
        provider: "demo".to_owned(),
        browser: Some("Firefox".to_owned()),
        system: Some("Linux".to_owned()),
        address: None,
        created_at: "2026-11-22T10:57:00Z".to_owned(),
        last_seen_at: "2026-11-22T10:57:00Z".to_owned(),
        current,
    };
    let unknown = told(None);
    assert!(!element(&unknown, "main").contains(nowhere_else), "{unknown}");
    assert!(element(&told(Some(vec![session("s1", true)])), "main").contains(nowhere_else));
    let two = told(Some(vec![session("s1", true), session("s2", false)]));
    assert!(!element(&two, "main").contains(nowhere_else) && two.contains("aria-label=\"Sign out Firefox on Linux, last used "), "{two}");
}

#[test]
fn notes_are_for_the_provider_that_has_them() {
    let html = html("/account", signed_in(SignedIn { provider: "github".to_owned(), ..alice() }));
    assert!(html.contains("add it to <code>oauth2flow.toml</code> as an upstream"), "{html}");
    assert!(!element(&html, "main").contains("New note"));
}

#[test]
fn a_signed_out_account_page_comes_back_to_itself_with_its_query() {
    let html = html("/account?tab=1&x=%2F", anonymous());
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=demo&amp;return_to=/account%3Ftab%3D1%26x%3D%252F\""), "{html}");
}

#[test]
fn a_hostile_user_name_stays_text() {
    let hostile = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>";
    let user = User {
        sub: hostile.to_owned(),
        name: Some(hostile.to_owned()),
        login: Some(hostile.to_owned()),
        email: Some(hostile.to_owned()),
        email_verified: None,
        picture: Some("https://images.example/\"onload=\"alert(1)".to_owned()),
    };
    let hostile_session = SignedIn { user, scopes: vec![hostile.to_owned()], ..alice() };
    for url in ["/", "/account"] {
        let html = html(url, signed_in(hostile_session.clone()));
        assert!(!html.contains("<script>alert"), "{url}: {html}");
        assert!(!html.contains("<img src=x"), "{url}");
        assert!(!html.contains("\"onload=\"alert"), "{url}");
        assert!(html.contains("&lt;img src=x"), "{url}");
    }
}

#[test]
fn a_picture_is_only_taken_from_https() {
    let picture = |address: &str| {
        let user = User { picture: Some(address.to_owned()), ..alice().user };
        html("/account", signed_in(SignedIn { user, ..alice() }))
    };
    let page = picture("https://images.example/a.png");
    assert!(page.contains("<img src=\"https://images.example/a.png\" alt=\"\""), "{page}");
    assert!(page.contains("referrerpolicy=\"no-referrer\""));
    for address in ["http://images.example/a.png", "javascript:alert(1)", "data:text/html,x", "//images.example/a.png"] {
        assert!(!picture(address).contains("<img"), "{address}");
    }
}

#[test]
fn the_callback_holds_a_form_for_browsers_without_scripts_and_nobody_s_session() {
    let html = html(
        "/callback?code=a%22b%3Cc&state=s%26t&iss=http%3A%2F%2F127.0.0.1%3A4000&session_state=x",
        RequestContext { csrf_token: None, ..anonymous() },
    );
    let form = element(&html, "noscript");
    assert!(form.starts_with("<form method=\"post\" action=\"/api/v1/oauth/code\">"), "{form}");
    assert!(form.contains("<input type=\"hidden\" name=\"code\" value=\"a&quot;b&lt;c\">"), "{form}");
    assert!(form.contains("<input type=\"hidden\" name=\"state\" value=\"s&amp;t\">"), "{form}");
    assert!(form.contains("<input type=\"hidden\" name=\"iss\" value=\"http://127.0.0.1:4000\">"), "{form}");
    assert!(form.contains("<button type=\"submit\" class=\"button\">Continue</button>"), "{form}");
    assert!(!form.contains("session_state"));
    assert!(html.contains("role=\"status\""));
}

#[test]
fn a_signed_answer_is_posted_as_it_came() {
    let html = html("/callback?response=eyJ.eyJ.c2ln", anonymous());
    let form = element(&html, "noscript");
    assert!(form.contains("<input type=\"hidden\" name=\"response\" value=\"eyJ.eyJ.c2ln\">"), "{form}");
    assert_eq!(form.matches("<input").count(), 1, "{form}");
}

#[test]
fn a_callback_without_an_answer_has_no_form() {
    let nothing = html("/callback", anonymous());
    assert!(element(&nothing, "noscript").contains("nothing to finish"), "{nothing}");
    assert!(!element(&nothing, "main").contains("<form"), "{nothing}");
}

#[test]
fn an_answer_that_repeats_something_is_posted_as_it_came_for_the_server_to_refuse() {
    let html = html("/callback?code=a%22&state=s&code=b&%3Ci%3E=x", anonymous());
    let form = element(&html, "noscript");
    let names: Vec<_> = form.split("name=\"").skip(1).filter_map(|rest| rest.split("\">").next()).collect();
    assert_eq!(names, ["code\" value=\"a&quot;", "state\" value=\"s", "code\" value=\"b", "&lt;i&gt;\" value=\"x"], "{form}");
}

#[test]
fn every_problem_has_a_page_with_its_status_its_words_and_the_next_step() {
    for code in ProblemCode::ALL {
        let explanation = code.explain();
        let (html, status) = render(&format!("/problem?code={}&request_id=01J-abc", explanation.code), anonymous());
        assert_eq!(status, Some(explanation.status), "{code:?}");
        assert_eq!(element(&html, "h1").replace("&#x27;", "'"), explanation.title);
        assert!(html.contains(explanation.advice), "{code:?}: {html}");
        assert!(html.contains(&format!("<code>{}</code>", explanation.code)), "{code:?}");
        assert!(html.contains("Request ID: <code>01J-abc</code>"), "{code:?}");
        let step = match explanation.next {
            NextStep::SignInAgain => "Sign in again",
            NextStep::SignIn => "Sign in<",
            NextStep::UseAnotherAccount => "Use another account",
            // What was tried is not known here, so nothing is called another try.
            NextStep::OpenAccount | NextStep::TryLater => "Open your account",
            NextStep::Reload => "Reload",
            NextStep::GoHome | NextStep::AskOperator => "Go to the home page",
        };
        assert!(element(&html, "article").contains(step), "{code:?}: {html}");
    }
}

#[test]
fn whoever_is_kept_out_is_told_as_whom_and_can_use_another_account() {
    let view = |login_url: Option<&str>| {
        let detail = "You are signed in at GitHub as <b>alice@example.com</b>.".to_owned();
        let problem = Problem { detail, login_url: login_url.map(str::to_owned), ..Problem::local(ProblemCode::NotPermitted) };
        Owner::new().with(|| {
            provide_context(RequestUrl::new("/callback"));
            provide_context(ServerMetaContext::new().0);
            view! {
                <Router>
                    <ProblemView problem />
                </Router>
            }
            .to_html()
        })
    };
    let html = view(Some("/api/v1/oauth/login?provider=github&prompt=select_account"));
    assert!(html.contains("as &lt;b>alice@example.com&lt;/b>.") || html.contains("as &lt;b&gt;alice@example.com"), "{html}");
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=github&amp;prompt=select_account&amp;return_to=/\""), "{html}");
    assert!(html.contains("rel=\"external\"") && html.contains("Use another account"), "{html}");
    assert!(html.find("alice@example.com") < html.find(ProblemCode::NotPermitted.explain().advice), "as whom comes first: {html}");
    for elsewhere in [None, Some("https://evil.example/api/v1/oauth/login?"), Some("javascript:alert(1)")] {
        let html = view(elsewhere);
        assert!(html.contains("href=\"/account\"") && !html.contains("evil") && !html.contains("javascript"), "{html}");
    }
}

#[test]
fn a_sign_in_that_failed_is_tried_again_and_leads_to_where_it_was_to_lead() {
    let login_url = "%2Fapi%2Fv1%2Foauth%2Flogin%3Fprovider%3Dgithub";
    for (code, words) in [("login_expired", "Sign in again"), ("provider_timeout", "Try again"), ("interaction_required", "Sign in")] {
        let page = |return_to: &str| {
            let (html, _) = render(&format!("/problem?code={code}&login_url={login_url}&return_to={return_to}"), anonymous());
            element(&html, "article").to_owned()
        };
        let html = page("%2Faccount%3Ftab%3D1");
        let link = format!(
            "href=\"/api/v1/oauth/login?provider=github&amp;return_to=/account%3Ftab%3D1\" rel=\"external\" class=\"button\">{words}</a>"
        );
        assert!(html.contains(&link), "{html}");
        assert!(html.contains("href=\"/\" class=\"quiet-link\">Go to the home page</a>"), "{html}");
        for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", ""] {
            assert!(page(elsewhere).contains("provider=github&amp;return_to=/\""), "{elsewhere}");
        }
    }
}

#[test]
fn the_page_about_a_problem_leads_to_a_sign_in_here_or_nowhere() {
    let page = |login_url: &str| render(&format!("/problem?code=not_permitted&request_id=r-1&login_url={login_url}"), anonymous()).0;
    let html = page("%2Fapi%2Fv1%2Foauth%2Flogin%3Fprovider%3Dgithub%26prompt%3Dlogin");
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=github&amp;prompt=login&amp;return_to=/\""), "{html}");
    for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "javascript%3Aalert(1)"] {
        let html = page(elsewhere);
        assert!(!element(&html, "article").contains("evil") && !html.contains("alert(1)"), "{html}");
    }
}

#[test]
fn a_call_that_wants_a_better_sign_in_offers_it_and_comes_back() {
    let notice = |login_url: Option<&str>| {
        let problem = Problem { login_url: login_url.map(str::to_owned), ..Problem::local(ProblemCode::StepUpRequired) };
        Owner::new().with(|| {
            provide_context(RequestUrl::new("/account?tab=1"));
            view! {
                <Router>
                    <ProblemNotice problem retry=Callback::new(|()| ()) />
                </Router>
            }
            .to_html()
        })
    };
    let html = notice(Some("/api/v1/oauth/login?provider=demo&upstream=notes"));
    assert!(html.contains("provider=demo&amp;upstream=notes&amp;return_to=/account%3Ftab%3D1\""), "{html}");
    assert!(html.contains("rel=\"external\"") && html.contains("Confirm it is you</a>"), "{html}");
    assert!(!html.contains("Try again"), "trying again would not help: {html}");
    assert!(html.contains(ProblemCode::StepUpRequired.explain().advice), "{html}");
    for elsewhere in [None, Some("https://evil.example/api/v1/oauth/login?"), Some("javascript:alert(1)")] {
        let html = notice(elsewhere);
        assert!(!html.contains("<a ") && html.contains("Try again"), "{html}");
        assert!(!html.contains(ProblemCode::StepUpRequired.explain().advice), "there is no sign-in that would help: {html}");
    }
}

#[test]
fn a_problem_that_is_not_known_shows_nothing_from_the_address() {
    let (html, status) = render("/problem?code=%3Cscript%3Ealert(1)%3C/script%3E&request_id=%3Cimg%20src%3Dx%3E", anonymous());
    assert_eq!(status, Some(500));
    assert_eq!(element(&html, "h1"), "Something went wrong here");
    let page = element(&html, "main");
    assert!(!page.contains("alert(1)") && !page.contains("src=x") && !page.contains("Request id"), "{page}");
}

#[test]
fn an_address_without_a_page_is_not_found() {
    let (html, status) = render("/accounts/../nowhere?x=<y>", anonymous());
    assert_eq!(status, Some(404));
    assert!(html.contains("Go to the home page"));
    assert_eq!(render("/", anonymous()).1, None);
}

#[test]
fn without_any_context_the_app_still_renders() {
    let html = html("/", RequestContext::default());
    assert!(html.contains("Loading…"), "{html}");
    assert!(html.contains("</html>"));
}

#[test]
fn the_static_document_is_named_by_the_hash_of_its_script() {
    let StaticShell { html, script_hashes } = static_shell(Site::own(), &assets(), Language::En, "/");
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\" data-render=\"spa\">"), "{html}");
    assert_eq!(html.matches("<script").count(), 1);
    let script = element(&html, "script");
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, Sha256::digest(script.as_bytes()));
    assert_eq!(script_hashes, [format!("'sha256-{hash}'")]);
    assert!(script.contains("import(\"/pkg/oauth2flow.0123456789abcdef.js\")"), "{script}");
    assert!(script.contains("fetch(\"/pkg/oauth2flow.fedcba9876543210.wasm\")"), "{script}");
    assert!(!html.contains("nonce"), "{html}");
    assert!(!html.contains(" style=") && !html.contains("<style"));
    assert!(html.contains("<title>oauth2flow</title>"));
    assert!(html.contains("<h1>oauth2flow</h1>") && html.contains("Loading…") && html.contains("<noscript>"));
    assert_eq!(static_shell(Site::own(), &assets(), Language::En, "/"), StaticShell { html, script_hashes });
}

#[test]
fn a_link_to_the_app_can_be_drawn_with_a_picture() {
    let html = html("/learn", anonymous());
    assert!(html.contains("<meta property=\"og:image\" content=\"https://app.example/social.png\">"), "{html}");
    assert!(html.contains("<meta name=\"twitter:card\" content=\"summary_large_image\">"), "{html}");
    assert!(html.contains("<meta property=\"og:title\" content=\"oauth2flow\">"), "{html}");
    assert!(html.contains("<link rel=\"apple-touch-icon\" href=\"/apple-touch-icon.png\">"), "{html}");
    let other = Site::new("Guestbook", || ().into_any());
    let other = static_shell(other, &assets(), Language::En, "/").html;
    assert!(!other.contains("og:image") && !other.contains("twitter:"), "{other}");
}

#[test]
fn only_the_pages_of_a_part_carry_its_style_sheet() {
    let sheet = |url: &str| html(url, anonymous()).contains("<link rel=\"stylesheet\" href=\"/pkg/flow.8899aabbccddeeff.css\">");
    for (url, expected) in [("/flow", true), ("/flow?login=a", true), ("/learn", true), ("/", false), ("/account", false), ("/x", false)] {
        assert_eq!(sheet(url), expected, "{url}");
    }
    let without =
        static_shell(Site::own(), &assets(), Language::En, "/").html + &home_shell(Site::own(), &assets(), Language::En, providers()).html;
    assert!(!without.contains("/pkg/flow."), "the app fetches it with the part");
}

#[test]
fn an_address_cannot_break_out_of_the_script() {
    let hostile = SiteAssets { js: "/pkg/\"</script><script>alert(1)//".to_owned(), ..assets() };
    let html = static_shell(Site::own(), &hostile, Language::En, "/").html;
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert!(html.contains("import(\"/pkg/\\\"\\u003c/script>\\u003cscript>alert(1)//\")"), "{html}");
}

/// A login that worked, and one that the user refused.
fn recorded(names: &[&str]) -> RequestContext {
    let logins = names.iter().map(|&name| match name {
        "signed_in" => include_str!("flow/signed_in.json"),
        _ => include_str!("flow/denied.json"),
    });
    let flow = Flow { logins: logins.map(|text| serde_json::from_str(text).unwrap()).collect() };
    RequestContext { flow: Some(HandedFlow::new(Some(&flow))), ..anonymous() }
}

#[test]
fn the_x_ray_of_a_good_login_is_whole_without_a_script() {
    let html = html("/flow", recorded(&["signed_in"]));
    assert_eq!(element(&html, "h1"), "How you signed in with Demo");
    assert_eq!(html.matches("<summary class=\"line\"").count(), 14);
    assert_eq!(html.matches("<details id=\"message-").count(), 14);
    assert!(!html.contains("<details id=\"message-1\" open"), "{html}");
    // Every parameter with what it is for and who says so, every check with its verdict.
    assert!(html.contains("<code>code_challenge</code>") && html.contains("href=\"https://www.rfc-editor.org/rfc/rfc7636#section-4.3\""));
    assert!(html.contains("The state that came back is the one that was sent"));
    assert!(html.contains("<li class=\"check skipped\">") && !html.contains("<li class=\"check failed\">"));
    assert!(html.contains("nobody asked for it"));
    // The state is seen to be the same wherever it turns up.
    assert!(html.contains("hidden: 65 characters, fingerprint "), "{html}");
    assert!(html.contains("<a href=\"#message-5\" rel=\"external\">message 5</a>"));
    assert!(html.contains("<a href=\"#id-token\" rel=\"external\">the ID token</a>"));
    // The ID token, the metadata, the times, and all of it in words.
    assert!(html.contains("22 November 2026, 10:57:00 UTC"));
    assert!(html.contains("Where browsers are sent to sign in."));
    assert!(html.contains("Step 6: the backend exchanges the code for tokens"));
    assert!(
        html.contains("Backend to Provider, back channel, after 6.45 s: exchanges the code (POST http://127.0.0.1:4000/token)."),
        "{html}"
    );
    assert!(html.contains("class=\"arrow left-2 right-3 onward back\"") && html.contains("class=\"arrow left-0 right-2 onward front\""));
}

#[test]
fn a_failed_login_is_open_where_it_failed() {
    let html = html("/flow", recorded(&["denied", "signed_in"]));
    assert_eq!(element(&html, "h1"), ProblemCode::AccessDenied.explain().title);
    assert_eq!(html.matches("<details id=\"message-6\" open").count(), 1, "{html}");
    assert_eq!(html.matches("<details").count() - html.matches("<details class=").count(), 7);
    assert!(!html.contains("<details id=\"message-5\" open"), "only that one");
    assert!(html.contains("<strong class=\"failure\">failed here</strong>"));
    assert!(html.contains("the provider answered with access_denied") && html.contains("a check before it has failed"));
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=demo&amp;return_to=/flow\""), "the way on");
    assert!(html.contains("The user said &lt;b&gt;no&lt;/b&gt;.") && !html.contains("<b>no"), "a provider's words are text");
    assert!(html.contains("Other sign-ins in this browser (1)") && html.contains("href=\"/flow?login=k3v9\""));
}

#[test]
fn the_address_chooses_the_login() {
    let html = html("/flow?login=k3v9", recorded(&["denied", "signed_in"]));
    assert_eq!(element(&html, "h1"), "How you signed in with Demo");
    assert!(html.contains("href=\"/flow?login=d3n1\""));
}

#[test]
fn without_a_login_the_x_ray_offers_one_and_says_where_none_is_kept() {
    let empty = html("/flow", recorded(&[]));
    assert_eq!(element(&empty, "h1"), "See a sign-in from the inside");
    assert!(empty.contains("href=\"/api/v1/oauth/login?provider=demo&amp;return_to=/flow\""), "{empty}");
    let off = html("/flow", RequestContext { flow: Some(HandedFlow::new(None)), ..anonymous() });
    assert_eq!(element(&off, "h1"), "Sign-ins are not recorded here");
    assert!(off.contains("<code>enabled = true</code> under <code>[flow]</code>"), "{off}");
    assert!(!off.contains("/oauth/login"));
}

#[test]
fn the_story_is_told_with_the_reader_s_own_login() {
    let own = html("/learn", recorded(&["denied", "signed_in"]));
    assert_eq!(element(&own, "h1"), "How a sign-in works");
    assert_eq!(own.matches("class=\"own-step\"").count(), 7);
    for part in [
        "In your sign-in it was at <code>127.0.0.1:4000</code>",
        "href=\"/flow?login=k3v9#message-7\"",
        "<code class=\"call\">http://127.0.0.1:4000/token</code>",
    ] {
        assert!(own.contains(part), "{part} in {own}");
    }
    for context in [recorded(&[]), anonymous(), RequestContext { flow: Some(HandedFlow::new(None)), ..anonymous() }] {
        let general = html("/learn", context);
        assert!(!general.contains("own-step") && general.contains("Resource Owner"), "{general}");
        assert_eq!(element(&general, "main").matches("In the specification: ").count(), 7);
    }
}

#[test]
fn nothing_in_a_recorded_login_is_forbidden_or_runs() {
    let hostile = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>";
    let RequestContext { flow: Some(HandedFlow::Recorded(text)), .. } = recorded(&["signed_in", "denied"]) else { panic!("recorded") };
    let mut flow: Flow = serde_json::from_str(&text).unwrap();
    for login in &mut flow.logins {
        login.provider_name = hostile.to_owned();
        login.started_at = hostile.to_owned();
        login.metadata = Some(serde_json::json!({ hostile: hostile }));
        if let LoginOutcome::Failed(failure) = &mut login.outcome {
            failure.detail = hostile.to_owned();
        }
        for message in &mut login.messages {
            message.address = Some(hostile.to_owned());
            message.error = Some(hostile.to_owned());
            message.parameters.push(Parameter {
                name: hostile.to_owned(),
                place: Place::Body,
                value: ParameterValue::Shown(hostile.to_owned()),
            });
        }
    }
    let context = RequestContext { flow: Some(HandedFlow::new(Some(&flow))), ..anonymous() };
    for url in ["/flow", "/flow?login=d3n1", "/learn"] {
        let html = html(url, context.clone());
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{url}: {html}");
        assert!(html.contains("&lt;img src=x"), "{url}");
        assert!(!html.contains(" style=") && !html.contains(" onclick=") && !html.contains("javascript:"), "{url}");
    }
}

#[test]
fn the_home_page_of_single_page_mode_has_links_that_work_before_the_app_is_there() {
    let StaticShell { html, script_hashes } = home_shell(Site::own(), &assets(), Language::En, providers());
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\" data-render=\"spa\">"), "{html}");
    assert_eq!(element(&html, "h1"), "Sign in, and see how it works");
    assert!(html.contains("href=\"/api/v1/oauth/login?provider=demo&amp;return_to=/account\""), "{html}");
    let known = r#"<script type="application/json" id="known">{"session":{"authenticated":false},"providers":[{"id":"demo""#;
    assert!(html.contains(known), "{html}");
    assert!(html.contains("<noscript>"));
    assert_eq!(script_hashes, static_shell(Site::own(), &assets(), Language::En, "/").script_hashes);
}

#[test]
fn no_name_of_a_provider_gets_out_of_what_the_page_knows() {
    let provider = Provider { name: "</script><b>".to_owned(), ..providers().remove(0) };
    let StaticShell { html, .. } = home_shell(Site::own(), &assets(), Language::En, vec![provider]);
    assert!(!html.contains("</script><b>"), "{html}");
    assert!(html.contains(r"\u003c/script>\u003cb>"), "{html}");
}

#[test]
fn the_lab_is_where_the_demo_provider_is_and_nowhere_else() {
    let open = html("/lab", anonymous());
    assert_eq!(element(&open, "h1"), "The attack lab");
    assert_eq!(open.matches("role=\"switch\"").count(), 5);
    let on = open.split("<input").skip(1).filter(|input| input.split('>').next().is_some_and(|tag| tag.contains(" checked"))).count();
    assert_eq!(on, 5, "every defence is on until somebody switches it off");
    let others = providers().into_iter().filter(|provider| provider.icon != "demo").collect();
    let closed = html("/lab", RequestContext { providers: others, ..anonymous() });
    assert_eq!(element(&closed, "h1"), "The attack lab");
    assert!(!closed.contains("role=\"switch\"") && closed.contains("only beside the demo provider"), "{closed}");
    let link = "href=\"/lab\"";
    let way = |url, context| html(url, context).contains(link);
    assert!(way("/learn", anonymous()) && !way("/learn", RequestContext { providers: Vec::new(), ..anonymous() }));
    for logins in [&[][..], &["signed_in"]] {
        assert!(
            way("/flow", recorded(logins)) && !way("/flow", RequestContext { providers: Vec::new(), ..recorded(logins) }),
            "{logins:?}"
        );
    }
}
