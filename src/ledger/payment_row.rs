//! A payment as a row, both ways.

use serde::Serialize;
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use super::LedgerError;
use super::fields::{Columns, Fields, as_number, json_text, known};
use crate::domain::ids::{
    CustomerId, GatewayRef, OrderId, PaymentDetailsId, PaymentId, SubscriptionId,
};
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass, Progress};
use crate::domain::payment::{
    DetailsChange, NO_ORDER, Operation, OrderFacts, Payment, Renewal, Status, Take,
};

/// The columns that [`payment`] reads.
macro_rules! payment_columns {
    () => {
        "id, version, order_id, gateway, operation, status, method, return_url, \
         order_amount, order_currency, customer_id, offer_id, order_expires_at, \
         gateway_customer, reference, next_action, decline_class, decline_code, stored_method, \
         CAST(CASE WHEN published THEN 1 ELSE 0 END AS BIGINT) AS published, \
         created_at, updated_at, expires_at, subscription_id, due_at, payment_details_id, renewal_take, details_change, \
         asked_by"
    };
}
pub(super) use payment_columns;

/// The start of every query for payments: `payments_where!("id = $1")`.
macro_rules! payments_where {
    ($rest:expr) => {
        concat!(
            "SELECT ",
            $crate::ledger::payment_row::payment_columns!(),
            " FROM payments WHERE ",
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
     order_id, gateway, operation, return_url, idempotency_key, body_hash, created_at, \
     subscription_id, due_at, payment_details_id, renewal_take, details_change, asked_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
     $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) ON CONFLICT DO NOTHING";

/// `$2` is the version that the decision was taken on. Published stays true once it is: the ingest may have
/// marked it after the decision's read. Neither the order nor the cycle of a renewal is held twice: money that is found while
/// a newer payment holds one of them is recorded without.
macro_rules! update_payment {
    () => {
        "UPDATE payments SET version = version + 1, status = $3, method = $4, \
         order_amount = $5, order_currency = $6, customer_id = $7, offer_id = $8, order_expires_at = $9, \
         gateway_customer = $10, reference = $11, next_action = $12, decline_class = $13, decline_code = $14, \
         stored_method = $15, published = (published OR $16), \
         holds_order = ($17 AND (holds_order OR (NOT EXISTS (SELECT 1 FROM payments AS other \
             WHERE other.order_id = payments.order_id AND other.holds_order) \
             AND NOT EXISTS (SELECT 1 FROM payments AS other \
             WHERE other.subscription_id = payments.subscription_id AND other.due_at = payments.due_at \
             AND other.holds_order)))), \
         updated_at = $18, expires_at = $19 \
         WHERE id = $1 AND version = $2 RETURNING id, version"
    };
}
pub(super) use update_payment;

pub(super) const UPDATE: &str = update_payment!();

/// What changes in a payment's life, as its columns hold it: `$1` to `$19` of [`INSERT`] and [`UPDATE`].
pub(super) struct State {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) status: &'static str,
    pub(super) method: String,
    pub(super) order_amount: Option<i64>,
    pub(super) order_currency: Option<String>,
    pub(super) customer_id: Option<i64>,
    pub(super) offer_id: Option<String>,
    pub(super) order_expires_at: Option<i64>,
    pub(super) gateway_customer: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) next_action: Option<String>,
    pub(super) decline_class: Option<&'static str>,
    pub(super) decline_code: Option<String>,
    pub(super) stored_method: Option<String>,
    pub(super) published: bool,
    pub(super) holds_order: bool,
    pub(super) updated_at: i64,
    pub(super) expires_at: i64,
}

impl State {
    pub(super) fn of(payment: &Payment, version: i64) -> Result<State, LedgerError> {
        let order = payment.order.as_ref();
        let decline = payment.decline.as_ref();
        Ok(State {
            id: payment.id.to_string(),
            version,
            status: payment.status.label(),
            method: json_text(&payment.method, "method")?,
            order_amount: order.map(|facts| facts.amount.minor),
            order_currency: order.map(|facts| facts.amount.currency.to_string()),
            customer_id: order
                .map(|facts| as_number(facts.customer_id, "customer_id"))
                .transpose()?,
            offer_id: order.map(|facts| facts.offer_id.clone()),
            order_expires_at: order.and_then(|facts| facts.expires_at).map(|at| at.0),
            gateway_customer: payment.progress.customer.clone(),
            reference: payment.reference().map(|reference| reference.0.clone()),
            next_action: maybe_json(payment.next_action.as_ref(), "next_action")?,
            decline_class: decline.map(|decline| decline.class.label()),
            decline_code: decline.map(|decline| decline.code.clone()),
            stored_method: maybe_json(payment.stored.as_ref(), "stored_method")?,
            published: payment.published,
            holds_order: payment.holds_order(),
            updated_at: payment.updated_at.0,
            expires_at: payment.expires_at.0,
        })
    }

    pub(super) fn bind(self, query: Statement<'_>) -> Statement<'_> {
        query
            .bind(self.id)
            .bind(self.version)
            .bind(self.status)
            .bind(self.method)
            .bind(self.order_amount)
            .bind(self.order_currency)
            .bind(self.customer_id)
            .bind(self.offer_id)
            .bind(self.order_expires_at)
            .bind(self.gateway_customer)
            .bind(self.reference)
            .bind(self.next_action)
            .bind(self.decline_class)
            .bind(self.decline_code)
            .bind(self.stored_method)
            .bind(self.published)
            .bind(self.holds_order)
            .bind(self.updated_at)
            .bind(self.expires_at)
    }
}

/// What a renewal pays for, as its columns hold it: `$27` to `$30` of [`INSERT`].
pub(super) fn bind_renewal<'q>(
    query: Statement<'q>,
    renewal: Option<&Renewal>,
) -> Result<Statement<'q>, LedgerError> {
    let subscription =
        renewal.map(|renewal| as_number(renewal.subscription_id.0, "subscription_id"));
    let details =
        renewal.map(|renewal| as_number(renewal.payment_details_id.0, "payment_details_id"));
    Ok(query
        .bind(subscription.transpose()?)
        .bind(renewal.map(|renewal| renewal.due_at.0))
        .bind(details.transpose()?)
        .bind(renewal.map(|renewal| renewal.take.label())))
}

/// What a change of payment details is for, and who asked: `$31` and `$32` of [`INSERT`].
pub(super) fn bind_origin<'q>(
    query: Statement<'q>,
    payment: &Payment,
) -> Result<Statement<'q>, LedgerError> {
    Ok(query
        .bind(maybe_json(payment.details.as_ref(), "details_change")?)
        .bind(asked_by(payment)?))
}

/// Whose token asked for the payment, as its column holds it.
pub(super) fn asked_by(payment: &Payment) -> Result<Option<i64>, LedgerError> {
    payment
        .asked_by
        .map(|customer| as_number(customer.0, "asked_by"))
        .transpose()
}

fn maybe_json<T: Serialize>(
    value: Option<&T>,
    column: &'static str,
) -> Result<Option<String>, LedgerError> {
    value.map(|value| json_text(value, column)).transpose()
}

pub(super) fn payment(row: &impl Columns) -> Result<Payment, LedgerError> {
    let fields = Fields(row);
    let details: Option<DetailsChange> = fields.maybe_json("details_change")?;
    let mut payment = Payment {
        id: PaymentId(fields.uuid("id")?),
        version: fields.number("version")?,
        order_id: order_id(&fields, details.is_some())?,
        gateway: fields.word("gateway", |text| text.parse().ok())?,
        operation: fields.word("operation", Operation::from_label)?,
        renewal: renewal(&fields)?,
        details,
        asked_by: customer(&fields)?,
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
    };
    // Not a column of its own: it follows from the order's amount.
    if payment.operation == Operation::InitialPayment && payment.is_free() {
        payment.operation = Operation::InitialFreeTransaction;
    }
    Ok(payment)
}

fn order_id(fields: &Fields<'_, impl Columns>, is_details: bool) -> Result<OrderId, LedgerError> {
    let number = u64::try_from(fields.number("order_id")?).ok();
    if is_details && number == Some(NO_ORDER.0) {
        return Ok(NO_ORDER);
    }
    known(
        number.and_then(|number| OrderId::try_from(number).ok()),
        "order_id",
    )
}

fn customer(fields: &Fields<'_, impl Columns>) -> Result<Option<CustomerId>, LedgerError> {
    let number = fields.maybe_number("asked_by")?;
    number
        .map(|number| {
            let id = u64::try_from(number).ok();
            known(id.and_then(|id| CustomerId::try_from(id).ok()), "asked_by")
        })
        .transpose()
}

/// The subscription says whether the payment is a renewal.
fn renewal(fields: &Fields<'_, impl Columns>) -> Result<Option<Renewal>, LedgerError> {
    let Some(subscription) = fields.maybe_number("subscription_id")? else {
        return Ok(None);
    };
    let subscription = known(u64::try_from(subscription).ok(), "subscription_id")?;
    let details = u64::try_from(fields.number("payment_details_id")?).ok();
    Ok(Some(Renewal {
        subscription_id: SubscriptionId(subscription),
        due_at: fields.moment("due_at")?,
        payment_details_id: PaymentDetailsId(known(details, "payment_details_id")?),
        take: fields.word("renewal_take", Take::from_label)?,
    }))
}

/// The order's copy: its amount says whether there is one.
fn order_facts(fields: &Fields<'_, impl Columns>) -> Result<Option<OrderFacts>, LedgerError> {
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

fn decline(fields: &Fields<'_, impl Columns>) -> Result<Option<Decline>, LedgerError> {
    let Some(class) = fields.maybe_text("decline_class")? else {
        return Ok(None);
    };
    Ok(Some(Decline {
        class: known(DeclineClass::from_label(&class), "decline_class")?,
        code: fields.text("decline_code")?,
    }))
}
