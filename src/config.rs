//! The configuration, checked: every value here is usable. Rooms get their own section, never the whole.

mod address;
mod advice;
mod auth;
mod cleeng_webhooks;
mod credential;
mod cross;
mod fault;
mod gateways;
mod layers;
mod pem;
mod publisher;
mod read;
mod reader;
mod reconcile;
mod sections;
mod stores;
#[cfg(test)]
mod tests;
mod traces;
mod user;
mod value;
mod variable;
mod view;
mod visitors;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::domain::ids::GatewayName;

#[cfg(test)]
pub(crate) use auth::Asked;
pub(crate) use auth::{ApiKeysConfig, AuthConfig, CustomersConfig, JwksConfig, KeyHashes};
pub(crate) use cleeng_webhooks::{CleengWebhooksConfig, FieldPath, RefundPaths, SignatureEncoding};
pub(crate) use cross::check_roles;
pub(crate) use fault::Faults;
pub(crate) use publisher::{CleengConfig, RefundFields, TerminationCall, TerminationType};
pub(crate) use reconcile::ReconcileConfig;
pub(crate) use stores::{BrokerConfig, BrokerTls, BrokerUrl, LedgerConfig, LedgerUrl};
pub(crate) use traces::TracesConfig;
pub(crate) use user::user;
pub(crate) use value::span;

/// What a process does. One process can have several roles, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Role {
    /// HTTP in.
    Ingest,
    /// Gateway calls.
    Worker,
    /// Cleeng calls.
    Confirmer,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::Ingest, Role::Worker, Role::Confirmer];

    /// As the command line and a metric's label spell it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Role::Ingest => "ingest",
            Role::Worker => "worker",
            Role::Confirmer => "confirmer",
        }
    }
}

/// Where Cleeng's webhooks come in, as a command's option names it.
///
/// # Errors
/// What cannot be such an address; the text says what to write.
pub(crate) fn webhook_url(text: &str) -> Result<Url, String> {
    let wrong = match address::webhook_url(text) {
        Ok(Some(url)) => return Ok(url),
        Ok(None) => value::Wrong::new("empty", "write the whole public address"),
        Err(wrong) => wrong,
    };
    Err(format!("{}: {}", wrong.problem, wrong.remedy))
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) broker: BrokerConfig,
    pub(crate) ledger: LedgerConfig,
    pub(crate) http: HttpConfig,
    pub(crate) ops: OpsConfig,
    pub(crate) auth: AuthConfig,
    pub(crate) cleeng: CleengConfig,
    pub(crate) cleeng_webhooks: CleengWebhooksConfig,
    pub(crate) gateways: BTreeMap<GatewayName, GatewayConfig>,
    pub(crate) checkout: CheckoutConfig,
    pub(crate) worker: WorkerConfig,
    pub(crate) confirmer: ConfirmerConfig,
    pub(crate) reconcile: ReconcileConfig,
    pub(crate) shutdown: ShutdownConfig,
    pub(crate) log: LogConfig,
    pub(crate) traces: TracesConfig,
}

impl Config {
    pub(crate) fn gateway_names(&self) -> Vec<GatewayName> {
        self.gateways.keys().cloned().collect()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct HttpConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) body_bytes: usize,
    pub(crate) webhook_body_bytes: usize,
    /// Requests under way at once; more are answered 503 at once. Event streams count apart, with the same limit.
    pub(crate) max_in_flight: usize,
    /// The origins of the pages that may call the API from a browser, each as a browser sends it.
    pub(crate) allowed_origins: Vec<String>,
    /// Requests a second and client; 0: as many as there are.
    pub(crate) rate_limit: u32,
    /// Of them so many at once.
    pub(crate) rate_limit_burst: NonZeroU32,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

#[derive(Debug, Clone)]
pub(crate) struct OpsConfig {
    pub(crate) listen: SocketAddr,
    /// What the console and its API are opened with; several while one is changed. Without one they are off.
    pub(crate) admin_tokens: Vec<SecretString>,
}

/// How one process spares an outside system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallLimits {
    /// After so many calls in a row without an answer it counts as away, and is only probed; 0 never.
    pub(crate) breaker_failures: u32,
    /// Calls a second; 0: as many as there are.
    pub(crate) rate_limit: u32,
    /// Calls at once.
    pub(crate) concurrency: u32,
}

/// One gateway, by its kind.
#[derive(Debug, Clone)]
pub(crate) enum GatewayConfig {
    Stripe(StripeConfig),
    Simulated(SimulatedConfig),
}

/// Whether a charge takes the money or only reserves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureMode {
    Automatic,
    Manual,
}

#[derive(Debug, Clone)]
pub(crate) struct StripeConfig {
    /// Without `/v1` and without a slash at the end.
    pub(crate) base_url: Url,
    pub(crate) secret_key: SecretString,
    pub(crate) publishable_key: String,
    /// Several while a secret is rolled.
    pub(crate) webhook_secrets: Vec<SecretString>,
    /// Cleeng's id of the payment method that stands for this gateway.
    pub(crate) payment_method_id: u64,
    /// The one for what this gateway bills itself; none: it bills nothing itself.
    pub(crate) external_payment_method_id: Option<u64>,
    pub(crate) capture: CaptureMode,
    pub(crate) timeout: Duration,
    /// How long an idempotency key may be replayed. Stripe keeps it for at least 24 h.
    pub(crate) key_lifetime: Duration,
    pub(crate) limits: CallLimits,
}

#[derive(Debug, Clone)]
pub(crate) struct SimulatedConfig {
    pub(crate) base_url: Url,
    pub(crate) secret_key: SecretString,
    pub(crate) webhook_secrets: Vec<SecretString>,
    pub(crate) payment_method_id: u64,
    pub(crate) external_payment_method_id: Option<u64>,
    pub(crate) capture: CaptureMode,
    pub(crate) timeout: Duration,
    pub(crate) key_lifetime: Duration,
    pub(crate) limits: CallLimits,
}

impl GatewayConfig {
    pub(crate) fn limits(&self) -> CallLimits {
        match self {
            GatewayConfig::Stripe(stripe) => stripe.limits,
            GatewayConfig::Simulated(simulated) => simulated.limits,
        }
    }

    /// Cleeng's id of the payment method that stands for this gateway.
    pub(crate) fn payment_method_id(&self) -> u64 {
        match self {
            GatewayConfig::Stripe(stripe) => stripe.payment_method_id,
            GatewayConfig::Simulated(simulated) => simulated.payment_method_id,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct CheckoutConfig {
    /// How long after its acceptance a payment may still be charged.
    pub(crate) deadline: Duration,
    /// How many commands may wait in a gateway's queue before new payments for it are refused; 0: as many as there are.
    pub(crate) max_waiting: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct WorkerConfig {
    /// Payments under way at once, for each queue but those of billing. Also the prefetch.
    pub(crate) concurrency: u16,
    /// The same for each gateway's billing queue.
    pub(crate) billing_concurrency: u16,
    /// How long a command is tried, counted from its first failure; then it is a dead letter and its payment stays in doubt.
    pub(crate) max_age: Duration,
    /// As `max_age`, for gateway events.
    pub(crate) event_max_age: Duration,
    /// How often payments that have not settled are looked at again.
    pub(crate) sweep_every: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct ConfirmerConfig {
    pub(crate) concurrency: u16,
    pub(crate) max_age: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct ShutdownConfig {
    /// How long work in flight may take to finish after SIGTERM.
    pub(crate) grace: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Json,
    Pretty,
}

#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    /// As `tracing`'s filter directives: `info`, `info,cleeng_connector=debug`.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}
