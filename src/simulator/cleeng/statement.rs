//! Cleeng's statement, to compare a ledger with: subscriptions, payments and refunds, every amount in minor units.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::payment::{Payment, Status};
use super::subscription::{Phase, Subscription};
use crate::simulator::Sim;
use crate::simulator::call::{Call, Reply};
use crate::simulator::control::wrong;

/// What went through in one currency.
#[derive(Default)]
struct Sum {
    captured: i64,
    refunded: i64,
    charged_back: i64,
}

/// `GET /_statement`, narrowed down by `?subscriptionId=` and `?customerId=`.
pub(crate) fn show(sim: &Sim, call: &Call) -> Result<Reply, Reply> {
    let number = |name: &str| match call.query(name) {
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| wrong(&format!("{name} is no number"))),
        None => Ok(None),
    };
    let (wanted, customer) = (number("subscriptionId")?, number("customerId")?);
    let world = sim.cleeng();
    let subscriptions: Vec<Value> = world
        .subscriptions
        .values()
        .filter(|found| wanted.is_none_or(|id| id == found.id))
        .filter(|found| customer.is_none_or(|id| id == found.customer_id))
        .map(subscription)
        .collect();
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let (mut payments, mut refunds) = (Vec::new(), Vec::new());
    for found in world.payments.values() {
        let of = world.subscription_of(found.id);
        if wanted.is_some_and(|id| of != Some(id))
            || customer.is_some_and(|id| id != found.sale.customer_id)
        {
            continue;
        }
        payments.push(payment(found, of));
        let sum = sums.entry(found.sale.currency.clone()).or_default();
        if matches!(found.status, Status::Captured | Status::Refunded) {
            sum.captured = sum.captured.saturating_add(found.sale.total);
        }
        for refund in &found.refunds {
            let side = match refund.kind {
                "chargeback" => &mut sum.charged_back,
                _ => &mut sum.refunded,
            };
            *side = side.saturating_add(refund.amount);
            refunds.push(json!({
                "paymentId": found.id, "externalPaymentId": found.external_id,
                "amountMinor": refund.amount, "currency": found.sale.currency,
                "type": refund.kind, "reason": refund.reason, "at": refund.at,
            }));
        }
    }
    let totals: BTreeMap<String, Value> = sums
        .into_iter()
        .map(|(currency, sum)| {
            let shown = json!({
                "capturedMinor": sum.captured, "refundedMinor": sum.refunded,
                "chargedBackMinor": sum.charged_back,
            });
            (currency, shown)
        })
        .collect();
    Ok(Reply::json(
        200,
        &json!({
            "subscriptions": subscriptions,
            "payments": payments,
            "refunds": refunds,
            "totals": totals,
        }),
    ))
}

fn subscription(found: &Subscription) -> Value {
    json!({
        "id": found.id, "customerId": found.customer_id, "offerId": found.offer_id,
        "status": found.standing.name(), "from": found.from, "to": found.to,
        "priceMinor": found.price, "currency": found.currency,
        "inTrial": found.phase == Phase::Trial, "completed": found.completed,
        "paymentDetailsId": found.details_id, "paymentMethodId": found.payment_method_id,
        "latestExternalPaymentId": found.latest_external_id, "termination": found.termination,
    })
}

fn payment(found: &Payment, subscription: Option<u64>) -> Value {
    json!({
        "id": found.id, "orderId": found.order_id, "subscriptionId": subscription,
        "customerId": found.sale.customer_id, "status": found.status.name(),
        "operation": found.operation, "externalPaymentId": found.external_id,
        "amountMinor": found.sale.total, "currency": found.sale.currency,
        "refundedMinor": found.refunded, "paymentDetailsId": found.details_id,
        "rejectedReason": found.rejected_reason, "refundedReason": found.refunded_reason,
        "created": found.created, "history": found.history,
    })
}
