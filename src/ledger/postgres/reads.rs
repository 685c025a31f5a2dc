//! Reads payments with all that belongs to them, several at once, each as it was at one moment.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row};

use super::column;
use crate::domain::attempt::Attempt;
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;
use crate::ledger::fields::known;
use crate::ledger::lane::Work;
use crate::ledger::payment_row::{self, payment_columns};
use crate::ledger::pool::Connections;
use crate::ledger::{LedgerError, attempt_row, confirmation_row};

/// One statement sees one moment.
const SELECT: &str = concat!(
    "SELECT ",
    payment_columns!(),
    ", (SELECT json_agg(a ORDER BY a.number)::text FROM attempts AS a WHERE a.payment_id = payments.id) AS attempts, ",
    "(SELECT json_agg(c ORDER BY c.sequence)::text FROM confirmations AS c \
     WHERE c.payment_id = payments.id) AS confirmations FROM payments WHERE id = ANY($1::text[])"
);

pub(in crate::ledger) struct Reads(pub(in crate::ledger) Connections<Postgres>);

impl Work for Reads {
    type Ask = PaymentId;
    /// `None`: there is no such payment.
    type Answer = Option<Known>;

    fn clashes(_: &[PaymentId], _: &PaymentId) -> bool {
        false
    }

    async fn run(&self, ids: &[PaymentId]) -> Result<Vec<Option<Option<Known>>>, LedgerError> {
        let found = self.0.run(async |conn| {
            let rows = sqlx::query(SELECT)
                .bind(column(ids, PaymentId::to_string))
                .fetch_all(&mut **conn)
                .await?;
            let found: Result<HashMap<PaymentId, Known>, LedgerError> = rows
                .iter()
                .map(|row| read(row).map(|known| (known.payment.id, known)))
                .collect();
            found
        });
        let found = found.await?;
        Ok(column(ids, |id| Some(found.get(id).cloned())))
    }
}

fn read(row: &PgRow) -> Result<Known, LedgerError> {
    let attempts = objects(row, "attempts")?;
    let attempts: Result<Vec<Attempt>, LedgerError> = attempts
        .iter()
        .map(|object| attempt_row::attempt(object).map(|(_, attempt)| attempt))
        .collect();
    let confirmations = objects(row, "confirmations")?;
    let confirmations: Result<Vec<Confirmation>, LedgerError> = confirmations
        .iter()
        .map(confirmation_row::confirmation)
        .collect();
    Ok(Known {
        payment: payment_row::payment(row)?,
        attempts: attempts?,
        confirmations: confirmations?,
    })
}

fn objects(row: &PgRow, column: &'static str) -> Result<Vec<Map<String, Value>>, LedgerError> {
    let text: Option<&str> = known(row.try_get(column).ok(), column)?;
    text.map_or(Ok(Vec::new()), |text| {
        known(serde_json::from_str(text).ok(), column)
    })
}
