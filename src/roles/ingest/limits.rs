//! The door: a rate for each client, a bounded number of requests under way, a measure of each, and nothing kept by caches.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Instrument, Span};

use super::Shared;
use super::payments::caller;
use super::problem::{Problem, Told};
use crate::config::Role;
use crate::telemetry::labels::Route;
use crate::telemetry::spans;

pub(super) async fn admit(State(ingest): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = route_of(&request);
    let _in_hand = ingest.metrics.in_flight(Role::Ingest);
    let span = span_of(&request);
    let limiter = ingest.limiter.as_ref().filter(|_| is_limited(&request));
    let told = limiter.map(|limiter| limiter.ask(&request));
    let refusal = told.as_ref().and_then(|told| told.refusal.clone());
    let mut response = match (refusal, ingest.requests.try_acquire()) {
        (Some(refusal), _) => refusal.into_response(),
        (None, Ok(_permit)) => next.run(request).instrument(span.clone()).await,
        (None, Err(_)) => Problem::Busy.into_response(),
    };
    if let Some(told) = told {
        told.write(response.headers_mut());
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(Told(reason)) = response.extensions().get::<Told>() {
        ingest.metrics.refused(*reason);
    }
    spans::responded(&span, response.status().as_u16());
    ingest
        .metrics
        .http_took(route, response.status().as_u16(), started.elapsed());
    response
}

/// Whether a client may send only so many of these. Webhooks it may: who sends them comes from few addresses, and in bursts.
fn is_limited(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    path.is_some_and(|path| path.as_str().starts_with("/v1/payment"))
}

/// The request's span. The path of a request for no route may be anything: it is not told.
fn span_of(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unmatched", MatchedPath::as_str);
    spans::request(request.method().as_str(), route, caller(request.headers()))
}

/// The route as a metric's label: one of a few, never the path itself.
fn route_of(request: &Request) -> Route {
    match request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str)
    {
        Some("/v1/payments") => Route::Pay,
        Some("/v1/payments/{id}") => Route::Show,
        Some("/v1/payments/{id}/continue") => Route::Continue,
        Some("/v1/payments/{id}/events") => Route::Events,
        Some("/v1/webhooks/{gateway}" | "/v1/webhooks/cleeng") => Route::Webhook,
        Some(_) | None => Route::Other,
    }
}
