//! The ingest: takes payments and webhooks over HTTP, and answers only when they are durably in their queue.
//!
//! It never calls a gateway or Cleeng (but for the public keys of Cleeng's tokens), and never says yes to what the broker has not confirmed.

mod accept;
mod auth;
mod body;
mod cleeng;
mod door;
mod edge;
mod external;
mod intake;
mod marks;
mod openapi;
mod paths;
mod payments;
mod problem;
mod rate;
mod stream;
mod webhooks;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Router, ServiceExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::broker::Publish;
use crate::callers::Callers;
use crate::config::{CheckoutConfig, CleengWebhooksConfig, HttpConfig};
use crate::gateway::Gateways;
use crate::ledger::Ledger;
use crate::telemetry::metrics::Metrics;
use marks::Marks;
use rate::Limiter;

pub(crate) use door::Door;
pub(crate) use edge::{Edge, edge};
pub(crate) use intake::Intakes;
pub(crate) use openapi::document;

/// Within this an answer is given, whatever is away: the promise of a 503 within two seconds, with room to write it.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_800);

/// What ingest works with.
pub(crate) struct Ingest {
    pub(crate) ledger: Ledger,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) publisher: Arc<dyn Publish>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) http: HttpConfig,
    pub(crate) callers: Arc<Callers>,
    pub(crate) checkout: CheckoutConfig,
    pub(crate) cleeng: CleengWebhooksConfig,
    /// One permit for each request under way, and for each open event stream.
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// None: clients may send as fast as they can.
    limiter: Option<Limiter>,
    marks: Marks,
    intakes: Intakes,
    stop: CancellationToken,
}

type Shared = Arc<Ingest>;

impl Ingest {
    #[expect(
        clippy::too_many_arguments,
        reason = "one place builds it, each argument is a thing of its own"
    )]
    pub(crate) fn new(
        ledger: Ledger,
        gateways: Arc<Gateways>,
        publisher: Arc<dyn Publish>,
        metrics: Arc<Metrics>,
        http: HttpConfig,
        callers: Arc<Callers>,
        checkout: CheckoutConfig,
        cleeng: CleengWebhooksConfig,
        stop: CancellationToken,
    ) -> Ingest {
        let permits = Arc::new(Semaphore::new(http.max_in_flight));
        let streams = Arc::new(Semaphore::new(http.max_in_flight));
        let waiting = checkout.max_waiting;
        let limiter = Limiter::new(&http);
        metrics.max_waiting(waiting);
        let intakes = Intakes::new(gateways.keys(), waiting, Arc::clone(&metrics));
        Ingest {
            ledger,
            gateways,
            publisher,
            metrics,
            http,
            callers,
            checkout,
            cleeng,
            requests: permits,
            streams,
            limiter,
            marks: Marks::default(),
            intakes,
            stop,
        }
    }

    /// Where to tell what waits for each gateway.
    pub(crate) fn intakes(&self) -> &Intakes {
        &self.intakes
    }

    /// Keeps the ledger's marks of what is queued, until `over`: no request is under way any more.
    pub(crate) async fn keep_marks(&self, over: &CancellationToken) {
        self.marks.keep(&self.ledger, over).await;
    }

    /// Keeps fresh what callers are known by, until `over`.
    pub(crate) async fn keep_callers(&self, over: &CancellationToken) {
        self.callers.keep(over).await;
    }
}

/// The public API. `extra` stands beside it: the demo's pages.
pub(crate) fn api(ingest: Shared, extra: Option<Router>) -> Door {
    let api = Router::new()
        .route("/v1/payments", post(payments::create))
        .route("/v1/payments/{id}", get(payments::read))
        .route("/v1/payments/{id}/continue", post(payments::go_on))
        .route("/v1/payments/{id}/events", get(stream::events))
        .route("/v1/payment-details", post(payments::change_details))
        .route("/v1/payment-details/{id}", get(payments::read))
        .route("/v1/payment-details/{id}/continue", post(payments::go_on))
        .route("/v1/payment-details/{id}/events", get(stream::events))
        .route("/v1/webhooks/cleeng", post(cleeng::take))
        .route("/v1/webhooks/{gateway}", post(webhooks::take))
        .merge(openapi::routes())
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .with_state(Arc::clone(&ingest));
    let pages = extra.map(|pages| pages.fallback(problem::no_such_path));
    Door::new(ingest, api, pages)
}

/// Serves until `stop`; then takes no new connection and lets the requests under way end.
///
/// # Errors
/// When the listener fails.
pub(crate) async fn serve<S>(
    listener: TcpListener,
    app: Edge<S>,
    stop: CancellationToken,
) -> std::io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    // Events are small and follow each other: none waits for the acknowledgement of the one before. Without this it is only slower.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
    // A rate limit asks who is connected.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// What is answered while the process starts or its ledger is away.
pub(crate) fn not_ready() -> Response {
    problem::Problem::Unavailable("The service is starting; its ledger cannot be reached yet")
        .into_response()
}
