//! The operator's console on the ops port: a page, and the JSON that it is made of. Off without a token; it moves no money itself.

mod assets;
mod bodies;
mod dead_letters;
mod deeds;
mod door;
mod looks;
mod overview;
mod payments;
mod problem;
mod resolving;
mod sought;
mod standing;
mod timeline;

use std::sync::{Arc, OnceLock};

use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, extract::DefaultBodyLimit};

use crate::broker::Broker;
use crate::config::OpsConfig;
use crate::domain::ids::GatewayName;
use crate::gateway::Gateways;
use crate::ledger::Ledger;
use crate::operator::desk::DeskPlan;
use crate::telemetry::metrics::Metrics;
use door::Door;
use looks::Looks;
use overview::Snapshot;
use problem::Problem;

/// Longest body of a request: two hundred ids and a reason.
const BODY_BYTES: usize = 32_768;

/// What the console works with.
pub(crate) struct Console {
    door: Door,
    plan: DeskPlan,
    /// Nothing until it is open.
    ledger: Arc<OnceLock<Ledger>>,
    broker: Arc<Broker>,
    gateways: Arc<Gateways>,
    metrics: Arc<Metrics>,
    snapshot: Snapshot,
    looks: Looks,
}

type Shared = Arc<Console>;

impl Console {
    pub(crate) fn new(
        ops: &OpsConfig,
        plan: DeskPlan,
        ledger: Arc<OnceLock<Ledger>>,
        broker: Arc<Broker>,
        gateways: Arc<Gateways>,
        metrics: Arc<Metrics>,
    ) -> Console {
        Console {
            door: Door::new(&ops.admin_tokens),
            plan,
            ledger,
            broker,
            gateways,
            metrics,
            snapshot: Snapshot::default(),
            looks: Looks::default(),
        }
    }

    fn ledger(&self) -> Result<&Ledger, Problem> {
        let away = || Problem::Unavailable("The ledger is not open yet.".to_owned());
        self.ledger.get().ok_or_else(away)
    }

    fn gateway_names(&self) -> impl Iterator<Item = &GatewayName> {
        self.gateways.keys()
    }
}

/// `/console` and `/admin`, to be merged into the ops port's routes.
pub(crate) fn router(console: Console) -> Router {
    let console = Arc::new(console);
    let admin = Router::new()
        .route("/overview", get(overview::show))
        .route("/payments", get(payments::search))
        .route("/payments/{id}", get(payments::one))
        .route("/payments/{id}/resolve", post(resolving::resolve))
        .route("/dead-letters", get(dead_letters::list))
        .route("/dead-letters/replay", post(dead_letters::replay))
        .route("/dead-letters/discard", post(dead_letters::discard))
        .route("/dead-letters/{id}", get(dead_letters::one))
        .route("/demands", get(deeds::demands))
        .route("/pauses", get(deeds::pauses))
        .route("/pause", post(deeds::pause))
        .route("/resume", post(deeds::resume))
        .route("/operator-log", get(deeds::log))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&console),
            door::require,
        ))
        .layer(DefaultBodyLimit::max(BODY_BYTES));
    let page = assets::routes().layer(middleware::from_fn_with_state(
        Arc::clone(&console),
        door::only_where_it_is_on,
    ));
    Router::new()
        .nest("/admin", admin)
        .merge(page)
        .layer(middleware::map_response(guarded))
        .with_state(console)
}

/// Nothing of it is kept by a browser or shown within another page.
async fn guarded(mut response: Response) -> Response {
    let guards: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, assets::POLICY),
    ];
    for (name, value) in guards {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
