//! The login form.

use axum::{http::StatusCode, response::Response};
use std::fmt::Write as _;

use super::{Escaped, page};
use crate::{
    accounts::{ACCOUNTS, PASSWORD},
    acr::ONE_TIME_CODE,
};

/// What the form is filled with.
pub(crate) struct LoginPage<'page> {
    pub(crate) client_name: &'page str,
    pub(crate) transaction: &'page str,
    pub(crate) csrf: &'page str,
    pub(crate) user_name: &'page str,
    pub(crate) base: &'page str,
    /// Whether a code is asked for too.
    pub(crate) second_factor: bool,
    /// Whether the last user name and password did not match.
    pub(crate) refused: bool,
}

impl LoginPage<'_> {
    pub(crate) fn response(&self) -> Response {
        let status = if self.refused { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        let reason =
            if self.second_factor { "That username, password and code do not match." } else { "That username and password do not match." };
        let alert = if self.refused { format!(r#"<p class="alert" id="login-alert" role="alert">{reason}</p>"#) } else { String::new() };
        let described = if self.refused { r#" aria-invalid="true" aria-describedby="login-alert""# } else { "" };
        // Whoever has a user name already goes on with the password.
        let (focus_name, focus_password) = if self.user_name.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
        let code = if self.second_factor {
            format!(
                r#"<div class="field">
<label for="code">One-time code</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="6" required aria-describedby="code-hint">
<p class="small" id="code-hint">The app wants a second factor. Here the code is always <code>{ONE_TIME_CODE}</code>.</p>
</div>
"#
            )
        } else {
            String::new()
        };
        let content = format!(
            r#"<h1>Sign in to Demo</h1>
<p class="lead">to continue to <strong>{client_name}</strong></p>
{alert}
<form method="post" action="{base}/login">
<input type="hidden" name="transaction" value="{transaction}">
<input type="hidden" name="csrf" value="{csrf}">
<div class="field">
<label for="username">Username</label>
<input id="username" name="username" type="text" value="{user_name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required{described}{focus_name}>
</div>
<div class="field">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="100" required{described}{focus_password}>
</div>
{code}<button type="submit">Sign in</button>
</form>
{accounts}"#,
            client_name = Escaped(self.client_name),
            transaction = Escaped(self.transaction),
            csrf = Escaped(self.csrf),
            user_name = Escaped(self.user_name),
            accounts = accounts(&self.shortcuts()),
            base = self.base,
        );
        page(status, "Sign in", &content)
    }

    /// A button for each account, which sends what the page itself tells: nobody has to copy it.
    fn shortcuts(&self) -> String {
        let code = if self.second_factor { format!(r#"<input type="hidden" name="code" value="{ONE_TIME_CODE}">"#) } else { String::new() };
        let mut forms = String::new();
        for account in &ACCOUNTS {
            let _ = write!(
                forms,
                r#"<form method="post" action="{base}/login">
<input type="hidden" name="transaction" value="{transaction}">
<input type="hidden" name="csrf" value="{csrf}">
<input type="hidden" name="username" value="{login}">
<input type="hidden" name="password" value="{password}">
{code}<button type="submit" class="quiet">Sign in as {name}</button>
</form>
"#,
                base = self.base,
                transaction = Escaped(self.transaction),
                csrf = Escaped(self.csrf),
                login = Escaped(account.login),
                password = Escaped(PASSWORD),
                name = Escaped(account.given_name),
            );
        }
        format!(r#"<div class="choices shortcuts">{forms}</div>"#)
    }
}

/// The accounts and their password, and what follows them.
pub(super) fn accounts(after: &str) -> String {
    let rows = ACCOUNTS
        .iter()
        .map(|account| {
            let (login, name) = (Escaped(account.login), Escaped(account.name));
            format!(
                r#"<tr><th scope="row">{name}</th><td><code>{login}</code></td><td><code>{password}</code></td></tr>"#,
                password = Escaped(PASSWORD)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        r#"<section class="accounts" aria-labelledby="accounts-title">
<h2 id="accounts-title">Accounts you can use</h2>
<table>
<thead><tr><th scope="col">Who</th><th scope="col">Username</th><th scope="col">Password</th></tr></thead>
<tbody>{rows}</tbody>
</table>
{after}
</section>"#
    )
}
