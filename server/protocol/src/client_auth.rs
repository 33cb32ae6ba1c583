//! How the client proves who it is. [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::discovery::ProviderMetadata;
use crate::http::OutboundRequest;
use crate::provider::{ClientAuth, Provider};

/// A form for one of the provider's own endpoints, with the client's authentication and the provider's extra headers.
pub(crate) fn authenticated_form(
    provider: &Provider,
    metadata: &ProviderMetadata,
    endpoint: &Url,
    form: &[(&str, &str)],
) -> OutboundRequest {
    let mut form = form.to_vec();
    let mut authorization = None;
    match (method(provider, metadata), &provider.client_secret) {
        (ClientAuth::Basic, Some(secret)) => authorization = Some(basic(&provider.client_id, secret.expose())),
        (ClientAuth::Post, Some(secret)) => {
            form.push(("client_id", &provider.client_id));
            form.push(("client_secret", secret.expose()));
        }
        // A client without a secret only says who it is, RFC 6749 §3.2.1.
        (_, _) => form.push(("client_id", &provider.client_id)),
    }
    let request = OutboundRequest::post_form(endpoint.clone(), &form)
        .with_header("accept", "application/json")
        .with_headers(&provider.extra_request_headers);
    match authorization {
        Some(authorization) => request.with_header("authorization", authorization),
        None => request,
    }
}

/// The configured method, but the form where the metadata says that the provider takes nothing else: so that an OpenID
/// provider can be configured by its issuer alone.
fn method(provider: &Provider, metadata: &ProviderMetadata) -> ClientAuth {
    let declares = |name: &str| metadata.token_endpoint_auth_methods.iter().any(|method| method == name);
    match provider.client_auth {
        ClientAuth::Basic if declares("client_secret_post") && !declares("client_secret_basic") => ClientAuth::Post,
        method => method,
    }
}

/// The Basic header: id and secret are form-encoded first.
/// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
pub(crate) fn basic(client_id: &str, client_secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(client_secret))))
}
