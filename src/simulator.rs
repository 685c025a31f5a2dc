//! The outside world on loopback: Stripe, the simulated gateway and Cleeng as stateful servers with fault knobs.
//! It never talks to anything but its own clients and the webhook address it was given.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use call::{Call, Reply};
use line::{Cut, Line};
use operation::Operation;

pub(crate) use book::{Page, Recorded, Taken};
pub(crate) use cleeng::hooks::{Encoding, Hooks};
pub(crate) use cleeng::standing::{Standing, total as standing_total};
pub(crate) use latency::Latency;

mod afterwards;
mod book;
mod call;
mod cleeng;
mod clock;
mod control;
mod fault;
mod idempotency;
mod latency;
mod ledger;
mod line;
mod mint;
mod operation;
mod page;
mod perform;
mod post;
mod signature;
mod simulated;
mod stripe;

#[cfg(test)]
mod tests;

/// Larger bodies are refused; the largest real one is a few hundred bytes.
const BODY_BYTES: usize = 256 * 1024;

/// What belongs to the simulated gateway's API.
const SIMULATED: [&str; 4] = [
    "/simulated/charges",
    "/simulated/methods",
    "/simulated/refunds",
    "/simulated/disputes",
];

/// How long answers and webhooks under way may take after the stop.
const GRACE: Duration = Duration::from_secs(3);

/// What the simulated outside expects of its client, and where it sends its webhooks.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) publisher_token: String,
    pub(crate) publisher_id: u64,
    pub(crate) payment_method_id: u64,
    pub(crate) stripe_secret_key: String,
    pub(crate) stripe_webhook_secret: String,
    pub(crate) simulated_secret_key: String,
    pub(crate) simulated_webhook_secret: String,
    /// Where the gateways' webhooks go, e.g. `http://127.0.0.1:8080/v1/webhooks/`, plus `stripe` or `simulated`; without it none is sent.
    pub(crate) webhook_base: Option<Url>,
    /// Cleeng's webhooks; without an address of their own they go to the base, plus `cleeng`.
    pub(crate) cleeng_webhooks: Hooks,
    /// This server's own address, for the pages a payer is redirected to.
    pub(crate) public_url: Url,
    pub(crate) seed: u64,
    /// How long each call at a gateway takes; a read, too.
    pub(crate) gateway_latency: Option<Latency>,
    /// Orders that exist without being created.
    pub(crate) standing_orders: Option<Standing>,
}

/// One of the simulated parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    Stripe,
    Simulated,
    Cleeng,
}

/// Everything the simulator knows. A lock is held for one decision and never over an await.
pub(crate) struct Sim {
    settings: Settings,
    stop: CancellationToken,
    tasks: TaskTracker,
    mint: mint::Mint,
    faults: fault::Faults,
    keys: idempotency::Keys,
    /// Cleeng's clock, and who may move it; rung when something is due at once.
    clock: clock::Ahead,
    hand: tokio::sync::Mutex<()>,
    bell: tokio::sync::Notify,
    post: post::Post,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    /// By how many seconds the header `Date` of every answer lies.
    date_lie: AtomicI64,
    stripe: Mutex<stripe::world::World>,
    simulated: Mutex<simulated::world::World>,
    cleeng: Mutex<cleeng::world::World>,
    signing_keys: Mutex<cleeng::signing::Keys>,
}

/// Serves until `stop`, then lets what is under way finish for a moment.
///
/// # Errors
/// The listener failed, or the webhook client could not be built.
pub(crate) async fn serve(
    listener: TcpListener,
    settings: Settings,
    stop: CancellationToken,
) -> io::Result<()> {
    let sim = Arc::new(Sim::new(settings, stop.clone())?);
    sim.tasks
        .spawn(cleeng::courier::keep_time(Arc::clone(&sim)));
    let app = Router::new().fallback(answer).with_state(Arc::clone(&sim));
    let service = app.into_make_service_with_connect_info::<Cut>();
    let server =
        axum::serve(Line(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = server => served,
        () = late => Ok(()),
    };
    stop.cancel();
    sim.tasks.close();
    if tokio::time::timeout(GRACE, sim.tasks.wait()).await.is_err() {
        tracing::warn!("simulator stopped with work under way");
    }
    served
}

impl Sim {
    fn new(mut settings: Settings, stop: CancellationToken) -> io::Result<Self> {
        let mint = mint::Mint::new(settings.seed);
        let hooks = &mut settings.cleeng_webhooks;
        if let (None, Some(base)) = (&hooks.url, &settings.webhook_base) {
            let base = base.as_str().trim_end_matches('/');
            hooks.url = Url::parse(&format!("{base}/cleeng")).ok();
        }
        let cleeng = cleeng::world::World::new(&mint, hooks, settings.standing_orders);
        Ok(Sim {
            stop,
            tasks: TaskTracker::new(),
            faults: fault::Faults::default(),
            keys: idempotency::Keys::new(),
            clock: clock::Ahead::default(),
            hand: tokio::sync::Mutex::default(),
            bell: tokio::sync::Notify::new(),
            post: post::Post::new()?,
            counts: Mutex::default(),
            date_lie: AtomicI64::new(0),
            stripe: Mutex::default(),
            simulated: Mutex::default(),
            cleeng: Mutex::new(cleeng),
            signing_keys: Mutex::default(),
            mint,
            settings,
        })
    }

    fn count(&self, operation: Operation) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(operation.name()).or_default();
        *count = count.saturating_add(1);
    }

    /// The lock on Stripe's state.
    fn stripe(&self) -> std::sync::MutexGuard<'_, stripe::world::World> {
        self.stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock on the simulated gateway's state.
    fn simulated(&self) -> std::sync::MutexGuard<'_, simulated::world::World> {
        self.simulated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock on Cleeng's state.
    fn cleeng(&self) -> std::sync::MutexGuard<'_, cleeng::world::World> {
        self.cleeng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock on the keys of customers' tokens.
    fn signing_keys(&self) -> std::sync::MutexGuard<'_, cleeng::signing::Keys> {
        self.signing_keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything but its settings and its keys.
    fn reset(&self) {
        *self.stripe() = stripe::world::World::default();
        *self.simulated() = simulated::world::World::default();
        let (hooks, standing) = (
            &self.settings.cleeng_webhooks,
            self.settings.standing_orders,
        );
        *self.cleeng() = cleeng::world::World::new(&self.mint, hooks, standing);
        self.clock.reset();
        self.faults.clear();
        self.keys.clear();
        self.post.clear();
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

async fn answer(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else {
        return Reply::text(413, "text/plain", "too long".to_owned()).into_response();
    };
    let call = Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        cut,
    };
    let reply = route(&sim, call).await;
    dated(reply, sim.date_lie.load(Ordering::Relaxed)).into_response()
}

/// The true date is the server's own header.
fn dated(reply: Reply, lie: i64) -> Reply {
    match lie {
        0 => reply,
        seconds => {
            let told = clock::now().unix_seconds().saturating_add(seconds);
            reply.with("date", clock::http_date(told))
        }
    }
}

async fn route(sim: &Arc<Sim>, call: Call) -> Reply {
    let path = call.path.clone();
    if path.starts_with("/stripe/v1/") && stripe::publishable::asks(&call) {
        stripe::publishable::answer(sim, &call)
    } else if path.starts_with("/stripe/js/") {
        stripe::browser::answer(&call)
    } else if path.starts_with("/stripe/v1/") {
        stripe::door::answer(sim, call).await
    } else if SIMULATED.iter().any(|below| path.starts_with(below)) {
        simulated::door::answer(sim, call).await
    } else if path.starts_with("/cleeng/3.1/") {
        cleeng::door::answer(sim, call).await
    } else if path == "/.well-known/jwks.json" {
        cleeng::token::published(sim, call).await
    } else if path.starts_with("/stripe/3ds/") || path.starts_with("/simulated/3ds/") {
        page::answer(sim, &call).await
    } else {
        control::answer(sim, &call).await
    }
}
