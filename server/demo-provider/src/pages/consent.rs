//! The consent page.

use axum::{http::StatusCode, response::Response};

use super::{Escaped, assets, page};
use crate::{accounts::Account, scope::ScopeSet};

/// What is asked, for whom, and of whom.
pub(crate) struct ConsentPage<'page> {
    pub(crate) client_name: &'page str,
    pub(crate) client_home: Option<String>,
    pub(crate) base: &'page str,
    pub(crate) transaction: &'page str,
    pub(crate) csrf: &'page str,
    pub(crate) account: &'page Account,
    pub(crate) scope: &'page ScopeSet,
}

impl ConsentPage<'_> {
    pub(crate) fn response(&self) -> Response {
        let scopes = self
            .scope
            .iter()
            .map(|scope| format!("<li>{}<span>{}</span></li>\n", assets::CHECK, Escaped(&scope.in_words(self.account))))
            .collect::<Vec<_>>()
            .concat();
        let destination = self
            .client_home
            .as_deref()
            .map(|home| format!(r#"<p class="small">Either way you go back to <span class="address">{}</span>.</p>"#, Escaped(home)))
            .unwrap_or_default();
        let initial: String = self.account.name.chars().take(1).collect();
        let content = format!(
            r#"<h1>{client_name} would like to</h1>
<ul class="scopes">
{scopes}</ul>
<div class="person">
<span class="initial" aria-hidden="true">{initial}</span>
<p><span class="person-name">{name}</span> <span class="small">{email}</span></p>
<a href="{base}/login?transaction={transaction}">Use another account</a>
</div>
<form method="post" action="{base}/consent">
<input type="hidden" name="transaction" value="{transaction}">
<input type="hidden" name="csrf" value="{csrf}">
<div class="choices">
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" class="quiet">Deny</button>
</div>
</form>
{destination}"#,
            client_name = Escaped(self.client_name),
            base = self.base,
            initial = Escaped(&initial),
            name = Escaped(self.account.name),
            email = Escaped(self.account.email),
            transaction = Escaped(self.transaction),
            csrf = Escaped(self.csrf),
        );
        page(StatusCode::OK, "Allow access", &content)
    }
}
