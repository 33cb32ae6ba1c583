//! Asking a provider for tokens ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

use crate::{dpop::Role, outbound::OutboundError, provider::Registered, state::AppState};
use oauth2flow_protocol::{Context, OutboundRequest, OutboundResponse};

/// Sends the token request that `begin` makes with the nonce that the provider wanted to see last; once more, as `retry` makes it,
/// when the provider wants to see another one in the proof ([RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)).
/// Answers what came back, and what judges it.
///
/// # Errors
/// When there is no request to make, or no whole answer within the limits; any status is an answer.
pub async fn ask<P, E: From<OutboundError>>(
    app: &AppState,
    registered: &Registered,
    begin: impl FnOnce(Option<&str>, &mut Context<'_>) -> Result<(OutboundRequest, P), E>,
    retry: impl FnOnce(&mut P, &OutboundResponse, &mut Context<'_>) -> Option<OutboundRequest>,
) -> Result<(OutboundResponse, P), E> {
    let provider = &registered.provider.id;
    let nonce = app.dpop_nonces.of(Role::TokenEndpoint, provider);
    let (request, mut pending) = app.with_context(|context| begin(nonce.as_deref(), context))?;
    let mut response = registered.send(request).await?;
    if let Some(again) = app.with_context(|context| retry(&mut pending, &response, context)) {
        app.dpop_nonces.remember(Role::TokenEndpoint, provider, response.dpop_nonce());
        response = registered.send(again).await?;
    }
    app.dpop_nonces.remember(Role::TokenEndpoint, provider, response.dpop_nonce());
    Ok((response, pending))
}
