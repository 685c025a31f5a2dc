//! The renewals: a night's batch comes from Cleeng all at once while payers go on paying. It shows what the lanes are worth: how
//! much longer a payment takes during the batch than without it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::line::Line;
use super::load;
use super::measuring::{A_DAY, Measured, Pace};
use super::processes::{PUBLISHER_ID, WEBHOOK_SECRET};
use super::report::Row;
use super::rig::Rig;
use super::tally::{Fate, Window};
use super::usage::float;
use super::verify::{Answer, Renewal, Sent};
use super::wall;

/// How many renewals are due when nobody says how many.
const DUE: u64 = 10_000;

/// Few enough that an idle connector is idle, enough for percentiles.
const CHECKOUTS_PER_SECOND: f64 = 20.0;

/// Until connections are open and caches filled.
const WARM_UP: Duration = Duration::from_secs(3);

/// Connections that Cleeng's webhooks come over.
const LINES: usize = 16;

/// As Cleeng does, a webhook is sent again that was not answered 200; the demand is the same. This often, and this long.
const AGAIN: Duration = Duration::from_millis(50);
const TRIES: u32 = 600;

/// How long the purchase may take until Cleeng has its subscription.
const PURCHASE: Duration = Duration::from_secs(60);

const OFFER: &str = "S900000001_US";
const PRICE: i64 = 999;

/// Customers of purchases: none that the simulated Cleeng counts up to.
const CUSTOMER: usize = 990_000_000_001;

/// A webhook, signed.
struct Letter {
    body: Bytes,
    signature: String,
}

/// `POST /_subscriptions`: each is the data of its webhook.
#[derive(Deserialize)]
struct Copies {
    subscriptions: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Copy {
    subscription_id: u64,
}

/// `POST /_orders`.
#[derive(Deserialize)]
struct Order {
    id: u64,
}

/// `GET /_statement`.
#[derive(Deserialize)]
struct Statement {
    subscriptions: Vec<Order>,
}

impl Rig<'_> {
    /// Two rows: payments without a batch, and the same while one goes through.
    ///
    /// # Errors
    /// A process failed, or the batch cannot be made.
    pub(super) async fn renewals(&self, tell: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Row>> {
        let pace = Pace {
            // `--payments` takes the run's warm-up away; a comparison needs one here.
            warm_up: self.settings.warm_up.max(WARM_UP),
            seconds: self.settings.seconds,
            payments: None,
        };
        let idle = self.open("renewals: idle".to_owned(), CHECKOUTS_PER_SECOND, pace);
        let idle = idle.await?;
        let count = self.settings.payments.unwrap_or(DUE);
        tell(&format!("renewals: {count} are due …"));
        let subscription = self.buy().await?;
        let letters = self.make_due(subscription, count).await?;
        let mut busy = self.during_batch(letters, count).await?;
        busy.compare(&idle);
        Ok(vec![idle, busy])
    }

    /// Buys a subscription through the connector, so that there is a token of the gateway for its renewals.
    async fn buy(&self) -> anyhow::Result<u64> {
        let mut outside = Line::open(self.simulator_address).await?;
        let customer = CUSTOMER.saturating_add(self.batch.bought().len());
        let wanted = json!({ "offerId": OFFER, "totalMinor": PRICE, "customerId": customer });
        let order: Order = ask(&mut outside, "/_orders", &wanted).await?;
        let line = Line::open(self.target.address).await?;
        let (_, fate) = self.target.submit(line, order.id).await;
        let Fate::Accepted(id) = fate else {
            bail!("the subscription that the renewals follow from was not accepted: {fate:?}");
        };
        self.batch.buy(Sent {
            order_id: order.id,
            amount: PRICE,
            answer: Answer::Accepted(id),
        });
        let begun = Instant::now();
        while begun.elapsed() < PURCHASE {
            let path = format!("/_statement?customerId={customer}");
            let (_, body) = outside.get(&path).await?;
            let statement: Statement = serde_json::from_slice(&body)?;
            if let Some(subscription) = statement.subscriptions.first() {
                return Ok(subscription.id);
            }
            sleep(AGAIN).await;
        }
        bail!("the subscription that the renewals follow from did not come to Cleeng")
    }

    /// So many subscriptions like it, and the webhook of each, signed.
    async fn make_due(&self, like: u64, count: u64) -> anyhow::Result<Vec<Letter>> {
        let mut outside = Line::open(self.simulator_address).await?;
        let wanted = json!({ "like": like, "count": count });
        let copies: Copies = ask(&mut outside, "/_subscriptions", &wanted).await?;
        let mut due = Vec::new();
        let mut letters = Vec::new();
        for data in &copies.subscriptions {
            let copy: Copy = serde_json::from_str(data.get())?;
            due.push(Renewal {
                subscription_id: copy.subscription_id,
                amount: PRICE,
            });
            letters.push(Letter::capture(data)?);
        }
        self.batch.add(&due);
        Ok(letters)
    }

    /// The window is the batch: from its first webhook until Cleeng has the last renewal.
    async fn during_batch(&self, letters: Vec<Letter>, count: u64) -> anyhow::Result<Row> {
        let pace = Pace {
            warm_up: Duration::ZERO,
            seconds: Duration::ZERO,
            payments: Some(count),
        };
        let stop = CancellationToken::new();
        let begun = wall::micros();
        let renewals = async {
            let posted = post_all(self.target.address, letters).await;
            let last = match &posted {
                Ok(()) => self.batch.drained().await,
                Err(_) => None,
            };
            stop.cancel();
            posted.map(|()| last)
        };
        let payers = load::open(&self.target, CHECKOUTS_PER_SECOND, A_DAY, None, &stop);
        let load = async { tokio::join!(renewals, payers) };
        let (measured, (renewed, paid)): (Measured, _) = self.window(load, pace).await;
        paid?;
        let last = renewed?;
        let name = "renewals: during the batch".to_owned();
        let mut row = self
            .drained(name, Some(CHECKOUTS_PER_SECOND), &measured)
            .await;
        row.drained = row.drained && last.is_some();
        row.renewals_per_second = last.map(|to| {
            let window = Window { from: begun, to };
            float(count) / window.seconds()
        });
        let all = row.confirmed.saturating_add(count);
        let (from, to) = (&measured.from, &measured.to);
        row.cpu_seconds_per_thousand = self.parties.per_thousand(from, to, all);
        Ok(row)
    }
}

impl Letter {
    fn capture(data: &RawValue) -> anyhow::Result<Letter> {
        let body = format!(
            r#"{{"broadcasterId":"{PUBLISHER_ID}","topic":"subscriptionReadyForPaymentCapture","data":{}}}"#,
            data.get()
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes())?;
        mac.update(body.as_bytes());
        Ok(Letter {
            signature: hex::encode(mac.finalize().into_bytes()),
            body: body.into(),
        })
    }

    /// Sends it until it is taken; the line that it went over last.
    async fn deliver(&self, to: SocketAddr, mut line: Option<Line>) -> anyhow::Result<Line> {
        for _ in 0..TRIES {
            let mut open = match line {
                Some(open) => open,
                None => Line::open(to).await?,
            };
            let header = ("x-cleeng-signature", self.signature.as_str());
            let path = "/v1/webhooks/cleeng";
            line = match open.post(path, header, self.body.clone()).await {
                Ok((200, _)) => return Ok(open),
                Ok((status @ 400..500, body)) => {
                    let body = String::from_utf8_lossy(&body);
                    bail!("a webhook was refused: status {status}, {body}");
                }
                Ok(_) => Some(open),
                Err(_) => None,
            };
            sleep(AGAIN).await;
        }
        bail!("a webhook was not taken in {TRIES} tries")
    }
}

/// As fast as they are taken.
async fn post_all(to: SocketAddr, letters: Vec<Letter>) -> anyhow::Result<()> {
    let waiting = Arc::new(Mutex::new(letters));
    let mut lines = JoinSet::new();
    for _ in 0..LINES {
        let waiting = Arc::clone(&waiting);
        let next = move || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        lines.spawn(async move {
            let mut line = None;
            while let Some(letter) = next() {
                line = Some(letter.deliver(to, line).await?);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = lines.join_next().await {
        ended.context("a line of webhooks")??;
    }
    Ok(())
}

/// One of the simulated Cleeng's knobs.
async fn ask<T: DeserializeOwned>(
    line: &mut Line,
    path: &str,
    wanted: &Value,
) -> anyhow::Result<T> {
    let body = wanted.to_string().into();
    let (status, answer) = line
        .post(path, ("accept", "application/json"), body)
        .await?;
    serde_json::from_slice(&answer).map_err(|error| anyhow!("{path}: status {status}, {error}"))
}
