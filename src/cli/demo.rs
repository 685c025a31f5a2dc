//! `demo`: everything in one process on embedded defaults, with a page where a payment can be made at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::answer;
use crate::config::{Config, Role};
use crate::connector::{self, Plan};
use crate::supervise::{self, Supervisor};
use crate::telemetry::logging;
use crate::{demo, simulator};

/// Cleeng's ids of the two payment methods, in the simulated Cleeng.
const STRIPE_METHOD: u64 = 100_000_001;
const SIMULATED_METHOD: u64 = 100_000_002;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Port of the page and the payments API; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the console, /metrics, /livez and /readyz; 0 takes a free one
    #[arg(long, default_value_t = 9090)]
    ops_port: u16,
    /// Keep the stores in this folder; default: a new one under the system's temporary folder, removed at the end
    #[arg(long)]
    data: Option<PathBuf>,
    /// Log level
    #[arg(long, default_value = "warn")]
    log: String,
    /// Another value for one setting of the connector, such as checkout.deadline=30s; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

pub(super) fn demo(options: &Options) -> anyhow::Result<()> {
    let folder = match &options.data {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("cleeng-connector-demo-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{}: cannot make this folder", folder.display()))?;
    let done = super::runtime()?.block_on(serve(options, &folder));
    if options.data.is_none() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{}: cannot remove this folder", folder.display()))?;
    }
    done
}

async fn serve(options: &Options, folder: &Path) -> anyhow::Result<()> {
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let outside_url = Url::parse(&format!("http://{}", outside.local_addr()?))?;
    let page = usable_port(options.port).await?;
    let ops = usable_port(options.ops_port).await?;
    // A new one for each run: it opens nothing but this demo.
    let token = uuid::Uuid::new_v4().simple().to_string();
    let mut variables = variables(&outside_url, page, ops, folder, &options.log);
    variables.push(("CONNECTOR_OPS__ADMIN_TOKEN".to_owned(), token.clone()));
    let own = |name: &String| options.settings.iter().any(|(other, _)| other == name);
    variables.retain(|(name, _)| !own(name));
    variables.extend(options.settings.iter().cloned());
    let config = Config::from_variables(&variables)?;
    let export = logging::init(&config.log, Some(&config.traces))?;
    let grace = config.shutdown.grace;
    let stop = CancellationToken::new();
    let mut supervisor = Supervisor::new(stop.clone());
    let signals = supervise::signals().context("signals cannot be listened for")?;
    let settings = outside_settings(&outside_url, page)?;
    let simulated = simulator::serve(outside, settings, stop.clone());
    supervisor.start("simulator", async move { Ok(simulated.await?) });
    let methods = BTreeMap::from([
        ("stripe".to_owned(), STRIPE_METHOD),
        ("simulated".to_owned(), SIMULATED_METHOD),
    ]);
    let plan = Plan {
        config,
        roles: Role::ALL.into(),
        only: BTreeSet::new(),
        extra: Some(demo::routes(outside_url.clone(), methods)?),
        export,
    };
    connector::start(plan, &mut supervisor, &stop).await?;
    supervisor.start("greeting", async move {
        greet(page, ops, &outside_url, &token, &stop).await
    });
    Ok(supervisor.run(signals, grace).await?)
}

/// Says where to go, once it works there; then waits for the end.
async fn greet(
    page: SocketAddr,
    ops: SocketAddr,
    outside: &Url,
    token: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let client = crate::http::client()?;
    let ready = format!("http://{ops}/readyz");
    while !client
        .get(&ready)
        .send()
        .await
        .is_ok_and(|response| response.status().is_success())
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    answer(&format!(
        "\n  Open  http://{page}\n  A shop's checkout with 3-D Secure:  http://{page}/checkout\n\n  The page pays with a simulated gateway and a simulated Cleeng (on {outside}).\n  \
         Operators: http://{ops}/console    token {token}\n  Metrics: http://{ops}/metrics    Stop with Ctrl-C.\n"
    ));
    stop.cancelled().await;
    Ok(())
}

/// `checkout.deadline=30s` as the variable that sets it.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains('.') => {
            let name = key.replace('.', "__").to_uppercase();
            Ok((format!("CONNECTOR_{name}"), value.to_owned()))
        }
        Some(_) | None => Err("must be KEY=VALUE, such as checkout.deadline=30s".to_owned()),
    }
}

/// The address with this port, or with a free one when somebody else has it.
async fn usable_port(port: u16) -> anyhow::Result<SocketAddr> {
    let wanted = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = match wanted {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no free port on 127.0.0.1")?,
    };
    Ok(listener.local_addr()?)
}

fn variables(
    outside: &Url,
    page: SocketAddr,
    ops: SocketAddr,
    folder: &Path,
    log: &str,
) -> Vec<(String, String)> {
    let base = outside.as_str().trim_end_matches('/');
    let ledger = folder.join("connector.sqlite");
    let pairs = [
        ("HTTP__LISTEN", page.to_string()),
        ("OPS__LISTEN", ops.to_string()),
        ("LEDGER__URL", format!("sqlite://{}", ledger.display())),
        ("CLEENG__BASE_URL", format!("{base}/cleeng/3.1")),
        (
            "CLEENG__PUBLISHER_TOKEN",
            "simulated-publisher-token".to_owned(),
        ),
        ("CLEENG__PUBLISHER_ID", "558186818".to_owned()),
        ("CLEENG__WEBHOOK_SECRET", simulator::Hooks::default().secret),
        ("CLEENG__TIMEOUT", "3s".to_owned()),
        ("CLEENG__SETTLE_TIME", "5s".to_owned()),
        ("GATEWAYS__STRIPE__BASE_URL", format!("{base}/stripe")),
        (
            "GATEWAYS__STRIPE__SECRET_KEY",
            "sk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__PUBLISHABLE_KEY",
            "pk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__WEBHOOK_SECRET",
            "whsec_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__PAYMENT_METHOD_ID",
            STRIPE_METHOD.to_string(),
        ),
        ("GATEWAYS__STRIPE__TIMEOUT", "3s".to_owned()),
        ("GATEWAYS__SIMULATED__BASE_URL", format!("{base}/simulated")),
        (
            "GATEWAYS__SIMULATED__SECRET_KEY",
            "simulated-secret-key".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__WEBHOOK_SECRET",
            "simulated-webhook-secret".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__PAYMENT_METHOD_ID",
            SIMULATED_METHOD.to_string(),
        ),
        ("GATEWAYS__SIMULATED__TIMEOUT", "3s".to_owned()),
        ("LOG__LEVEL", log.to_owned()),
        ("LOG__FORMAT", "pretty".to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (format!("CONNECTOR_{name}"), value))
        .collect()
}

fn outside_settings(outside: &Url, page: SocketAddr) -> anyhow::Result<simulator::Settings> {
    Ok(simulator::Settings {
        publisher_token: "simulated-publisher-token".to_owned(),
        publisher_id: 558_186_818,
        payment_method_id: STRIPE_METHOD,
        stripe_secret_key: "sk_test_simulated".to_owned(),
        stripe_webhook_secret: "whsec_simulated".to_owned(),
        simulated_secret_key: "simulated-secret-key".to_owned(),
        simulated_webhook_secret: "simulated-webhook-secret".to_owned(),
        webhook_base: Some(Url::parse(&format!("http://{page}/v1/webhooks/"))?),
        cleeng_webhooks: simulator::Hooks::default(),
        public_url: outside.clone(),
        seed: 1,
        gateway_latency: None,
        standing_orders: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_given_as_in_the_file_or_not_at_all() {
        let pair = ("CONNECTOR_CHECKOUT__DEADLINE".to_owned(), "30s".to_owned());
        assert_eq!(setting("checkout.deadline=30s"), Ok(pair));
        for wrong in ["checkout.deadline", "deadline=30s", "", "="] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
    }
}
