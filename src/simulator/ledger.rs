//! What really happened: every object of every world, and per payment reference how often money moved.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde_json::{Value, json};

use super::Sim;
use super::call::{Call, Reply};
use super::simulated::wire;
use super::stripe::intent::Intent;

/// `GET /_ledger`, narrowed down by `?reference=` (`metadata.payment_id` at Stripe; at Cleeng the payments that name what is
/// found so) and `?orderId=` (`metadata.order_id` at Stripe).
pub(crate) fn show(sim: &Sim, call: &Call) -> Reply {
    let reference = call.query("reference");
    let order_id = call.query("orderId");
    let mut moved = BTreeMap::new();
    let stripe = stripe(sim, reference.as_deref(), order_id.as_deref(), &mut moved);
    let simulated = simulated(sim, reference.as_deref(), &mut moved);
    let order_id = order_id.and_then(|text| text.parse().ok());
    let external_ids = reference.map(|_| ids(&[&stripe, &simulated]));
    let requests = sim
        .counts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    Reply::json(
        200,
        &json!({
            "stripe": stripe,
            "simulated": simulated,
            "cleeng": cleeng(sim, order_id, external_ids.as_deref()),
            "moneyMoved": moved,
            "requests": requests,
        }),
    )
}

fn stripe(
    sim: &Sim,
    reference: Option<&str>,
    order_id: Option<&str>,
    moved: &mut BTreeMap<String, u32>,
) -> Value {
    let world = sim.stripe();
    let says = |intent: &Intent, name: &str, wanted: Option<&str>| {
        wanted.is_none() || intent.metadata.get(name).map(String::as_str) == wanted
    };
    let wanted = |intent: &Intent| {
        says(intent, "payment_id", reference) && says(intent, "order_id", order_id)
    };
    let mut intents: Vec<&Intent> = world
        .intents
        .values()
        .filter(|intent| wanted(intent))
        .collect();
    intents.sort_by_key(|intent| intent.place);
    for intent in &intents {
        let reference = intent.metadata.get("payment_id").unwrap_or(&intent.id);
        let count = moved.entry(reference.clone()).or_default();
        *count = count.saturating_add(intent.charges);
    }
    let mut refunds: Vec<_> = world
        .refunds
        .values()
        .filter(|refund| {
            let intent = world.intents.get(&refund.intent);
            intent.is_some_and(wanted)
        })
        .collect();
    refunds.sort_by_key(|refund| refund.place);
    let intents: Vec<Value> = intents
        .iter()
        .map(|intent| {
            json!({
                "id": intent.id, "status": intent.status.name(), "amount": intent.amount,
                "amountReceived": intent.received, "amountCapturable": intent.capturable,
                "amountRefunded": intent.refunded, "currency": intent.currency,
                "metadata": intent.metadata, "customer": intent.customer,
                "paymentMethod": intent.method, "latestCharge": intent.latest_charge,
                "charges": intent.charges, "confirms": intent.confirms, "created": intent.created,
            })
        })
        .collect();
    let refunds: Vec<Value> = refunds
        .iter()
        .map(|refund| {
            json!({
                "id": refund.id, "paymentIntent": refund.intent, "charge": refund.charge,
                "amount": refund.amount, "currency": refund.currency, "status": refund.status.name(),
                "reason": refund.reason, "metadata": refund.metadata, "created": refund.created,
            })
        })
        .collect();
    let mut disputes: Vec<_> = world
        .disputes
        .values()
        .filter(|dispute| {
            let intent = world.intents.get(&dispute.intent);
            intent.is_some_and(wanted)
        })
        .collect();
    disputes.sort_by_key(|dispute| dispute.place);
    let disputes: Vec<Value> = disputes
        .iter()
        .map(|dispute| {
            json!({
                "id": dispute.id, "paymentIntent": dispute.intent, "charge": dispute.charge,
                "amount": dispute.amount, "currency": dispute.currency, "status": dispute.status.name(),
                "reason": dispute.reason, "created": dispute.created,
            })
        })
        .collect();
    json!({ "paymentIntents": intents, "refunds": refunds, "disputes": disputes })
}

fn simulated(sim: &Sim, reference: Option<&str>, moved: &mut BTreeMap<String, u32>) -> Value {
    let world = sim.simulated();
    let mut charges: Vec<_> = world
        .charges
        .values()
        .filter(|charge| reference.is_none_or(|wanted| charge.reference == wanted))
        .collect();
    charges.sort_by_key(|charge| charge.place);
    for charge in &charges {
        let count = moved.entry(charge.reference.clone()).or_default();
        *count = count.saturating_add(u32::from(charge.status.holds_money()));
    }
    let charges: Vec<Value> = charges
        .iter()
        .map(|charge| {
            json!({
                "id": charge.id, "reference": charge.reference, "status": charge.status.name(),
                "amount": charge.value, "currency": charge.currency, "token": charge.token,
                "charges": u32::from(charge.status.holds_money()),
                "storedToken": charge.stored, "created": charge.created.unix_seconds(),
                "amountCaptured": charge.captured, "amountRefunded": charge.refunded,
            })
        })
        .collect();
    let of = |id: &str| {
        let charge = world.charges.get(id)?;
        let wanted = reference.is_none_or(|wanted| charge.reference == wanted);
        wanted.then_some(charge)
    };
    let refunds: Vec<Value> = world
        .refunds
        .iter()
        .filter_map(|refund| Some(wire::refund(refund, of(&refund.charge)?)))
        .collect();
    let disputes: Vec<Value> = world
        .disputes
        .iter()
        .filter_map(|dispute| Some(wire::dispute(dispute, of(&dispute.charge)?)))
        .collect();
    let savings: Vec<Value> = world
        .savings
        .values()
        .filter(|saving| reference.is_none_or(|wanted| saving.reference == wanted))
        .map(|saving| json!({
            "id": saving.id, "reference": saving.reference, "status": saving.status.name(),
            "token": saving.token, "storedToken": saving.stored, "created": saving.created.unix_seconds(),
        }))
        .collect();
    json!({ "charges": charges, "refunds": refunds, "disputes": disputes, "methods": savings })
}

/// The ids by which a confirmation may name these intents and charges.
fn ids(worlds: &[&Value]) -> Vec<String> {
    let lists = worlds.iter().filter_map(|world| world.as_object());
    let objects = lists.flat_map(|world| world.values().filter_map(Value::as_array).flatten());
    objects
        .flat_map(|object| [object.get("id"), object.get("latestCharge")])
        .filter_map(|id| id.and_then(Value::as_str).map(str::to_owned))
        .collect()
}

fn cleeng(sim: &Sim, order_id: Option<u64>, external_ids: Option<&[String]>) -> Value {
    let desk = sim.cleeng_desk();
    let world = sim.cleeng();
    let of_order = |id: u64| order_id.is_none_or(|wanted| wanted == id);
    let orders: Vec<Value> = world
        .orders
        .values()
        .filter(|order| of_order(order.id))
        .map(|order| super::cleeng::order::show(order, &desk))
        .collect();
    let payments: Vec<Value> = world
        .payments
        .values()
        .filter(|payment| match payment.order_id {
            Some(id) => of_order(id),
            None => order_id.is_none(),
        })
        .filter(|payment| external_ids.is_none_or(|ids| ids.contains(&payment.external_id)))
        .map(|payment| {
            let mut shown = world.show_payment(payment);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("history".to_owned(), json!(payment.history));
                fields.insert("refundedMinor".to_owned(), json!(payment.refunded));
                fields.insert("subscriptionId".to_owned(), json!(payment.subscription_id));
                fields.insert("created".to_owned(), json!(payment.created));
            }
            shown
        })
        .collect();
    let details: Vec<Value> = world
        .details
        .values()
        .map(|details| world.show_details(details))
        .collect();
    let all = super::cleeng::access::Filter {
        limit: usize::MAX,
        ..Default::default()
    };
    let subscriptions = world.list_subscriptions(&desk, &all);
    let passes = world.list_passes(&desk, &all);
    json!({
        "orders": orders,
        "payments": payments,
        "paymentDetails": details,
        "subscriptions": subscriptions.get("data"),
        "passes": passes.get("data"),
    })
}
