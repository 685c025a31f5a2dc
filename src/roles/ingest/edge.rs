//! What is around the whole API: request ids, origins of browsers, compression, and headers that every answer has.
//!
//! No body is looked at or kept here. Compression works on a body as it is sent.

mod origins;
mod request_id;

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use tower::util::{BoxCloneSyncService, option_layer};
use tower::{Layer, Service, ServiceExt};
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tracing::{Instrument, info_span};

use crate::config::HttpConfig;
use request_id::RequestId;

/// Below this a compressed answer is hardly shorter, and costs both sides time.
const WORTH_COMPRESSING_BYTES: u16 = 1024;

pub(super) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An API with all that is the same for every request.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    /// For callers that want nothing but the answer: servers.
    plain: S,
    /// With the headers for browsers' pages, and compression.
    full: BoxCloneSyncService<Request, Response, Infallible>,
    /// Whether answers have headers about origins, whoever calls.
    tells_origins: bool,
}

pub(crate) fn edge<S>(api: S, config: &HttpConfig) -> Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    // An event is to be seen when it happens, not when a compressor's buffer is full.
    let worth_it = SizeAbove::new(WORTH_COMPRESSING_BYTES).and(NotForContentType::SSE);
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it);
    let origins = origins::layer(&config.allowed_origins);
    let tells_origins = origins.is_some();
    let compressed = compression
        .layer(api.clone())
        .map_response(|response: axum::http::Response<_>| response.map(Body::new));
    let full = option_layer(origins).layer(compressed);
    Edge {
        plain: api,
        full: BoxCloneSyncService::new(full),
        tells_origins,
    }
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Send,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // What is behind is always ready: it refuses rather than lets wait.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = RequestId::of(request.headers());
        let span = info_span!("request", request.id = id.as_str());
        let compresses = request.headers().contains_key(header::ACCEPT_ENCODING);
        let answer = match self.tells_origins || compresses {
            true => Either::Left(self.full.call(request)),
            false => Either::Right(self.plain.call(request)),
        };
        Box::pin(async move { Ok(marked(answer.instrument(span).await?, id)) })
    }
}

fn marked(mut response: Response, id: RequestId) -> Response {
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
