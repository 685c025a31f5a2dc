//! `simulator`: the gateways and Cleeng as servers on loopback, for trying things out and for tests.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::answer;
use crate::simulator::{self, Encoding, Hooks, Latency, Settings, Standing};
use crate::supervise::{self, Supervisor};

/// How long an answer under way may take after the signal.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Allow an address that other machines can reach (a container's)
    #[arg(long)]
    allow_remote: bool,
    /// Where webhooks go: the connector's `http://host:port/v1/webhooks/`; none are sent without it
    #[arg(long)]
    webhooks: Option<Url>,
    /// This server's own base URL, as a browser reaches it; default: the address it listens on
    #[arg(long)]
    public_url: Option<Url>,
    /// The publisher token that Cleeng accepts
    #[arg(long, default_value = "simulated-publisher-token")]
    publisher_token: String,
    #[arg(long, default_value_t = 558_186_818)]
    publisher_id: u64,
    /// Cleeng's payment method id of new orders that name none
    #[arg(long, default_value_t = 100_000_001)]
    payment_method_id: u64,
    #[arg(long, default_value = "sk_test_simulated")]
    stripe_secret_key: String,
    #[arg(long, default_value = "whsec_simulated")]
    stripe_webhook_secret: String,
    #[arg(long, default_value = "simulated-secret-key")]
    simulated_secret_key: String,
    #[arg(long, default_value = "simulated-webhook-secret")]
    simulated_webhook_secret: String,
    #[command(flatten)]
    cleeng: Box<CleengOptions>,
    /// Of the dice for faults by probability
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long a gateway takes over each call: `none`, or median and 99th percentile of a log-normal, such as 120ms/380ms
    #[arg(long, value_name = "P50/P99")]
    gateway_latency: Option<Latency>,
    /// Order ids that exist at Cleeng without being created, as FIRST-LAST
    #[arg(long, value_name = "FIRST-LAST")]
    standing_orders: Option<Standing>,
}

/// How Cleeng's own webhooks are sent.
#[derive(Debug, Args)]
struct CleengOptions {
    /// Where Cleeng's webhooks go; default: `cleeng` below --webhooks
    #[arg(long)]
    cleeng_webhooks: Option<Url>,
    #[arg(long, default_value = "simulated-cleeng-webhook-secret")]
    cleeng_webhook_secret: String,
    /// The header of Cleeng's signature: the HMAC-SHA256 of the raw body
    #[arg(long, default_value = "x-cleeng-signature", value_parser = header)]
    cleeng_signature_header: String,
    #[arg(long, value_enum, default_value_t = Encoding::Hex)]
    cleeng_signature_encoding: Encoding,
}

pub(super) fn simulate(options: &Options) -> anyhow::Result<()> {
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        bail!(
            "--listen {}: other machines could reach it; add --allow-remote if that is meant",
            options.listen
        );
    }
    super::runtime()?.block_on(async {
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("--listen {}: cannot listen there", options.listen))?;
        let address = listener.local_addr()?;
        let public_url = match &options.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{address}"))?,
        };
        answer(&format!("simulator: http://{address} (/stripe, /simulated, /cleeng/3.1; /_ledger, /_book, /_faults, /_orders)"));
        let stop = CancellationToken::new();
        let mut supervisor = Supervisor::new(stop.clone());
        let signals = supervise::signals().context("signals cannot be listened for")?;
        let served = simulator::serve(listener, settings(options, public_url), stop);
        supervisor.start("simulator", async move { Ok(served.await?) });
        Ok(supervisor.run(signals, GRACE).await?)
    })
}

/// A header's name, in lower case.
fn header(text: &str) -> Result<String, String> {
    reqwest::header::HeaderName::from_bytes(text.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| "not the name of a header".to_owned())
}

fn settings(options: &Options, public_url: Url) -> Settings {
    Settings {
        publisher_token: options.publisher_token.clone(),
        publisher_id: options.publisher_id,
        payment_method_id: options.payment_method_id,
        stripe_secret_key: options.stripe_secret_key.clone(),
        stripe_webhook_secret: options.stripe_webhook_secret.clone(),
        simulated_secret_key: options.simulated_secret_key.clone(),
        simulated_webhook_secret: options.simulated_webhook_secret.clone(),
        webhook_base: options.webhooks.clone(),
        cleeng_webhooks: Hooks {
            url: options.cleeng.cleeng_webhooks.clone(),
            secret: options.cleeng.cleeng_webhook_secret.clone(),
            header: options.cleeng.cleeng_signature_header.clone(),
            encoding: options.cleeng.cleeng_signature_encoding,
        },
        public_url,
        seed: options.seed,
        gateway_latency: options.gateway_latency,
        standing_orders: options.standing_orders,
    }
}
