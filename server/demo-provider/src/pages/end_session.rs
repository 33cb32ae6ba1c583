//! The question before a sign-out that nobody vouches for.

use axum::{http::StatusCode, response::Response};

use super::{Escaped, page};
use crate::accounts::Account;

/// Who would be signed out, and where the browser would go.
pub(crate) struct EndSessionPage<'page> {
    pub(crate) account: Option<&'page Account>,
    pub(crate) csrf: &'page str,
    pub(crate) post_logout_redirect_uri: Option<&'page str>,
    pub(crate) state: Option<&'page str>,
    pub(crate) client_home: Option<String>,
    pub(crate) base: &'page str,
}

impl EndSessionPage<'_> {
    pub(crate) fn response(&self) -> Response {
        let hidden = |name: &str, value: Option<&str>| {
            value.map(|value| format!(r#"<input type="hidden" name="{name}" value="{}">"#, Escaped(value))).unwrap_or_default()
        };
        let content = format!(
            r#"<h1>Sign out of Demo?</h1>
<p>You are signed in as <strong>{name}</strong>.</p>
<form method="post" action="{base}/logout/confirm">
<input type="hidden" name="csrf" value="{csrf}">
{redirect_uri}{state}
<div class="choices">
<button type="submit">Sign out</button>
<a class="button quiet" href="{stay}/">Stay signed in</a>
</div>
</form>"#,
            base = self.base,
            name = Escaped(self.account.map_or("somebody", |account| account.name)),
            csrf = Escaped(self.csrf),
            redirect_uri = hidden("post_logout_redirect_uri", self.post_logout_redirect_uri),
            state = hidden("state", self.state),
            stay = Escaped(self.client_home.as_deref().unwrap_or_default()),
        );
        page(StatusCode::OK, "Sign out", &content)
    }
}
