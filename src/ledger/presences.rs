//! The processes of the installation, as each told of itself last.

use std::time::Duration;

use sqlx::AnyConnection;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::connect::Backend;
use super::fields::{Fields, json_text};
use super::{Ledger, LedgerError};
use crate::domain::moment::Moment;
use crate::domain::presence::{Presence, Seen};

/// What has not been seen for longer is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

impl Ledger {
    /// Writes what a process tells of itself, and forgets those that told nothing for an hour.
    pub(crate) async fn tell_presence(
        &self,
        id: Uuid,
        presence: &Presence,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let mut session = self.session().await?;
        let work = tell(&mut session.conn, self.backend, id, presence, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// All that were seen within the last hour.
    pub(crate) async fn presences(&self, now: Moment) -> Result<Vec<Seen>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, presences(&mut session.conn, now)).await;
        session.settle(answer)
    }
}

async fn tell(
    conn: &mut AnyConnection,
    backend: Backend,
    id: Uuid,
    presence: &Presence,
    now: Moment,
) -> Result<(), LedgerError> {
    let mut transaction = backend.begin_write(conn).await?;
    sqlx::query(
        "INSERT INTO processes (id, seen_at, told) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, told = excluded.told",
    )
    .bind(id.to_string())
    .bind(now.0)
    .bind(json_text(presence, "told")?)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM processes WHERE seen_at < $1")
        .bind(oldest(now))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

async fn presences(conn: &mut AnyConnection, now: Moment) -> Result<Vec<Seen>, LedgerError> {
    let rows =
        sqlx::query("SELECT id, seen_at, told FROM processes WHERE seen_at >= $1 ORDER BY id")
            .bind(oldest(now))
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields(row);
            Ok(Seen {
                id: fields.uuid("id")?,
                at: fields.moment("seen_at")?,
                presence: fields.json("told")?,
            })
        })
        .collect()
}

fn oldest(now: Moment) -> i64 {
    let span = i64::try_from(FORGOTTEN_AFTER.as_millis()).unwrap_or(i64::MAX);
    now.0.saturating_sub(span)
}
