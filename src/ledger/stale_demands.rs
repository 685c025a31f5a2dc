//! Finds demands that are open and have not moved for long: their message may have got into no queue.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::Fields;
use super::{Ledger, LedgerError};
use crate::domain::ids::{DemandId, GatewayName};
use crate::domain::moment::Moment;

/// An open demand, with what its message is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaleDemand {
    pub(crate) id: DemandId,
    pub(crate) gateway: GatewayName,
    pub(crate) received_at: Moment,
}

impl Ledger {
    /// Open demands of a gateway of ours that nobody has touched since `before`: those that rested longest first.
    pub(crate) async fn stale_demands(
        &self,
        before: Moment,
        limit: i64,
    ) -> Result<Vec<StaleDemand>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, stale(&mut session.conn, before, limit)).await;
        session.settle(answer)
    }

    /// Notes that a stale demand is taken up again now; nothing else of it changes. `false`: it is stale no more, somebody
    /// else has it, or it is settled.
    pub(crate) async fn touch_demand(
        &self,
        id: DemandId,
        before: Moment,
        now: Moment,
    ) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = touch(&mut session.conn, id, before, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

/// The second condition is the index's, word for word: SQLite uses it for nothing less.
async fn stale(
    conn: &mut AnyConnection,
    before: Moment,
    limit: i64,
) -> Result<Vec<StaleDemand>, LedgerError> {
    let rows = sqlx::query(
        "SELECT id, gateway, received_at FROM demands WHERE state = 'open' AND state IN ('open', 'kept') \
         AND gateway IS NOT NULL AND updated_at <= $1 ORDER BY updated_at, id LIMIT $2",
    )
    .bind(before.0)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields(row);
            Ok(StaleDemand {
                id: DemandId(fields.uuid("id")?),
                gateway: fields.word("gateway", |text| text.parse().ok())?,
                received_at: fields.moment("received_at")?,
            })
        })
        .collect()
}

async fn touch(
    conn: &mut AnyConnection,
    id: DemandId,
    before: Moment,
    now: Moment,
) -> Result<bool, LedgerError> {
    let touched = sqlx::query(
        "UPDATE demands SET updated_at = $3 WHERE id = $1 AND state = 'open' AND updated_at <= $2",
    )
    .bind(id.to_string())
    .bind(before.0)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(touched.rows_affected() == 1)
}
