//! What a server has to know of the app that it serves: this crate's own, or one that is made of the [kit](crate::kit).

use leptos::prelude::*;
use std::fmt;

use crate::{
    App,
    components::{site_footer::SiteFooter, site_header::SiteHeader},
    routes::texts_at,
    texts::{Group, frame, t},
};

/// An app, as the server renders it. Only the first two parts have to be said:
///
/// ```
/// use leptos::prelude::*;
/// use oauth2flow_app::site::Site;
///
/// #[component]
/// fn App() -> impl IntoView {
///     "Hello"
/// }
///
/// let site = Site::new("Guestbook", || view! { <App /> }.into_any());
/// let site = Site { description: || "Who was here, and what they say.", ..site };
/// ```
#[derive(Clone, Copy)]
pub struct Site {
    /// What the app is called.
    pub name: &'static str,
    /// Everything inside `<body>`.
    pub app: fn() -> AnyView,
    /// What search engines say of it.
    pub description: fn() -> &'static str,
    /// The path of the picture that stands beside a link to the app elsewhere: 1200 by 630 pixels.
    pub picture: Option<&'static str>,
    /// The name of the home page, before the app has come.
    pub home: Option<fn() -> &'static str>,
    /// What stands above the word of patience that single-page mode shows until the app has come.
    pub header: fn() -> AnyView,
    /// What stands below it.
    pub footer: fn() -> AnyView,
    /// The texts that the page at a path begins with; the kit's are all in [`Group::Frame`] and [`Group::Pages`].
    pub texts: fn(path: &str) -> &'static [Group],
    /// What the page at a path has to know beyond who is signed in.
    pub needs: fn(path: &str) -> Needs,
}

/// What a page that the server renders has to know beyond who is signed in, so that it need not ask afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Where the user is signed in: `GET /sessions`.
    pub sessions: bool,
    /// The user's notes at the demo provider.
    pub notes: bool,
    /// This browser's own logins: `GET /flow`.
    pub flow: bool,
}

impl Site {
    /// An app of this name.
    pub const fn new(name: &'static str, app: fn() -> AnyView) -> Self {
        Self {
            name,
            app,
            description: || "",
            picture: None,
            home: None,
            header: || ().into_any(),
            footer: || ().into_any(),
            texts: |_| &[Group::Frame, Group::Pages],
            needs: |_| Needs::default(),
        }
    }

    /// This crate's own app.
    pub const fn own() -> Self {
        Self {
            description: || t(frame::PAGE_DESCRIPTION),
            picture: Some("/social.png"),
            home: Some(|| t(frame::HEADER_HOME)),
            header: || view! { <SiteHeader path=Signal::stored(String::new()) /> }.into_any(),
            footer: || view! { <SiteFooter /> }.into_any(),
            texts: texts_at,
            needs: |path| {
                let account = path == "/account";
                Needs { sessions: account, notes: account, flow: matches!(path, "/flow" | "/learn") }
            },
            ..Self::new("oauth2flow", || view! { <App /> }.into_any())
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::own()
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("name", &self.name).finish_non_exhaustive()
    }
}
