//! What surrounds every request: its id and its line in the log, the limits for its client and its size, the document for a failure, the
//! headers that every answer carries.
//!
//! One service around all routes does it, in the order in which it is written. As layers of the router, each of these would be copied
//! into every route and put on the heap for every request, which cost more than all they do.

use super::{
    head_size,
    problem::Asked,
    rate_limit,
    request_log::{Observed, RequestIds},
    security_headers::SecurityHeaders,
};
use crate::{error::Failure, proxy::target, routes, state::AppState};
use axum::{
    Router,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use oauth2flow_app::problem::ProblemCode;
use std::{
    convert::Infallible,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;
use tracing::Instrument as _;

/// All routes, and what surrounds them.
#[derive(Clone)]
pub struct Envelope(Arc<Parts>);

struct Parts {
    app: AppState,
    routes: Router,
    ids: RequestIds,
}

impl Envelope {
    /// Surrounds these routes.
    pub fn new(app: AppState, routes: Router) -> Self {
        let ids = RequestIds::new(&*app.entropy);
        Self(Arc::new(Parts { app, routes, ids }))
    }
}

impl Service<Request> for Envelope {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let parts = Arc::clone(&self.0);
        Box::pin(async move { Ok(answer(&parts, request).await) })
    }
}

async fn answer(Parts { app, routes, ids }: &Parts, mut request: Request) -> Response {
    let observed = Observed::begin(app, ids, &mut request);
    let span = observed.span().clone();
    async {
        let asked = Asked::by(&request);
        let headers = SecurityHeaders::for_path(request.uri().path());
        let permitted = rate_limit::by_address(app, &request).and_then(|()| head_size::check(&request, &app.config.limits));
        let response = match permitted {
            Ok(()) => handle(app, routes, request).await,
            Err(refused) => refused.into_response(),
        };
        let mut response = asked.answer(response);
        headers.set(app, response.headers_mut());
        observed.answered(app, &mut response);
        response
    }
    .instrument(span)
    .await
}

/// A handler that panics has failed, and that is all that anybody else notices.
async fn handle(app: &AppState, router: &Router, request: Request) -> Response {
    let answering = async {
        // What comes behind it is the upstream's business, and no route to look for.
        if target::is_below(request.uri().path()) {
            return routes::proxy::handler(app, request).await.into_response();
        }
        let Ok(response) = router.clone().call(request).await;
        response
    };
    match AssertUnwindSafe(answering).catch_unwind().await {
        Ok(response) => response,
        Err(_panic) => Failure::from(ProblemCode::InternalError).into_response(),
    }
}
