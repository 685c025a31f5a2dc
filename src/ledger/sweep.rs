//! Finds payments that should have moved on long ago, and lets one process at a time look after them.

use std::time::Duration;

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::Fields;
use super::{Ledger, LedgerError};
use crate::domain::ids::{GatewayName, PaymentId};
use crate::domain::moment::Moment;

/// The most payments of one sweep; the next one takes the rest.
const MOST: i64 = 200;
const CLAIM: &str = "sweep";

/// A payment that a sweep has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stalled {
    pub(crate) id: PaymentId,
    pub(crate) gateway: GatewayName,
}

impl Ledger {
    /// Payments in doubt, or overdue and not final, that nobody has touched since `before`: at most 200, the oldest after
    /// `after` first.
    pub(crate) async fn stalled(
        &self,
        before: Moment,
        after: Option<&Stalled>,
    ) -> Result<Vec<Stalled>, LedgerError> {
        let mut session = self.session().await?;
        let work = stalled(&mut session.conn, before, after);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Claims the sweep for this process. `false`: somebody has it, within the last `every`.
    pub(crate) async fn claim_sweep(
        &self,
        now: Moment,
        every: Duration,
    ) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = claim(&mut session.conn, CLAIM, now, every);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }
}

/// In doubt, or not final although its deadline has passed, and untouched since `before`. The oldest after `after` first.
async fn stalled(
    conn: &mut AnyConnection,
    before: Moment,
    after: Option<&Stalled>,
) -> Result<Vec<Stalled>, LedgerError> {
    let after = after.map_or_else(String::new, |last| last.id.to_string());
    let rows = sqlx::query(
        "SELECT id, gateway FROM payments \
         WHERE unsettled AND status <> 'failed' AND updated_at <= $1 AND (status = 'in_doubt' OR expires_at <= $1) \
         AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(before.0)
    .bind(after)
    .bind(MOST)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields(row);
            Ok(Stalled {
                id: fields.uuid("id").map(PaymentId)?,
                gateway: fields.word("gateway", |text| text.parse().ok())?,
            })
        })
        .collect()
}

/// Whether what bears this name is this process's for now: nobody has claimed it within `every`.
pub(super) async fn claim(
    conn: &mut AnyConnection,
    name: &'static str,
    now: Moment,
    every: Duration,
) -> Result<bool, LedgerError> {
    let free_since = Moment(
        now.0
            .saturating_sub(i64::try_from(every.as_millis()).unwrap_or(i64::MAX)),
    );
    let claimed = sqlx::query(
        "INSERT INTO controls (name, value, updated_at) VALUES ($1, '', $2) \
         ON CONFLICT (name) DO UPDATE SET updated_at = $2 WHERE controls.updated_at <= $3",
    )
    .bind(name)
    .bind(now.0)
    .bind(free_since.0)
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
}
