//! Signed authorization requests. [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::authorize::{AuthorizationRequestError, Parameter};
use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::id_token::{CLOCK_LEEWAY, whole_seconds};
use crate::provider::Provider;

/// How long a request object is good: from this server through the browser to the provider.
pub const REQUEST_OBJECT_LIFETIME: Duration = Duration::from_mins(5);

/// The parameters as a signed token. [RFC 9101 §4](https://www.rfc-editor.org/rfc/rfc9101#section-4)
pub(crate) fn sign(
    provider: &Provider,
    metadata: &ProviderMetadata,
    parameters: Vec<(&str, Parameter<'_>)>,
    context: &mut Context<'_>,
) -> Result<String, AuthorizationRequestError> {
    let key = provider.signing_key.as_ref().ok_or(AuthorizationRequestError::MissingSigningKey)?;
    let algorithm = key.algorithm_among(&metadata.request_object_algorithms).ok_or(AuthorizationRequestError::NoCommonAlgorithm)?;
    let audience = metadata.issuer.clone().unwrap_or_else(|| metadata.authorization_endpoint.origin().ascii_serialization());
    let mut claims = parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into_json())).collect::<Map<_, _>>();
    let now = context.now.as_second();
    // A request object with the client as its subject could pass for a client assertion (RFC 9101 §10.8).
    claims.remove("sub");
    // None of these is a parameter of a request, so that nothing is lost.
    claims.insert("iss".to_owned(), json!(provider.client_id));
    claims.insert("aud".to_owned(), json!(audience));
    claims.insert("iat".to_owned(), json!(now));
    claims.insert("nbf".to_owned(), json!(now.saturating_sub(whole_seconds(CLOCK_LEEWAY))));
    claims.insert("exp".to_owned(), json!(now.saturating_add(whole_seconds(REQUEST_OBJECT_LIFETIME))));
    claims.insert("jti".to_owned(), json!(context.token_id()));
    Ok(key.sign(algorithm, "oauth-authz-req+jwt", &Value::Object(claims)))
}
