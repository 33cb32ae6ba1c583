//! The page that posts an authorization response
//! ([Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html)).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use url::Url;

use super::{Escaped, page};
use crate::authorization_response::{ResponseParameters, script_source};

/// Without script, a person presses the button.
const SCRIPT: &str = "document.forms[0].submit()";

/// The form, and a policy that lets its script run and its post go to the client, and nothing else.
pub(crate) fn response(redirect_uri: &str, parameters: &ResponseParameters) -> Response {
    let fields = parameters
        .iter()
        .map(|(name, value)| format!(r#"<input type="hidden" name="{name}" value="{}">"#, Escaped(value)))
        .collect::<Vec<_>>()
        .concat();
    let content = format!(
        r#"<h1>Back to the app</h1>
<form method="post" action="{action}">
{fields}
<button type="submit">Continue</button>
</form>
<script>{SCRIPT}</script>"#,
        action = Escaped(redirect_uri),
    );
    let mut response = page(StatusCode::OK, "Back to the app", &content);
    let client = Url::parse(redirect_uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src 'self'; img-src 'self'; form-action {client}; base-uri 'none'; frame-ancestors 'none'",
        script_source(SCRIPT)
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
