//! The operator log: who did what by hand, and why. It is only ever added to; the database itself refuses anything else.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::fields::{Fields, known};
use super::{Ledger, LedgerError};
use crate::domain::deed::{Deed, DeedKind, Operator, Via};
use crate::domain::ids::PaymentId;

/// The longest page.
const MOST: i64 = 500;

macro_rules! deeds_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, at, deed, by_whom, because, via, subject, payment_id FROM operator_log WHERE ",
            $rest
        )
    };
}

impl Ledger {
    /// Writes an entry. It comes before the deed: a crash between the two leaves one entry too many, never one too few.
    pub(crate) async fn note_deed(&self, deed: &Deed) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, note(&mut session.conn, deed)).await;
        session.settle(answer)
    }

    /// The newest entries, those before `before` if it is given. `limit` is held between 1 and 500.
    pub(crate) async fn deeds(
        &self,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Deed>, LedgerError> {
        let mut session = self.session().await?;
        let work = newest(&mut session.conn, before, limit);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// What was done about one payment, in its order; the first 500.
    pub(crate) async fn deeds_about(&self, payment: PaymentId) -> Result<Vec<Deed>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, about(&mut session.conn, payment)).await;
        session.settle(answer)
    }
}

/// An answer that was lost may have been a write: the same entry again is nothing.
async fn note(conn: &mut AnyConnection, deed: &Deed) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO operator_log (id, at, deed, by_whom, because, via, subject, payment_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(deed.id.to_string())
    .bind(deed.at.0)
    .bind(deed.kind.label())
    .bind(deed.operator.by().to_owned())
    .bind(deed.operator.because().to_owned())
    .bind(deed.operator.via().label())
    .bind(deed.subject.clone())
    .bind(deed.payment.map(|id| id.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

async fn newest(
    conn: &mut AnyConnection,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Deed>, LedgerError> {
    let limit = limit.clamp(1, MOST);
    let query = match before {
        None => sqlx::query(deeds_where!("TRUE ORDER BY id DESC LIMIT $1")),
        Some(_) => sqlx::query(deeds_where!("id < $2 ORDER BY id DESC LIMIT $1")),
    };
    let query = query.bind(limit);
    let query = match before {
        None => query,
        Some(before) => query.bind(before.to_string()),
    };
    let rows = query.fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

async fn about(conn: &mut AnyConnection, payment: PaymentId) -> Result<Vec<Deed>, LedgerError> {
    let rows = sqlx::query(deeds_where!("payment_id = $1 ORDER BY id LIMIT $2"))
        .bind(payment.to_string())
        .bind(MOST)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Deed, LedgerError> {
    let fields = Fields(row);
    let via = fields.word("via", Via::from_label)?;
    let operator = Operator::new(&fields.text("by_whom")?, &fields.text("because")?, via);
    let payment = fields.maybe_text("payment_id")?;
    Ok(Deed {
        id: fields.uuid("id")?,
        at: fields.moment("at")?,
        kind: fields.word("deed", DeedKind::from_label)?,
        operator: known(operator.ok(), "by_whom")?,
        subject: fields.text("subject")?,
        payment: payment
            .map(|text| known(text.parse().ok(), "payment_id"))
            .transpose()?,
    })
}
