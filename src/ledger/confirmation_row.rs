//! A confirmation as a row, both ways.

use super::LedgerError;
use super::fields::{Columns, Fields, known};
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
     ON CONFLICT (payment_id, sequence) DO UPDATE SET delivery = excluded.delivery, sending_since = excluded.sending_since, \
     cleeng_payment_id = excluded.cleeng_payment_id";

/// A confirmation as its columns hold it: `$1` to `$8` of [`UPSERT`].
pub(super) struct ConfirmationRow {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) sequence: i64,
    pub(super) report: &'static str,
    pub(super) delivery: &'static str,
    pub(super) sending_since: Option<i64>,
    pub(super) cleeng_payment_id: Option<i64>,
    pub(super) created_at: i64,
}

impl ConfirmationRow {
    /// `payment` is the payment of the commit: what it writes is its own.
    pub(super) fn of(payment: PaymentId, confirmation: &Confirmation) -> ConfirmationRow {
        let (delivery, sending_since, cleeng_payment_id) = match confirmation.delivery {
            Delivery::Queued => ("queued", None, None),
            Delivery::Sending { since } => ("sending", Some(since.0), None),
            Delivery::Delivered { cleeng_payment_id } => {
                ("delivered", None, cleeng_payment_id.map(|id| id.0))
            }
            Delivery::DeadLettered => ("dead_lettered", None, None),
        };
        ConfirmationRow {
            id: confirmation.id.to_string(),
            payment_id: payment.to_string(),
            sequence: confirmation.sequence,
            report: confirmation.report.label(),
            delivery,
            sending_since,
            cleeng_payment_id,
            created_at: confirmation.created_at.0,
        }
    }

    pub(super) fn bind(self, query: Statement<'_>) -> Statement<'_> {
        query
            .bind(self.id)
            .bind(self.payment_id)
            .bind(self.sequence)
            .bind(self.report)
            .bind(self.delivery)
            .bind(self.sending_since)
            .bind(self.cleeng_payment_id)
            .bind(self.created_at)
    }
}

pub(super) fn confirmation(row: &impl Columns) -> Result<Confirmation, LedgerError> {
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

fn delivery(fields: &Fields<'_, impl Columns>) -> Result<Delivery, LedgerError> {
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
