//! The gateways and Cleeng, by reads that change nothing: are we known there, what time is it there, and does Cleeng send its webhooks?

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::cleeng::Cleeng;
use crate::cleeng::webhooks::{Change, TOPICS, Wanted, WebhookSubscriptions, merge};
use crate::clock;
use crate::config::Config;
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;
use crate::domain::secret::Secret;
use crate::gateway::{self, Gateway};
use crate::http;

use super::line::{Line, clocks};
use super::within;
use crate::cli::webhooks::only_payment_method;

/// How a header tells the time, in milliseconds.
const WHOLE_SECONDS: i64 = 1000;

pub(super) async fn gateways(config: &Config, client: &reqwest::Client) -> Vec<Line> {
    let stop = CancellationToken::new();
    let gateways = match gateway::from_config(&config.gateways, client, &stop) {
        Ok(gateways) => gateways,
        Err((name, fault)) => {
            let what = format!("gateway {name}");
            return vec![Line::fault(
                &what,
                fault.to_string(),
                "set its secret_key anew",
            )];
        }
    };
    // Each within its own time: one that hangs hides no other.
    let each = gateways.iter().map(async |(name, gateway)| {
        let what = format!("gateway {name}");
        within(&what, one(name, gateway.as_ref())).await
    });
    join_all(each).await.into_iter().flatten().collect()
}

async fn one(name: &GatewayName, gateway: &dyn Gateway) -> Vec<Line> {
    let what = format!("gateway {name}");
    let before = clock::now();
    match gateway.probe().await {
        Ok(probe) => {
            let time = format!("gateway {name} time");
            let mut lines = vec![Line::ok(&what, "answers, and takes the secret key")];
            lines.push(of_time(&time, before, probe.date));
            if gateway.lists().is_none() {
                lines.push(Line::warning(
                    &what,
                    "offers no lists: `reconcile` cannot find charges there that the ledger does not know",
                    "compare its own reports by hand",
                ));
            }
            lines
        }
        Err(cause) => vec![unread(
            &what,
            &cause,
            &format!("gateways.{name}.secret_key"),
        )],
    }
}

pub(super) async fn cleeng(config: &Config, client: &reqwest::Client) -> Vec<Line> {
    let stop = CancellationToken::new();
    let Ok(cleeng) = Cleeng::new(&config.cleeng, client.clone(), &stop) else {
        let detail = "the publisher token has a character that no header may have";
        return vec![Line::fault(
            "Cleeng",
            detail,
            "set cleeng.publisher_token anew",
        )];
    };
    let before = clock::now();
    match cleeng.probe().await {
        Ok(probe) => vec![
            Line::ok("Cleeng", "answers, and takes the publisher token"),
            of_time("Cleeng time", before, probe.date),
            webhooks(config, &probe.webhooks),
        ],
        Err(cause) => vec![unread("Cleeng", &cause, "cleeng.publisher_token")],
    }
}

fn of_time(what: &str, before: Moment, date: Option<Moment>) -> Line {
    match date {
        Some(date) => clocks(what, (before, clock::now()), date, WHOLE_SECONDS),
        None => Line::warning(
            what,
            "not told",
            "make sure by hand that this machine's clock is set by NTP",
        ),
    }
}

/// Pure: why a read gave nothing.
fn unread(what: &str, cause: &CallError, credential: &str) -> Line {
    match cause {
        CallError::Broken { code } if code == "wrong_mode" => Line::fault(
            what,
            "its objects are of the other mode (live or test) than the key",
            &format!("set {credential} to the key of the right mode"),
        ),
        CallError::Broken { code } => Line::fault(
            what,
            format!("the credential is not taken ({code})"),
            &format!(
                "set {credential} anew; a restricted key needs to read what the connector reads"
            ),
        ),
        CallError::NotDone {
            cause: cause @ Cause::RateLimited,
            ..
        } => Line::warning(
            what,
            format!("answers, and asks us to wait ({cause})"),
            "run this again later; is another process using up the limit?",
        ),
        CallError::NotDone { cause, .. } | CallError::Unknown { cause } => Line::fault(
            what,
            format!("cannot be reached ({cause})"),
            "is its base_url right, may this machine reach it, and is it up?",
        ),
        CallError::Refused { code } => Line::fault(
            what,
            format!("answers what this build does not understand ({code})"),
            "is its base_url right, version included?",
        ),
    }
}

/// Pure: whether Cleeng sends its webhooks here.
fn webhooks(config: &Config, lists: &WebhookSubscriptions) -> Line {
    let what = "Cleeng webhooks";
    let Ok(secret) = config.cleeng_webhooks.signing_secret() else {
        let detail = "cleeng.webhook_secret is not set: renewals, refunds and ends of subscriptions are refused";
        return Line::warning(
            what,
            detail,
            "set it, restart every ingest, then `webhooks subscribe`",
        );
    };
    let Some(url) = &config.cleeng_webhooks.url else {
        let detail = "cleeng.webhook_url is not set, so nobody can tell whether they come here";
        return Line::warning(what, detail, "set it, then `webhooks subscribe`");
    };
    let secret = Secret::new(secret.expose_secret().to_owned());
    let wanted = Wanted {
        url,
        payment_method_id: only_payment_method(config),
        secret: &secret,
    };
    let is_right = |topic: &&str| {
        let merged = merge(topic, &lists.of(topic), &wanted);
        merged.is_ok_and(|merged| merged.change == Change::Nothing)
    };
    let wrong: Vec<&str> = TOPICS
        .into_iter()
        .filter(|topic| !is_right(topic))
        .collect();
    match wrong.is_empty() {
        true => Line::ok(what, "all topics of a connector are sent here"),
        false => Line::fault(
            what,
            format!("not sent here as they must be: {}", wrong.join(", ")),
            "`webhooks subscribe`",
        ),
    }
}

/// The ops port of a process with this configuration.
pub(super) async fn process(config: &Config, client: &reqwest::Client) -> Vec<Line> {
    let address = config.ops.listen;
    let url = format!("http://{address}/readyz");
    let asked = http::send(client.get(url), std::time::Duration::from_secs(5)).await;
    let what = "running process";
    vec![match asked {
        http::Sent::Answered(answer) if answer.is_success() => {
            Line::ok(what, format!("at {address}, ready"))
        }
        http::Sent::Answered(answer) => Line::fault(
            what,
            format!("at {address}, not ready: {}", reasons(&answer.body)),
            "its log and the lines above say why",
        ),
        http::Sent::Failed(cause) => Line::warning(
            what,
            format!("none at ops.listen, {address} ({cause})"),
            "`run`, where one should be running here",
        ),
    }]
}

/// What is not ready, as the process says.
fn reasons(body: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let checks = document.get("checks").and_then(|checks| checks.as_array());
    let told: Vec<&str> = checks
        .into_iter()
        .flatten()
        .filter(|check| check.get("ready") == Some(&serde_json::Value::Bool(false)))
        .filter_map(|check| check.get("name")?.as_str())
        .collect();
    match told.is_empty() {
        true => "it does not say why".to_owned(),
        false => told.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Grade;
    use super::*;

    #[test]
    fn a_read_that_gave_nothing_says_what_to_do() {
        let not_done = |cause| CallError::NotDone {
            cause,
            retry_after: None,
        };
        let broken = |code: &str| CallError::Broken {
            code: code.to_owned(),
        };
        for (cause, grade, word) in [
            (
                broken("http_401"),
                Grade::Fault,
                "set gateways.x.secret_key",
            ),
            (broken("wrong_mode"), Grade::Fault, "right mode"),
            (not_done(Cause::Connect), Grade::Fault, "base_url"),
            (not_done(Cause::ServerError), Grade::Fault, "is it up"),
            (not_done(Cause::RateLimited), Grade::Warning, "later"),
            (
                CallError::Refused {
                    code: "404".to_owned(),
                },
                Grade::Fault,
                "version",
            ),
        ] {
            let line = unread("gateway x", &cause, "gateways.x.secret_key");
            assert_eq!(line.grade, grade, "{cause:?}");
            assert!(line.to_string().contains(word), "{line}");
        }
    }

    #[test]
    fn what_is_not_ready_is_named() {
        let body = br#"{"checks":[{"name":"ledger","ready":false,"reason":"away"},{"name":"broker","ready":true}]}"#;
        assert_eq!(reasons(body), "ledger");
        assert_eq!(reasons(b"<html>"), "it does not say why");
    }
}
