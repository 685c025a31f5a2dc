//! Puts the roles of one process together from the configuration, and keeps their tasks under one supervisor.
//!
//! A broker or ledger that is away does not stop a start: the process stays up, says so on `/readyz`, and tries again.

mod controls;
mod front;
mod gauges;
mod lanes;
mod presence;
mod readiness;
mod reconciled;
mod sweep;
mod timed;
mod waiting;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::broker::{Broker, Publish};
use crate::callers::Callers;
use crate::cleeng::Cleeng;
use crate::config::{Config, LedgerConfig, Role};
use crate::console::{self, Console};
use crate::domain::ids::GatewayName;
use crate::gateway::{self, Gateways};
use crate::http;
use crate::ledger::Ledger;
use crate::operator::desk::DeskPlan;
use crate::roles::breakers::Breakers;
use crate::roles::ingest::{self, Ingest};
use crate::supervise::Supervisor;
use crate::telemetry::chain::error_chain;
use crate::telemetry::export::Export;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::ops;

use front::Front;
use readiness::Readiness;
use timed::Timed;

/// How long the ledger is waited for between two tries at start.
const LEDGER_RETRY: Duration = Duration::from_millis(500);

/// What a process is to be.
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) roles: BTreeSet<Role>,
    /// Only these gateways' commands are taken by the worker; all when empty.
    pub(crate) only: BTreeSet<GatewayName>,
    /// Merged into the public router.
    pub(crate) extra: Option<Router>,
    /// Spans that are recorded and have to be exported.
    pub(crate) export: Option<Export>,
}

/// Everything that the roles share in one process.
struct Parts {
    config: Config,
    roles: BTreeSet<Role>,
    only: BTreeSet<GatewayName>,
    broker: Arc<Broker>,
    gateways: Arc<Gateways>,
    cleeng: Arc<Cleeng>,
    breakers: Arc<Breakers>,
    callers: Arc<Callers>,
    metrics: Arc<Metrics>,
    ledger: Arc<OnceLock<Ledger>>,
    front: Front,
    /// Cancelled once the last request to the payments API is answered: until then the stores stay open.
    served: CancellationToken,
}

impl Parts {
    /// The way into the queues, measured.
    fn publisher(&self) -> Arc<dyn Publish> {
        Arc::new(Timed {
            inner: self.broker.publisher(),
            metrics: Arc::clone(&self.metrics),
        })
    }
}

/// Opens the ports and starts the tasks of every role.
///
/// # Errors
/// A port that cannot be opened, or an embedded store that another process uses.
pub(crate) async fn start(
    plan: Plan,
    supervisor: &mut Supervisor,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Plan {
        config,
        roles,
        only,
        extra,
        export,
    } = plan;
    let ops_listener = bind("ops.listen", config.ops.listen).await?;
    let public_listener = match roles.contains(&Role::Ingest) {
        true => Some(bind("http.listen", config.http.listen).await?),
        false => None,
    };
    let names = config.gateway_names();
    let broker = Broker::start(&config.broker, &config.ledger.url, &names)
        .await
        .context("the broker cannot be used")?;
    let client = http::client().context("the HTTP client cannot be built")?;
    let gateways = gateway::from_config(&config.gateways, &client, stop)
        .map_err(|(name, fault)| anyhow::Error::new(fault).context(format!("gateways.{name}")))?;
    let gateways = Arc::new(gateways);
    let metrics = Arc::new(Metrics::new(&names).context("the metrics cannot be set up")?);
    let parts = Parts {
        breakers: Arc::new(breakers(&config, &metrics)),
        callers: Arc::new(Callers::new(
            &config.auth,
            client.clone(),
            Arc::clone(&metrics),
        )),
        cleeng: Arc::new(
            Cleeng::new(&config.cleeng, client, stop).context("cleeng.publisher_token")?,
        ),
        metrics,
        ledger: Arc::new(OnceLock::new()),
        front: Front::default(),
        served: CancellationToken::new(),
        config,
        roles,
        only,
        broker: Arc::new(broker),
        gateways,
    };
    // Until the ledger is open: what counts the rest begins with it.
    parts.metrics.ready("ledger", false);
    let ops_state = ops::OpsState {
        metrics: Arc::clone(&parts.metrics),
        readiness: Arc::new(Readiness::of(&parts)),
    };
    let ops_router = ops::router(ops_state).merge(console::router(console(&parts)));
    let serving = ops::serve(ops_listener, ops_router, stop.clone());
    supervisor.start("ops port", async move {
        serving.await.context("the ops port failed")
    });
    if let Some(listener) = public_listener {
        info!(address = %listener.local_addr()?, "the payments API listens");
        let app = ingest::edge(parts.front.clone(), &parts.config.http);
        let serving = ingest::serve(listener, app, stop.clone());
        let served = parts.served.clone().drop_guard();
        supervisor.start("payments API", async move {
            let ended = serving.await.context("the payments API failed");
            drop(served);
            ended
        });
    } else {
        parts.served.cancel();
    }
    let over = CancellationToken::new();
    if let Some(export) = export {
        let (metrics, grace) = (Arc::clone(&parts.metrics), parts.config.shutdown.grace);
        let (over, stop) = (over.clone(), stop.clone());
        supervisor.start("export of spans", async move {
            export.run(&metrics, over, stop, grace).await;
            Ok(())
        });
    }
    let stop = stop.clone();
    supervisor.start("roles", async move {
        let _over = over.drop_guard();
        run_roles(parts, extra, stop).await
    });
    Ok(())
}

fn console(parts: &Parts) -> Console {
    Console::new(
        &parts.config.ops,
        DeskPlan::of(&parts.config),
        Arc::clone(&parts.ledger),
        Arc::clone(&parts.broker),
        Arc::clone(&parts.gateways),
        Arc::clone(&parts.metrics),
    )
}

fn breakers(config: &Config, metrics: &Arc<Metrics>) -> Breakers {
    let gateways = config.gateways.iter();
    let limits = gateways.map(|(name, gateway)| (name.clone(), gateway.limits()));
    Breakers::new(limits, config.cleeng.limits, metrics)
}

async fn bind(key: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{key} = {address}: cannot listen there"))
}

/// Waits for the ledger, then runs every role until `stop`, and closes the stores once all have finished.
async fn run_roles(
    parts: Parts,
    extra: Option<Router>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Some(ledger) = open_ledger(&parts.config.ledger, &stop).await else {
        parts.broker.close().await;
        return Ok(());
    };
    let ledger = match parts.roles.len() {
        0 | 1 => ledger.alone(),
        _several => ledger,
    };
    // Only this function sets it, once.
    let ledger = parts.ledger.get_or_init(|| ledger).clone();
    let ingest = parts.roles.contains(&Role::Ingest).then(|| {
        let ingest = Arc::new(ingest(&parts, &ledger, &stop));
        parts.front.open(ingest::api(Arc::clone(&ingest), extra));
        ingest
    });
    info!(roles = ?parts.roles.iter().map(|role| role.label()).collect::<Vec<_>>(), "started");
    let accompanied = async {
        if let Some(ingest) = ingest {
            tokio::join!(
                ingest.keep_marks(&parts.served),
                ingest.keep_callers(&parts.served),
                waiting::watch(&parts.broker, &ingest, &stop)
            );
        }
        anyhow::Ok(())
    };
    let present = async {
        presence::tell(&parts, &ledger, &stop).await;
        anyhow::Ok(())
    };
    let consumed = lanes::consume(&parts, &ledger, &stop);
    let ended = tokio::try_join!(consumed, accompanied, present).map(drop);
    parts.broker.close().await;
    ledger.close().await;
    ended
}

async fn open_ledger(config: &LedgerConfig, stop: &CancellationToken) -> Option<Ledger> {
    loop {
        match Ledger::open(config).await {
            Ok(ledger) => return Some(ledger),
            Err(cause) => warn!(
                error = error_chain(&cause),
                "the ledger cannot be opened; it is tried again"
            ),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(LEDGER_RETRY) => {}
        }
    }
}

fn ingest(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) -> Ingest {
    Ingest::new(
        ledger.clone(),
        Arc::clone(&parts.gateways),
        parts.publisher(),
        Arc::clone(&parts.metrics),
        parts.config.http.clone(),
        Arc::clone(&parts.callers),
        parts.config.checkout.clone(),
        parts.config.cleeng_webhooks.clone(),
        stop.clone(),
    )
}
