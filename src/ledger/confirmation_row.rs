//! A confirmation as a row, both ways.

use sqlx::any::AnyRow;

use super::LedgerError;
use super::fields::{Fields, known};
use super::payment_row::Statement;
use crate::domain::confirmation::{Confirmation, ConfirmationId, Delivery, Report};
use crate::domain::ids::{CleengPaymentId, PaymentId};

macro_rules! confirmations_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, payment_id, sequence, report, delivery, sending_since, cleeng_payment_id, ",
            "created_at FROM confirmations WHERE ",
            $rest
        )
    };
}
pub(super) use confirmations_where;

/// Only the delivery of a confirmation changes.
pub(super) const UPSERT: &str = "INSERT INTO confirmations (id, payment_id, sequence, report, delivery, \
     sending_since, cleeng_payment_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (id) DO UPDATE SET delivery = excluded.delivery, sending_since = excluded.sending_since, \
     cleeng_payment_id = excluded.cleeng_payment_id";

/// `payment` is the payment of the commit: what it writes is its own.
pub(super) fn bind<'q>(
    query: Statement<'q>,
    payment: PaymentId,
    confirmation: &Confirmation,
) -> Statement<'q> {
    let (delivery, since, recorded) = match confirmation.delivery {
        Delivery::Queued => ("queued", None, None),
        Delivery::Sending { since } => ("sending", Some(since.0), None),
        Delivery::Delivered { cleeng_payment_id } => {
            ("delivered", None, cleeng_payment_id.map(|id| id.0))
        }
        Delivery::DeadLettered => ("dead_lettered", None, None),
    };
    query
        .bind(confirmation.id.to_string())
        .bind(payment.to_string())
        .bind(confirmation.sequence)
        .bind(confirmation.report.label())
        .bind(delivery)
        .bind(since)
        .bind(recorded)
        .bind(confirmation.created_at.0)
}

pub(super) fn confirmation(row: &AnyRow) -> Result<Confirmation, LedgerError> {
    let fields = Fields(row);
    Ok(Confirmation {
        id: ConfirmationId(fields.uuid("id")?),
        payment_id: PaymentId(fields.uuid("payment_id")?),
        sequence: fields.number("sequence")?,
        report: fields.word("report", Report::from_label)?,
        delivery: delivery(&fields)?,
        created_at: fields.moment("created_at")?,
    })
}

fn delivery(fields: &Fields<'_>) -> Result<Delivery, LedgerError> {
    match fields.text("delivery")?.as_str() {
        "queued" => Ok(Delivery::Queued),
        "sending" => Ok(Delivery::Sending {
            since: fields.moment("sending_since")?,
        }),
        "delivered" => Ok(Delivery::Delivered {
            cleeng_payment_id: fields
                .maybe_number("cleeng_payment_id")?
                .map(CleengPaymentId),
        }),
        "dead_lettered" => Ok(Delivery::DeadLettered),
        _ => known(None, "delivery"),
    }
}
