//! Every page and its address.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    components::{FlatRoutes, Route},
    path,
};

#[cfg(feature = "ssr")]
use crate::texts::Group;
use crate::{
    on_demand::{Part, on_demand},
    pages::{
        account::Account, callback::Callback, flow::FlowPage, home::Home, lab::LabPage, learn::Learn, not_found::NotFound,
        problem::ProblemPage, signed_in::SignedInPage,
    },
};

/// Where the provider sends the browser back to.
pub const CALLBACK: &str = "/callback";

/// Where a sign-in ends that has happened in a window of its own.
pub const SIGNED_IN: &str = "/signed-in";

/// The pages' paths: what the app can show without asking the server for another document.
const PAGES: [&str; 8] = ["/", "/account", CALLBACK, "/problem", SIGNED_IN, "/flow", "/learn", "/lab"];

/// The page that belongs to the address.
#[component]
pub fn Routes() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFound>
            <Route path=path!("/") view=Home />
            <Route path=path!("/callback") view=Callback />
            <Route path=path!("/account") view=|| account().show() />
            <Route path=path!("/signed-in") view=SignedInPage />
            <Route path=path!("/problem") view=|| problem().show() />
            <Route path=path!("/flow") view=|| flow().show() />
            <Route path=path!("/learn") view=|| learn().show() />
            <Route path=path!("/lab") view=|| lab().show() />
        </FlatRoutes>
    }
}

fn account() -> Part {
    on_demand!(pages::account, [Pages], view! { <Account /> })
}

/// Fetches the page that most sign-ins lead to, while the server is still busy with one. Only for the browser.
pub(crate) fn prepare_account() {
    spawn_local(async {
        account().load().await;
    });
}

fn problem() -> Part {
    on_demand!(pages::problem, [Pages], view! { <ProblemPage /> })
}

fn flow() -> Part {
    on_demand!(flow::flow, [Pages, Flow], view! { <FlowPage /> })
}

fn learn() -> Part {
    on_demand!(learn::learn, [Pages, Flow, Learn], view! { <Learn /> })
}

fn lab() -> Part {
    on_demand!(lab::lab, [Pages, Flow, Lab], view! { <LabPage /> })
}

/// The part of the app that the page at `path` is in, unless it is the one that every page starts with.
#[cfg(any(feature = "hydrate", feature = "csr"))]
pub(crate) fn part_at(path: &str) -> Option<Part> {
    match path {
        "/account" => Some(account()),
        "/problem" => Some(problem()),
        "/flow" => Some(flow()),
        "/learn" => Some(learn()),
        "/lab" => Some(lab()),
        _ => None,
    }
}

/// The texts that the page at `path` begins with.
#[cfg(feature = "ssr")]
pub(crate) fn texts_at(path: &str) -> &'static [Group] {
    match path {
        "/" => &[Group::Frame],
        "/learn" => &[Group::Frame, Group::Pages, Group::Flow, Group::Learn],
        "/lab" => &[Group::Frame, Group::Pages, Group::Flow, Group::Lab],
        "/flow" => &[Group::Frame, Group::Pages, Group::Flow],
        _ => &[Group::Frame, Group::Pages],
    }
}

/// What the part of the app is called that the page at `path` is in.
#[cfg(feature = "ssr")]
pub(crate) fn part_name_at(path: &str) -> Option<&'static str> {
    match path {
        "/account" | "/problem" => Some("pages"),
        "/flow" => Some("flow"),
        "/learn" => Some("learn"),
        "/lab" => Some("lab"),
        _ => None,
    }
}

/// Whether the browser is on the callback page. Only for the browser.
pub fn is_callback() -> bool {
    location().pathname().is_ok_and(|path| path == CALLBACK)
}

/// Whether the app itself has a page at `address`, a path with its query and fragment.
pub fn is_page(address: &str) -> bool {
    PAGES.contains(&address.split(['?', '#']).next().unwrap_or_default())
}

/// `address` if it is a path of this origin that can be gone to, else the home page.
///
/// The server has checked it already; the browser does not follow anybody blindly.
pub fn safe_return_to(address: &str) -> &str {
    let same_origin = address.starts_with('/') && !address.starts_with("//");
    let harmless = address.chars().all(|letter| letter != '\\' && !letter.is_control() && !letter.is_whitespace());
    if same_origin && harmless { address } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{is_page, safe_return_to};

    #[test]
    fn a_path_of_this_origin_is_gone_to() {
        for address in ["/", "/account?tab=notes&empty=#Your%20notes", "/api/docs", "/ümlaut"] {
            assert_eq!(safe_return_to(address), address);
        }
    }

    #[test]
    fn anything_else_leads_home() {
        let addresses =
            ["", "account", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/ a"];
        for address in addresses {
            assert_eq!(safe_return_to(address), "/", "{address}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_path_alone() {
        assert!(is_page("/account?tab=1#x") && is_page("/#content") && is_page("/"));
        assert!(!is_page("/api/docs") && !is_page("/account/x") && !is_page(""));
    }
}
