//! How it stands: what has not settled, and what waits for an operator. Counted up to a limit, so that a look costs the same on a
//! bad day.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::Fields;
use super::{Ledger, LedgerError};
use crate::domain::demand::{Demand, DemandState};
use crate::domain::ids::PaymentId;
use crate::domain::moment::Moment;
use crate::domain::payment::Status;

/// No more are counted.
pub(crate) const MOST_COUNTED: i64 = 10_000;

/// The payments that have not settled, and the demands that nobody does by himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) payments: Vec<StandingOf>,
    /// At most [`MOST_COUNTED`].
    pub(crate) demands_kept: i64,
}

/// How many payments have a status, and when the oldest of them was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StandingOf {
    pub(crate) status: Status,
    /// All statuses together: at most [`MOST_COUNTED`].
    pub(crate) count: i64,
    pub(crate) oldest: Moment,
}

impl Ledger {
    pub(crate) async fn standing(&self) -> Result<Standing, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, standing(&mut session.conn)).await;
        session.settle(answer)
    }

    /// What was asked for about a payment, in its order; the first 50.
    pub(crate) async fn demands_about(
        &self,
        payment: PaymentId,
    ) -> Result<Vec<Demand>, LedgerError> {
        let mut session = self.session().await?;
        let work = super::demands::about(&mut session.conn, payment);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

async fn standing(conn: &mut AnyConnection) -> Result<Standing, LedgerError> {
    let rows = sqlx::query(
        "SELECT status, COUNT(*) AS count, MIN(created_at) AS oldest FROM (SELECT status, created_at FROM payments \
         WHERE unsettled ORDER BY id LIMIT $1) AS first GROUP BY status ORDER BY status",
    )
    .bind(MOST_COUNTED)
    .fetch_all(&mut *conn)
    .await?;
    let payments: Result<Vec<StandingOf>, LedgerError> = rows
        .iter()
        .map(|row| {
            let fields = Fields(row);
            Ok(StandingOf {
                status: fields.word("status", Status::from_label)?,
                count: fields.number("count")?,
                oldest: fields.moment("oldest")?,
            })
        })
        .collect();
    let kept = sqlx::query(
        "SELECT COUNT(*) AS count FROM (SELECT id FROM demands WHERE state IN ('open', 'kept') AND state = $2 \
         LIMIT $1) AS first",
    )
    .bind(MOST_COUNTED)
    .bind(DemandState::Kept.label())
    .fetch_one(conn)
    .await?;
    Ok(Standing {
        payments: payments?,
        demands_kept: Fields(&kept).number("count")?,
    })
}
