//! Stripe's objects as JSON.

use serde_json::{Value, json};

use super::give_back::Refund;
use super::intent::{Intent, Status};
use super::method::Method;
use super::refund::{Charge, Outcome};
use super::world::World;

/// A PaymentIntent without its next action; `expand` names what is shown in full instead of by id.
pub(crate) fn intent(world: &World, intent: &Intent, expand: &[String]) -> Value {
    let [latest_charge, payment_method, customer] = related(world, intent, expand);
    let automatic = intent.automatic.map(|redirects| {
        json!({ "enabled": true, "allow_redirects": if redirects { "always" } else { "never" } })
    });
    let (reason, canceled_at) = match &intent.cancellation {
        Some((reason, at)) => (json!(reason), json!(at)),
        None => (Value::Null, Value::Null),
    };
    json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.capturable,
        "amount_details": { "tip": {} },
        "amount_received": intent.received,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": automatic,
        "canceled_at": canceled_at,
        "cancellation_reason": reason,
        "capture_method": intent.capture,
        "client_secret": intent.client_secret,
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": customer,
        "customer_account": null,
        "description": intent.description,
        "last_payment_error": intent.last_error,
        "latest_charge": latest_charge,
        "livemode": false,
        "metadata": intent.metadata,
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": payment_method,
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": intent.types,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": intent.usage,
        "shipping": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": intent.suffix,
        "status": intent.status.name(),
        "transfer_data": null,
        "transfer_group": null,
    })
}

/// The charge, the method and the customer: ids, or the objects themselves.
fn related(world: &World, intent: &Intent, expand: &[String]) -> [Value; 3] {
    let wants = |name: &str| expand.iter().any(|wanted| wanted == name);
    let latest_charge = match intent
        .latest_charge
        .as_ref()
        .and_then(|id| world.charges.get(id))
    {
        Some(found) if wants("latest_charge") => charge(world, found),
        Some(_) | None => json!(intent.latest_charge),
    };
    let payment_method = match intent.method.as_ref().and_then(|id| world.methods.get(id)) {
        Some(found) if wants("payment_method") => method(found),
        Some(_) | None => json!(intent.method),
    };
    let customer = match intent
        .customer
        .as_ref()
        .and_then(|id| world.customers.get(id))
    {
        Some(found) if wants("customer") => found.clone(),
        Some(_) | None => json!(intent.customer),
    };
    [latest_charge, payment_method, customer]
}

/// What the payer has to do now, if anything.
pub(crate) fn next_action(intent: &Intent, public_url: &str) -> Value {
    match intent.status {
        Status::RequiresAction => action(&intent.id, intent.return_url.as_deref(), public_url),
        Status::RequiresPaymentMethod
        | Status::RequiresConfirmation
        | Status::Processing
        | Status::RequiresCapture
        | Status::Succeeded
        | Status::Canceled => Value::Null,
    }
}

/// Follow a redirect when there is a way back, else use the browser library.
pub(crate) fn action(id: &str, return_url: Option<&str>, public_url: &str) -> Value {
    let page = format!("{}/stripe/3ds/{id}", public_url.trim_end_matches('/'));
    match return_url {
        Some(back) => json!({
            "type": "redirect_to_url",
            "redirect_to_url": { "url": page, "return_url": back },
        }),
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "type": "three_d_secure_redirect", "stripe_js": page, "source": format!("src_{id}") },
        }),
    }
}

pub(crate) fn charge(world: &World, charge: &Charge) -> Value {
    let method = charge.method.as_ref().and_then(|id| world.methods.get(id));
    let intent = world.intents.get(&charge.intent);
    let (status, captured, outcome) = match charge.outcome {
        Outcome::Approved { captured } => (
            "succeeded",
            captured,
            json!({ "type": "authorized", "network_status": "approved_by_network", "reason": null,
                    "seller_message": "Payment complete.", "risk_level": "normal" }),
        ),
        Outcome::Refused(decline) => (
            "failed",
            false,
            json!({
                "type": if decline.blocked { "blocked" } else { "issuer_declined" },
                "network_status": if decline.blocked { "not_sent_to_network" } else { "declined_by_network" },
                "reason": if decline.blocked { Some("highest_risk_level") } else { decline.decline_code },
                "network_decline_code": decline.network_code,
                "advice_code": decline.advice,
                "risk_level": if decline.blocked { "highest" } else { "normal" },
            }),
        ),
    };
    let failure = match charge.outcome {
        Outcome::Approved { .. } => None,
        Outcome::Refused(decline) => Some(decline),
    };
    let capture_before =
        (!captured && failure.is_none()).then(|| charge.created.saturating_add(7 * 24 * 60 * 60));
    json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.captured,
        "amount_refunded": charge.refunded,
        "captured": captured,
        "created": charge.created,
        "currency": intent.map(|intent| &intent.currency),
        "customer": intent.and_then(|intent| intent.customer.as_ref()),
        "disputed": world.disputes.values().any(|dispute| dispute.charge == charge.id),
        "failure_code": failure.map(|decline| decline.code),
        "failure_message": failure.map(|decline| decline.message),
        "livemode": false,
        "metadata": intent.map(|intent| &intent.metadata),
        "outcome": outcome,
        "paid": failure.is_none(),
        "payment_intent": charge.intent,
        "payment_method": charge.method,
        "payment_method_details": {
            "type": "card",
            "card": method.map(|method| json!({
                "brand": method.card.brand, "last4": method.card.last4, "exp_month": 3, "exp_year": 2030,
                "country": "US", "funding": "credit", "network": method.card.brand, "capture_before": capture_before,
            })),
        },
        "refunded": charge.refunded > 0 && charge.refunded == charge.captured,
        "status": status,
    })
}

pub(crate) fn method(method: &Method) -> Value {
    json!({
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
            "email": null, "name": null, "phone": null, "tax_id": null,
        },
        "card": {
            "brand": method.card.brand, "display_brand": method.card.brand, "last4": method.card.last4,
            "exp_month": 3, "exp_year": 2030, "country": "US", "funding": "credit",
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "three_d_secure_usage": { "supported": true }, "wallet": null,
        },
        "created": method.created,
        "customer": method.customer,
        "livemode": false,
        "metadata": {},
        "type": "card",
    })
}

pub(crate) fn refund(refund: &Refund) -> Value {
    json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": null,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": { "card": { "type": "reversal" }, "type": "card" },
        "metadata": refund.metadata,
        "payment_intent": refund.intent,
        "reason": refund.reason,
        "receipt_number": null,
        "failure_reason": refund.status.failure(),
        "status": refund.status.name(),
    })
}

pub(crate) fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "url": url, "data": data, "has_more": has_more })
}
