//! The home page: what this is.

use axum::{http::StatusCode, response::Response};

use super::{Escaped, login::accounts, page};
use crate::accounts::Account;

/// Who runs here, for whom, and who is signed in.
pub(crate) struct HomePage<'page> {
    pub(crate) issuer: &'page str,
    pub(crate) base: &'page str,
    pub(crate) client_name: &'page str,
    pub(crate) client_home: Option<String>,
    pub(crate) account: Option<&'page Account>,
}

impl HomePage<'_> {
    pub(crate) fn response(&self) -> Response {
        let client_name = Escaped(self.client_name);
        let (issuer, base) = (Escaped(self.issuer), self.base);
        let way_back = self
            .client_home
            .as_deref()
            .map(|home| format!(r#"<p class="actions"><a class="button" href="{}/">Go to {client_name}</a></p>"#, Escaped(home)))
            .unwrap_or_default();
        let session = self
            .account
            .map(|account| {
                format!(
                    r#"<p>You are signed in here as <strong>{}</strong>. <a href="{base}/logout">Sign out here</a></p>"#,
                    Escaped(account.name)
                )
            })
            .unwrap_or_default();
        let content = format!(
            r#"<h1>The demo provider</h1>
<p>This is a real OAuth 2.0 and OpenID Connect server, made for this computer only. It plays the part that GitHub or your
company’s sign-in page would play, so that you can try {client_name} without registering anything anywhere.</p>
<p>Nothing that you type here leaves this computer, and nobody here is real.</p>
{session}
{way_back}
{accounts}
<section aria-labelledby="addresses-title">
<h2 id="addresses-title">For developers</h2>
<dl class="addresses">
<div><dt>Issuer</dt><dd><code>{issuer}</code></dd></div>
<div><dt>Metadata</dt><dd><a href="{base}/.well-known/openid-configuration">/.well-known/openid-configuration</a></dd></div>
<div><dt>Keys</dt><dd><a href="{base}/jwks">/jwks</a></dd></div>
<div><dt>Notes API</dt><dd><code>{issuer}/notes</code>, with a bearer token of scope <code>notes:read</code> or <code>notes:write</code></dd></div>
</dl>
</section>"#,
            accounts = accounts(""),
        );
        page(StatusCode::OK, "What this is", &content)
    }
}
