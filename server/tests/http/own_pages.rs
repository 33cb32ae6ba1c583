//! An app of its developer's own, whose pages' paths have parameters: in both modes each is a page, for whoever is signed in.

use crate::support::{Browser, SignIn as _, StandInProvider, TestApp};
use leptos::prelude::*;
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    path,
};
use oauth2flow::{Served, Site};
use oauth2flow_app::kit::{SessionProvider, SignedIn, SignedOut};

#[component]
fn Library() -> impl IntoView {
    view! {
        <SessionProvider>
            <Router>
                <FlatRoutes fallback=|| "There is no such page">
                    <Route path=path!("/") view=Reader />
                    <Route path=path!("/books/:title") view=Reader />
                    <Route path=path!("/books/:title/pages/:number?") view=Reader />
                    <Route path=path!("/shelves/*place") view=Reader />
                    <Route path=path!("/language") view=Reader />
                    <Route path=path!("/texts/:version/:language/:group") view=Reader />
                </FlatRoutes>
            </Router>
        </SessionProvider>
    }
}

#[component]
fn Reader() -> impl IntoView {
    view! {
        <SignedIn let:person>
            <p>"A book for " {person.user.name.clone()}</p>
        </SignedIn>
        <SignedOut>
            <p>"A book for nobody"</p>
        </SignedOut>
    }
}

const PAGES: [&str; 9] = [
    "/",
    "/books/7",
    "/books/%C3%BCber",
    "/books/7/pages",
    "/books/7/pages/3?from=2",
    "/shelves/north/3/",
    "/shelves/x.css",
    "/language",
    "/texts/a/b/c",
];

async fn reader(render: &str) -> (TestApp, Browser) {
    let provider = StandInProvider::start().await;
    let site = Site::new("Library", || view! { <Library /> }.into_any());
    let builder = TestApp::builder().openid("alpha", &provider).served(Served { site, ..Served::default() });
    let app = builder.set("server.render", render).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    (app, browser)
}

#[tokio::test]
async fn a_page_whose_path_has_parameters_is_a_page() {
    for render in ["spa", "ssr"] {
        let (_app, browser) = reader(render).await;
        for path in PAGES {
            browser.navigate(path).send().await.assert_status(200);
        }
        for path in ["/books", "/books/7/page", "/books/7/pages/3/lines", "/shelf", "/texts", "/texts/a/b", "/nothing"] {
            assert_eq!(browser.navigate(path).send().await.status, 404, "{render} {path}");
        }
    }
}

#[tokio::test]
async fn a_page_whose_path_has_parameters_is_rendered_for_whoever_is_signed_in() {
    let (app, browser) = reader("ssr").await;
    for path in PAGES {
        let page = browser.navigate(path).send().await;
        assert!(page.text().contains("<p>A book for <!>Alice Example"), "{path} {}", page.text());
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(app.browser().navigate(path).send().await.text().contains("<p>A book for nobody"), "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_leads_to_the_page_and_nowhere_else() {
    for render in ["spa", "ssr"] {
        let (_app, browser) = reader(render).await;
        for (path, location) in [("/books/7/?from=2", "/books/7?from=2"), ("/language/", "/language")] {
            let answer = browser.navigate(path).send().await;
            assert_eq!(answer.assert_status(307).header("location"), Some(location));
        }
        for path in ["/nothing/", "/books/"] {
            browser.navigate(path).send().await.assert_status(404);
        }
    }
}
