//! The door: a bounded number of requests under way, a measure of each, and nothing kept by caches.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::problem::{Problem, Told};
use crate::config::Role;
use crate::telemetry::labels::Route;

pub(super) async fn admit(State(ingest): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = route_of(&request);
    let _in_hand = ingest.metrics.in_flight(Role::Ingest);
    let mut response = match ingest.requests.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => Problem::Busy.into_response(),
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(Told(reason)) = response.extensions().get::<Told>() {
        ingest.metrics.refused(*reason);
    }
    ingest
        .metrics
        .http_took(route, response.status().as_u16(), started.elapsed());
    response
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
