//! Money that goes back, as rows beside their payment: written with the payment's changes, read apart from it.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::{Columns, Fields, known};
use super::{Ledger, LedgerError};
use crate::domain::ids::{CleengPaymentId, ObjectRef, PaymentId, RefundId};
use crate::domain::money::Money;
use crate::domain::money_back::{MoneyBack, MoneyBackKind, MoneyBackState};

/// An id that another payment has is left alone.
const UPSERT: &str = "INSERT INTO money_back (id, payment_id, kind, amount, currency, state, reference, reason, \
     cleeng_payment_id, attempt, told, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, amount = excluded.amount, currency = excluded.currency, \
     state = excluded.state, reference = excluded.reference, reason = excluded.reason, \
     cleeng_payment_id = excluded.cleeng_payment_id, attempt = excluded.attempt, told = excluded.told \
     WHERE money_back.payment_id = excluded.payment_id";

impl Ledger {
    /// All money that went back of a payment, or is to go back, in the order of its creation.
    pub(crate) async fn money_back(&self, id: PaymentId) -> Result<Vec<MoneyBack>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, of_payment(&mut session.conn, id)).await;
        session.settle(answer)
    }
}

/// Inserts the entry, or replaces the one with its id, but for the time of its creation.
///
/// # Errors
/// Also when the id is another payment's: then nothing of the transaction may stay.
pub(super) async fn write(
    conn: &mut AnyConnection,
    payment: PaymentId,
    entry: &MoneyBack,
) -> Result<(), LedgerError> {
    let written = sqlx::query(UPSERT)
        .bind(entry.id.to_string())
        .bind(payment.to_string())
        .bind(entry.kind.label())
        .bind(entry.amount.minor)
        .bind(entry.amount.currency.to_string())
        .bind(entry.state.label())
        .bind(entry.reference.as_ref().map(|found| found.0.clone()))
        .bind(entry.reason.clone())
        .bind(entry.cleeng_payment_id.map(|id| id.0))
        .bind(entry.attempt)
        .bind(entry.told)
        .bind(entry.created_at.0)
        .execute(conn)
        .await?;
    let ours = written.rows_affected() == 1;
    known(ours.then_some(()), "money_back.payment_id")
}

async fn of_payment(
    conn: &mut AnyConnection,
    payment: PaymentId,
) -> Result<Vec<MoneyBack>, LedgerError> {
    sqlx::query(
        "SELECT id, kind, amount, currency, state, reference, reason, cleeng_payment_id, attempt, told, created_at \
         FROM money_back WHERE payment_id = $1 ORDER BY created_at, id",
    )
    .bind(payment.to_string())
    .fetch_all(conn)
    .await?
    .iter()
    .map(entry)
    .collect()
}

fn entry(row: &impl Columns) -> Result<MoneyBack, LedgerError> {
    let fields = Fields(row);
    Ok(MoneyBack {
        id: RefundId(fields.uuid("id")?),
        kind: fields.word("kind", MoneyBackKind::from_label)?,
        amount: Money {
            minor: fields.number("amount")?,
            currency: fields.word("currency", |text| text.parse().ok())?,
        },
        state: fields.word("state", MoneyBackState::from_label)?,
        reference: fields.maybe_text("reference")?.map(ObjectRef),
        reason: fields.text("reason")?,
        cleeng_payment_id: fields
            .maybe_number("cleeng_payment_id")?
            .map(CleengPaymentId),
        attempt: fields.maybe_number("attempt")?,
        told: fields.maybe_number("told")?,
        created_at: fields.moment("created_at")?,
    })
}
