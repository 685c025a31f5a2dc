//! A payment as a row, both ways.

use serde_json::Value;
use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

use super::LedgerError;
use super::fields::{Fields, json_text, known};
use crate::domain::ids::{GatewayRef, OrderId, PaymentId};
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass, Progress};
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Status};
use crate::domain::secret::Secret;

/// The start of every query for payments: `payments_where!("id = $1")`.
macro_rules! payments_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, version, order_id, gateway, operation, status, method, return_url, ",
            "order_amount, order_currency, customer_id, offer_id, order_expires_at, ",
            "gateway_customer, reference, next_action, decline_class, decline_code, stored_method, ",
            "CASE WHEN published THEN 1 ELSE 0 END AS published, ",
            "created_at, updated_at, expires_at FROM payments WHERE ",
            $rest
        )
    };
}
pub(super) use payments_where;

pub(super) type Statement<'q> = Query<'q, Any, AnyArguments>;

/// `$1` to `$19` are those of [`UPDATE`]; the rest does not change in a payment's life.
pub(super) const INSERT: &str = "INSERT INTO payments (id, version, status, method, \
     order_amount, order_currency, customer_id, offer_id, order_expires_at, gateway_customer, reference, \
     next_action, decline_class, decline_code, stored_method, published, holds_order, updated_at, expires_at, \
     order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
     $20, $21, $22, $23, $24, $25, $26) ON CONFLICT DO NOTHING";

/// `$2` is the version that the decision was taken on. Published stays true once it is: the ingest may have
/// marked it after the decision's read. The order is not held twice: money that is found while a newer payment
/// holds it is recorded without. Gives back the view that was stored last.
pub(super) const UPDATE: &str = "UPDATE payments SET version = version + 1, status = $3, method = $4, \
     order_amount = $5, order_currency = $6, customer_id = $7, offer_id = $8, order_expires_at = $9, \
     gateway_customer = $10, reference = $11, next_action = $12, decline_class = $13, decline_code = $14, \
     stored_method = $15, published = (published OR $16), \
     holds_order = ($17 AND NOT EXISTS (SELECT 1 FROM payments AS other \
         WHERE other.order_id = payments.order_id AND other.holds_order AND other.id <> payments.id)), \
     updated_at = $18, expires_at = $19 \
     WHERE id = $1 AND version = $2 \
     RETURNING version, (SELECT view_json FROM payment_events WHERE payment_id = $1 AND view_json IS NOT NULL \
         ORDER BY sequence DESC LIMIT 1) AS last_view";

/// Binds `$1` to `$19` of [`INSERT`] and [`UPDATE`].
pub(super) fn bind_state<'q>(
    query: Statement<'q>,
    payment: &Payment,
    version: i64,
) -> Result<Statement<'q>, LedgerError> {
    let order = payment.order.as_ref();
    let customer_id = order
        .map(|facts| known(i64::try_from(facts.customer_id).ok(), "customer_id"))
        .transpose()?;
    let next_action = payment
        .next_action
        .as_ref()
        .map(|action| json_text(action, "next_action"))
        .transpose()?;
    let stored = payment
        .stored
        .as_ref()
        .map(|method| json_text(method, "stored_method"))
        .transpose()?;
    let decline = payment.decline.as_ref();
    Ok(query
        .bind(payment.id.to_string())
        .bind(version)
        .bind(payment.status.label())
        .bind(json_text(&stored_form(payment), "method")?)
        .bind(order.map(|facts| facts.amount.minor))
        .bind(order.map(|facts| facts.amount.currency.to_string()))
        .bind(customer_id)
        .bind(order.map(|facts| facts.offer_id.clone()))
        .bind(order.and_then(|facts| facts.expires_at).map(|at| at.0))
        .bind(payment.progress.customer.clone())
        .bind(payment.reference().map(|reference| reference.0.clone()))
        .bind(next_action)
        .bind(decline.map(|decline| decline.class.label()))
        .bind(decline.map(|decline| decline.code.clone()))
        .bind(stored)
        .bind(payment.published)
        .bind(payment.status.holds_order())
        .bind(payment.updated_at.0)
        .bind(payment.expires_at.0))
}

/// The method as it may be kept: a final payment needs its single-use token no more.
fn stored_form(payment: &Payment) -> Method {
    match &payment.method {
        Method::New { save, .. } if payment.status.is_final() => Method::New {
            payload: Secret::new(Value::Object(serde_json::Map::new())),
            save: *save,
        },
        Method::New { .. } | Method::Stored { .. } => payment.method.clone(),
    }
}

pub(super) fn payment(row: &AnyRow) -> Result<Payment, LedgerError> {
    let fields = Fields(row);
    Ok(Payment {
        id: PaymentId(fields.uuid("id")?),
        version: fields.number("version")?,
        order_id: order_id(&fields)?,
        gateway: fields.word("gateway", |text| text.parse().ok())?,
        operation: fields.word("operation", Operation::from_label)?,
        status: fields.word("status", Status::from_label)?,
        method: fields.json("method")?,
        return_url: fields.maybe_text("return_url")?,
        order: order_facts(&fields)?,
        progress: Progress {
            customer: fields.maybe_text("gateway_customer")?,
            reference: fields.maybe_text("reference")?.map(GatewayRef),
        },
        next_action: fields.maybe_json("next_action")?,
        decline: decline(&fields)?,
        stored: fields.maybe_json("stored_method")?,
        published: fields.flag("published")?,
        created_at: fields.moment("created_at")?,
        updated_at: fields.moment("updated_at")?,
        expires_at: fields.moment("expires_at")?,
    })
}

fn order_id(fields: &Fields<'_>) -> Result<OrderId, LedgerError> {
    let number = u64::try_from(fields.number("order_id")?).ok();
    known(
        number.and_then(|number| OrderId::try_from(number).ok()),
        "order_id",
    )
}

/// The order's copy: its amount says whether there is one.
fn order_facts(fields: &Fields<'_>) -> Result<Option<OrderFacts>, LedgerError> {
    let Some(minor) = fields.maybe_number("order_amount")? else {
        return Ok(None);
    };
    let currency = fields.word("order_currency", |text| text.parse().ok())?;
    let customer_id = u64::try_from(fields.number("customer_id")?).ok();
    Ok(Some(OrderFacts {
        amount: Money { minor, currency },
        customer_id: known(customer_id, "customer_id")?,
        offer_id: fields.text("offer_id")?,
        expires_at: fields.maybe_moment("order_expires_at")?,
    }))
}

fn decline(fields: &Fields<'_>) -> Result<Option<Decline>, LedgerError> {
    let Some(class) = fields.maybe_text("decline_class")? else {
        return Ok(None);
    };
    Ok(Some(Decline {
        class: known(DeclineClass::from_label(&class), "decline_class")?,
        code: fields.text("decline_code")?,
    }))
}
