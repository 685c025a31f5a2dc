//! What a test does at Cleeng's side of the desk: orders and offers of its wish, refunds, captures and the clock.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::copies::Copies;
use super::courier::{self, Move};
use super::letter::{Awaits, News};
use super::order::{Discount, LIFETIME_SECONDS, Order, show};
use super::payment::Status;
use super::topic::{Topic, about};
use super::world::{Desk, World};
use crate::simulator::call::{Call, Reply};
use crate::simulator::control::{body, done, missing, wrong};
use crate::simulator::{Sim, clock};

/// How long the moved clock stands still for a report, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(2);

/// `POST /_orders`: an order as a test or the demo needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Wanted {
    total_minor: Option<i64>,
    currency: Option<String>,
    customer_id: Option<u64>,
    offer_id: Option<String>,
    payment_method_id: Option<u64>,
    expires_in_seconds: Option<i64>,
}

/// `POST /_clock`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Advance {
    advance: String,
    wait_ms: Option<u64>,
}

/// `POST /_refunds` and `POST /_captures`: somebody at Cleeng wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wish {
    payment_id: u64,
    amount_minor: Option<i64>,
    refund_id: Option<String>,
}

/// `POST /_deactivations`: the customer, or Cleeng, takes the payment details away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Deactivation {
    payment_details_id: u64,
}

/// Answers the knobs that are Cleeng's alone; nothing when it is none of them.
pub(crate) async fn answer(sim: &Arc<Sim>, call: &Call) -> Option<Reply> {
    let segments = call.segments("");
    let desk = sim.cleeng_desk();
    let answer = match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["_clock"]) => {
            sim.cleeng().keep_schedule(&desk);
            Ok(Reply::json(200, &courier::show(sim)))
        }
        ("POST", ["_clock"]) => advance(sim, call).await,
        ("GET", ["_statement"]) => super::statement::show(sim, call),
        ("POST", ["_orders"]) => {
            body(call).map(|wanted| Reply::json(200, &sim.cleeng().wanted_order(&desk, wanted)))
        }
        ("POST", ["_tokens"]) => super::token::made(sim, call),
        ("POST", ["_jwks"]) => super::token::rotate(sim, call),
        ("POST", ["_offers"]) => settle(call, |wanted| sim.cleeng().want_offer(wanted)),
        ("POST", ["_subscriptions"]) => body(call).and_then(|wanted: Copies| {
            let copied = sim.cleeng().copy_subscription(&wanted);
            copied.map(|made| Reply::json(200, &made)).map_err(refused)
        }),
        ("POST", ["_refunds"]) => {
            settle(call, |wish| sim.cleeng().wish(&desk, &wish, Topic::Refund))
        }
        ("POST", ["_captures"]) => settle(call, |wish| {
            sim.cleeng().wish(&desk, &wish, Topic::CapturePayment)
        }),
        ("POST", ["_deactivations"]) => settle(call, |wanted: Deactivation| {
            sim.cleeng()
                .switch_details(&desk, wanted.payment_details_id, false)
                .map(drop)
                .map_err(|fail| fail.message)
        }),
        _ => return None,
    };
    let next = sim.cleeng().agenda.next().map(|(at, _)| at);
    sim.ring(next, desk.now);
    Some(answer.unwrap_or_else(|refused| refused))
}

async fn advance(sim: &Arc<Sim>, call: &Call) -> Result<Reply, Reply> {
    let wanted: Advance = body(call)?;
    let how = match wanted.advance.as_str() {
        "next" => Move::ToNext,
        text => clock::span(text)
            .map(Move::By)
            .ok_or_else(|| wrong("advance: a span like 90s, 5m, 12h, 31d, or next"))?,
    };
    let patience = wanted.wait_ms.map_or(PATIENCE, Duration::from_millis);
    let taken = courier::advance(sim, how, patience).await;
    let mut shown = courier::show(sim);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("webhooksTaken".to_owned(), json!(taken));
    }
    Ok(Reply::json(200, &shown))
}

fn settle<T: DeserializeOwned>(
    call: &Call,
    work: impl FnOnce(T) -> Result<(), String>,
) -> Result<Reply, Reply> {
    let wanted = body(call)?;
    work(wanted).map(|()| done()).map_err(refused)
}

fn refused(message: String) -> Reply {
    match message.ends_with("not found") {
        true => missing(),
        false => wrong(&message),
    }
}

impl World {
    /// The order a test asked for.
    pub(crate) fn wanted_order(&mut self, desk: &Desk, wanted: Wanted) -> Value {
        let id = self.next_order();
        let life = wanted.expires_in_seconds.unwrap_or(LIFETIME_SECONDS);
        let customer_id = wanted.customer_id.unwrap_or(123_321_123);
        let offer_id = wanted
            .offer_id
            .unwrap_or_else(|| "S619117184_US".to_owned());
        let (usual, discount) = match self.is_trial(customer_id, &offer_id) {
            true => (0, Discount::Trial),
            false => (self.offer(&offer_id).price, Discount::None),
        };
        let order = Order {
            id,
            customer_id,
            offer_id,
            total: wanted.total_minor.unwrap_or(usual),
            currency: wanted.currency.unwrap_or_else(|| "EUR".to_owned()),
            country: "US".to_owned(),
            payment_method_id: Some(wanted.payment_method_id.unwrap_or(desk.payment_method_id)),
            expires: desk.seconds().saturating_add(life),
            coupon: None,
            gift: false,
            delivery: Value::Null,
            billing_address: Value::Null,
            subscription: None,
            discount,
        };
        let shown = show(&order, desk);
        self.orders.insert(id, order);
        shown
    }

    /// Tells the connector that a payment is to be refunded or captured.
    fn wish(&mut self, desk: &Desk, wish: &Wish, topic: Topic) -> Result<(), String> {
        let Some(payment) = self.payments.get(&wish.payment_id) else {
            return Err("payment not found".to_owned());
        };
        let left = payment.sale.total.saturating_sub(payment.refunded);
        let (amount, awaits) = match topic {
            Topic::Refund => {
                let beyond = payment.refunded;
                let amount = wish.amount_minor.unwrap_or(left);
                let is_possible = matches!(payment.status, Status::Captured | Status::Refunded)
                    && (1..=left).contains(&amount);
                if !is_possible {
                    return Err("there is not as much to refund".to_owned());
                }
                let payment = payment.id;
                (amount, Awaits::Refund { payment, beyond })
            }
            Topic::CapturePayment
            | Topic::Authorisation
            | Topic::Capture
            | Topic::Termination
            | Topic::Deactivated
            | Topic::Transaction => {
                if payment.status != Status::Authorized {
                    return Err("the payment is not authorized".to_owned());
                }
                (payment.sale.total, Awaits::Capture(payment.id))
            }
        };
        let data = about(payment, amount, wish.refund_id.as_deref());
        self.announce(desk, News::new(topic, wish.payment_id, data, awaits));
        Ok(())
    }
}
