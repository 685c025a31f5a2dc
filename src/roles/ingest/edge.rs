//! What is around the whole API: request ids, origins of browsers, compression, and headers that every answer has.
//!
//! No body is looked at or kept here. Compression works on a body as it is sent.

mod origins;
mod request_id;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tracing::{Instrument, info_span};

use crate::config::HttpConfig;
use request_id::RequestId;

/// Below this a compressed answer is hardly shorter, and costs both sides time.
const WORTH_COMPRESSING_BYTES: u16 = 1024;

pub(super) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The API with all that is the same for every request.
pub(crate) fn edge(api: Router, config: &HttpConfig) -> Router {
    // An event is to be seen when it happens, not when a compressor's buffer is full.
    let worth_it = SizeAbove::new(WORTH_COMPRESSING_BYTES).and(NotForContentType::SSE);
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it);
    let compressed = api.layer(compression);
    let shared = match origins::layer(&config.allowed_origins) {
        Some(origins) => compressed.layer(origins),
        None => compressed,
    };
    shared.layer(middleware::from_fn(mark))
}

async fn mark(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let span = info_span!("request", request.id = id.as_str());
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID.clone(), id.into());
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
