//! Which process reconciles, and what the last run found: one row, which every process can read.

use std::time::Duration;

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::Fields;
use super::sweep::claim;
use super::{Ledger, LedgerError};
use crate::domain::moment::Moment;

const NAME: &str = "reconcile";

impl Ledger {
    /// The first run comes after a while, also in a new ledger: the time counts from now unless it does already.
    pub(crate) async fn begin_reconciliation(&self, now: Moment) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, begin(&mut session.conn, now)).await;
        session.settle(answer)
    }

    /// Takes the lease. `false`: somebody has it, or has ended a run within `every`.
    pub(crate) async fn claim_reconciliation(
        &self,
        now: Moment,
        every: Duration,
    ) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let work = claim(&mut session.conn, NAME, now, every);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Says that the run goes on: the lease counts from now.
    pub(crate) async fn prolong_reconciliation(&self, now: Moment) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = write(&mut session.conn, None, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Keeps what a run found; the lease counts from now.
    pub(crate) async fn keep_reconciliation(
        &self,
        found: &str,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = write(&mut session.conn, Some(found.to_owned()), now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// What the last run found, as its process wrote it; none before the first.
    pub(crate) async fn reconciliation(&self) -> Result<Option<String>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, read(&mut session.conn)).await;
        session.settle(answer)
    }
}

async fn begin(conn: &mut AnyConnection, now: Moment) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO controls (name, value, updated_at) VALUES ($1, '', $2) ON CONFLICT (name) DO NOTHING",
    )
    .bind(NAME)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

async fn write(
    conn: &mut AnyConnection,
    found: Option<String>,
    now: Moment,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE controls SET value = COALESCE($2, value), updated_at = $3 WHERE name = $1")
        .bind(NAME)
        .bind(found)
        .bind(now.0)
        .execute(conn)
        .await?;
    Ok(())
}

async fn read(conn: &mut AnyConnection) -> Result<Option<String>, LedgerError> {
    let row = sqlx::query("SELECT value FROM controls WHERE name = $1")
        .bind(NAME)
        .fetch_optional(conn)
        .await?;
    let text = row.map(|row| Fields(&row).text("value")).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}
