//! The knobs: orders for tests, faults, webhooks to send again, and a fresh start. Loopback only, so without credentials.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::afterwards::Befallen;
use super::call::{Call, Reply};
use super::cleeng::courier;
use super::fault::Rule;
use super::{Sim, afterwards, book, cleeng, ledger, perform};

/// What there is, for whoever opens the address in a browser.
const HELP: &str = "\
The simulated outside of cleeng-connector. Nothing here is real, no money moves.

/stripe/v1/...          Stripe (Bearer key, Stripe-Version, form bodies)
/stripe/js/v3/          a stand-in for Stripe's script in a shop's page, which asks /stripe/v1 by a publishable key
/simulated/charges      the simulated gateway (Bearer key, Idempotency-Key, JSON)
/simulated/methods      its methods that are kept without a charge
/simulated/refunds, /simulated/disputes, and GET /simulated/charges: lists, ?createdFrom= ?limit= ?startingAfter=
/cleeng/3.1/...         Cleeng's Core API (X-Publisher-Token, JSON)
/.well-known/jwks.json  the keys of customers' tokens

GET    /_ledger         what really happened; ?reference= ?orderId=
GET    /_book/NAME      the same in bulk, a line for each record, in pages: stripe, simulated or cleeng; ?from= ?limit=
POST   /_orders         {\"totalMinor\",\"currency\",\"customerId\",\"offerId\",\"paymentMethodId\",\"expiresInSeconds\"}, all optional
POST   /_tokens         {\"customerId\"} and \"expiresInSeconds\", \"publisherId\", \"forge\": a customer's token
POST   /_jwks           {\"keepOld\"}: another key signs customers' tokens from now on
POST   /_faults         {\"operation\",\"fault\"} and \"times\" or \"probability\", \"match\", \"delayMs\", \"retryAfter\"
DELETE /_faults         no more faults
POST   /_date           {\"offsetSeconds\"}: how far the header Date of every answer is off
POST   /_keys           {\"lifetimeMs\"} of idempotency keys
POST   /_offers         {\"offerId\"} and \"priceMinor\", \"cycle\" (daily, weekly, monthly, 3-months, ...), \"trial\" (7d)
POST   /_subscriptions  {\"like\": subscriptionId, \"count\"}: so many more like it, each of a customer of its own
GET    /_clock          Cleeng's time, and what is due next
POST   /_clock          {\"advance\": \"31d\" or \"next\"} and \"waitMs\" for the report on each webhook
GET    /_statement      Cleeng's subscriptions, payments, refunds as they stand, added up; ?subscriptionId= ?customerId=
POST   /_refunds        {\"paymentId\"} and \"amountMinor\", \"refundId\": Cleeng asks for a refund
POST   /_captures       {\"paymentId\"}: Cleeng asks for the capture
POST   /_deactivations  {\"paymentDetailsId\"}: the customer takes them away
POST   /_gateway/refunds        {\"id\"} of a charge or intent, {\"amount\"}: a refund from the gateway's dashboard
POST   /_gateway/disputes       {\"id\"} of a charge or intent, {\"amount\",\"reason\",\"inquiry\"}: its payer's bank disputes it
POST   /_gateway/disputes/close {\"id\",\"result\"}: won, lost, or closed (an inquiry)
POST   /_gateway/expire         {\"id\"} of a charge or intent: its authorisation runs out
POST   /_gateway/subscriptions  {\"act\"}: pay, fail, cancel, end, transfer; {\"id\"} or a new one: {\"customerId\",\"offerId\"}, ...
GET    /_webhooks       every webhook and how it fared
POST   /_webhooks/resend {\"eventId\"}
POST   /_reset          forget everything
";

/// `POST /_webhooks/resend`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Resend {
    event_id: String,
}

/// `POST /_date`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DateRule {
    offset_seconds: i64,
}

/// `POST /_keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyRule {
    lifetime_ms: u64,
}

/// Answers one request of a test or the demo.
pub(crate) async fn answer(sim: &Arc<Sim>, call: &Call) -> Reply {
    let segments = call.segments("");
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", []) => Reply::text(200, "text/plain; charset=utf-8", HELP.to_owned()),
        ("GET", ["_book", name]) => book::show(sim, name, call).unwrap_or_else(missing),
        ("GET", ["_ledger"]) => ledger::show(sim, call),
        ("POST", ["_faults"]) => match body::<Rule>(call).map(|rule| sim.faults.add(rule)) {
            Ok(Ok(())) => done(),
            Ok(Err(message)) => wrong(&message),
            Err(reply) => reply,
        },
        ("DELETE", ["_faults"]) => {
            sim.faults.clear();
            done()
        }
        ("POST", ["_date"]) => match body::<DateRule>(call) {
            Ok(rule) => {
                sim.date_lie.store(rule.offset_seconds, Ordering::Relaxed);
                done()
            }
            Err(reply) => reply,
        },
        ("POST", ["_keys"]) => match body::<KeyRule>(call) {
            Ok(rule) => {
                sim.keys.live_for(Duration::from_millis(rule.lifetime_ms));
                done()
            }
            Err(reply) => reply,
        },
        ("POST", ["_gateway", "refunds"]) => {
            told(sim, body(call).map(|wish| afterwards::refund(sim, &wish))).await
        }
        ("POST", ["_gateway", "disputes"]) => {
            told(sim, body(call).map(|wish| afterwards::dispute(sim, &wish))).await
        }
        ("POST", ["_gateway", "disputes", "close"]) => {
            told(sim, body(call).map(|wish| afterwards::close(sim, &wish))).await
        }
        ("POST", ["_gateway", "expire"]) => {
            told(sim, body(call).map(|wish| afterwards::expire(sim, &wish))).await
        }
        ("POST", ["_gateway", "subscriptions"]) => {
            told(sim, body(call).map(|wish| afterwards::bill(sim, &wish))).await
        }
        ("GET", ["_webhooks"]) => Reply::of(200, &sim.post.sent()),
        ("POST", ["_webhooks", "resend"]) => match body::<Resend>(call) {
            Ok(resend) => again(sim, &resend.event_id).await,
            Err(reply) => reply,
        },
        ("POST", ["_reset"]) => {
            sim.reset();
            done()
        }
        _ => match cleeng::operator::answer(sim, call).await {
            Some(reply) => reply,
            None => missing(),
        },
    }
}

async fn again(sim: &Arc<Sim>, id: &str) -> Reply {
    if let Some(number) = courier::number(id) {
        let desk = sim.cleeng_desk();
        let found = sim.cleeng().again(&desk, number);
        sim.bell.notify_one();
        return if found { done() } else { missing() };
    }
    match sim.post.letter(id) {
        Some(letter) => {
            sim.send(vec![letter], None).await;
            done()
        }
        None => missing(),
    }
}

/// The answer to what befalls a payment, after its webhooks are on their way.
async fn told(sim: &Arc<Sim>, befallen: Result<Option<Befallen>, Reply>) -> Reply {
    match befallen {
        Ok(Some(befallen)) => {
            sim.send(befallen.letters, None).await;
            if let Some(later) = befallen.later {
                perform::later(sim, later);
            }
            Reply::json(200, &befallen.shown)
        }
        Ok(None) => Reply::json(409, &json!({ "error": "that cannot befall it" })),
        Err(reply) => reply,
    }
}

pub(crate) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Reply> {
    let text: &[u8] = match call.body.is_empty() {
        true => b"{}",
        false => &call.body,
    };
    serde_json::from_slice(text).map_err(|error| wrong(&error.to_string()))
}

pub(crate) fn done() -> Reply {
    Reply::json(200, &json!({ "ok": true }))
}

pub(crate) fn wrong(message: &str) -> Reply {
    Reply::json(400, &json!({ "error": message }))
}

pub(crate) fn missing() -> Reply {
    Reply::json(404, &json!({ "error": "there is no such thing" }))
}
