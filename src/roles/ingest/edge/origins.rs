//! Which pages of browsers may call the API (CORS): those of the list, without the browser's own credentials.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember the answer to its question; the longest that Chromium keeps.
const REMEMBERED: Duration = Duration::from_secs(7_200);

/// Nothing when no page may: then no answer has a header about it.
pub(super) fn layer(allowed: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = allowed
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let named = HeaderName::from_static;
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            named("idempotency-key"),
            named("last-event-id"),
            named("traceparent"),
            named("tracestate"),
            super::X_REQUEST_ID.clone(),
        ])
        .expose_headers([
            header::LOCATION,
            header::RETRY_AFTER,
            named("idempotent-replayed"),
            named("ratelimit"),
            named("ratelimit-policy"),
            super::X_REQUEST_ID.clone(),
        ])
        .max_age(REMEMBERED)
        .vary([header::ORIGIN]);
    Some(layer)
}
