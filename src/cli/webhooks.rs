//! `webhooks`: has Cleeng send its webhooks here, beside whoever else hears of them, and shows whether it does.

mod row;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Failure, answer};
use crate::cleeng::Cleeng;
use crate::cleeng::webhooks::{Change, TOPICS, Wanted, WebhookSubscriptions, merge};
use crate::config::{Config, GatewayConfig, webhook_url};
use crate::domain::secret::Secret;
use crate::http;
use row::{Row, Trouble};

const NO_URL: &str = "where is Cleeng to send its webhooks? Give --url URL, or set cleeng.webhook_url \
                      (CONNECTOR_CLEENG__WEBHOOK_URL): the public address of /v1/webhooks/cleeng";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Put our endpoint into the list of every topic that a connector has to take; others' endpoints stay in it as they are
    Subscribe(SubscribeOptions),
    /// Compare those lists with what they must have; exit code 1 when our endpoint is missing or differs
    Status(StatusOptions),
}

#[derive(Debug, Args)]
pub(super) struct SubscribeOptions {
    /// Where Cleeng reaches /v1/webhooks/cleeng from outside; default: cleeng.webhook_url
    #[arg(long, value_name = "URL", value_parser = webhook_url)]
    url: Option<Url>,
    /// Only show what would change; nothing is put
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusOptions {
    /// The address to look for; default: cleeng.webhook_url
    #[arg(long, value_name = "URL", value_parser = webhook_url)]
    url: Option<Url>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn webhooks(config: &Config, command: &Command) -> Result<(), Failure> {
    let given = match command {
        Command::Subscribe(options) => &options.url,
        Command::Status(options) => &options.url,
    };
    let url = given.as_ref().or(config.cleeng_webhooks.url.as_ref());
    let url = url.ok_or_else(|| Failure::Usage(NO_URL.to_owned()))?;
    let secret = config.cleeng_webhooks.signing_secret();
    let secret = secret.map_err(Failure::Configuration)?;
    let secret = Secret::new(secret.expose_secret().to_owned());
    let wanted = Wanted {
        url,
        payment_method_id: only_payment_method(config),
        secret: &secret,
    };
    let stop = CancellationToken::new();
    let cleeng = Cleeng::new(
        &config.cleeng,
        http::client().map_err(anyhow::Error::new)?,
        &stop,
    )
    .context("cleeng.publisher_token")?;
    let done = super::runtime()?.block_on(async {
        let lists = cleeng.webhook_subscriptions().await;
        let lists = lists.map_err(|cause| {
            let trouble = Trouble::from(&cause);
            anyhow::Error::msg(format!(
                "Cleeng does not show its webhook subscriptions: {trouble}"
            ))
        })?;
        match command {
            Command::Subscribe(options) => subscribe(&cleeng, &lists, &wanted, options).await,
            Command::Status(options) => status(&lists, &wanted, options),
        }
    });
    Ok(done?)
}

/// A filter names one method, and what several filters of one endpoint mean is not published: with several gateways there is
/// none, and the door looks for itself whose a webhook is.
pub(super) fn only_payment_method(config: &Config) -> Option<u64> {
    let mut methods = config
        .gateways
        .values()
        .map(GatewayConfig::payment_method_id);
    methods.next().filter(|_| methods.next().is_none())
}

async fn subscribe(
    cleeng: &Cleeng,
    lists: &WebhookSubscriptions,
    wanted: &Wanted<'_>,
    options: &SubscribeOptions,
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for topic in TOPICS {
        let row = match merge(topic, &lists.of(topic), wanted) {
            Err(hidden) => Row::failed(topic, hidden.into()),
            Ok(merged) if merged.change == Change::Nothing || options.dry_run => {
                Row::of(topic, merged)
            }
            Ok(merged) => match cleeng.put_webhook_subscription(topic, &merged.list).await {
                Ok(()) => Row::of(topic, merged),
                Err(cause) => Row::failed(topic, Trouble::from(&cause)),
            },
        };
        rows.push(row);
    }
    let failed = names(&rows, |row| row.change.is_err());
    if options.json {
        let topics: Vec<_> = rows.iter().map(Row::subscribed).collect();
        let url = wanted.url.as_str();
        answer(&json!({ "url": url, "dryRun": options.dry_run, "topics": topics }).to_string());
    } else {
        for row in &rows {
            answer(&row.subscribed_line(options.dry_run));
        }
        if options.dry_run {
            answer("nothing was put");
        } else if failed.is_empty() {
            answer(&format!("Cleeng sends these to {}", wanted.url));
        }
    }
    if !failed.is_empty() {
        bail!("not subscribed: {}", failed.join(", "));
    }
    Ok(())
}

fn status(
    lists: &WebhookSubscriptions,
    wanted: &Wanted<'_>,
    options: &StatusOptions,
) -> anyhow::Result<()> {
    let rows = TOPICS.map(|topic| match merge(topic, &lists.of(topic), wanted) {
        Ok(merged) => Row::of(topic, merged),
        Err(hidden) => Row::failed(topic, hidden.into()),
    });
    let wrong = names(&rows, |row| row.change != Ok(Change::Nothing));
    if options.json {
        let topics: Vec<_> = rows.iter().map(Row::found).collect();
        let (url, ok) = (wanted.url.as_str(), wrong.is_empty());
        answer(&json!({ "url": url, "ok": ok, "topics": topics }).to_string());
    } else {
        rows.iter().for_each(|row| answer(&row.found_line()));
    }
    if !wrong.is_empty() {
        bail!(
            "Cleeng does not send these here as it must: {}; `webhooks subscribe` mends it",
            wrong.join(", ")
        );
    }
    if !options.json {
        answer(&format!("Cleeng sends these to {}", wanted.url));
    }
    Ok(())
}

fn names(rows: &[Row], is_so: impl Fn(&Row) -> bool) -> Vec<&'static str> {
    let found = rows.iter().filter(|row| is_so(row));
    found.map(|row| row.topic).collect()
}
