//! The history of a payment: one entry for each of its versions, never changed.

use sqlx::AnyConnection;

use super::LedgerError;
use super::fields::Fields;
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;

/// How many entries are read at once; who wants more reads on after the last one.
const PAGE: i64 = 500;

/// One line of a payment's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    pub(crate) sequence: i64,
    pub(crate) at: Moment,
    pub(crate) kind: String,
    pub(crate) detail: Option<String>,
    /// The payment's view (JSON text) when this entry changed what the API shows.
    pub(crate) view: Option<String>,
}

/// An entry to be written.
pub(super) struct Event<'a> {
    pub(super) payment: PaymentId,
    pub(super) sequence: i64,
    pub(super) at: Moment,
    pub(super) kind: &'static str,
    pub(super) detail: Option<&'a str>,
    pub(super) view: Option<String>,
}

pub(super) async fn append(conn: &mut AnyConnection, event: Event<'_>) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO payment_events (payment_id, sequence, at, kind, detail, view_json) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(event.payment.to_string())
    .bind(event.sequence)
    .bind(event.at.0)
    .bind(event.kind)
    .bind(event.detail.map(str::to_owned))
    .bind(event.view)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn history(
    conn: &mut AnyConnection,
    payment: PaymentId,
    after: i64,
) -> Result<Vec<HistoryEntry>, LedgerError> {
    let rows = sqlx::query(
        "SELECT sequence, at, kind, detail, view_json FROM payment_events \
         WHERE payment_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
    )
    .bind(payment.to_string())
    .bind(after)
    .bind(PAGE)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields(row);
            Ok(HistoryEntry {
                sequence: fields.number("sequence")?,
                at: fields.moment("at")?,
                kind: fields.text("kind")?,
                detail: fields.maybe_text("detail")?,
                view: fields.maybe_text("view_json")?,
            })
        })
        .collect()
}
