//! What operators have paused: written by the command line, read by every process.

use sqlx::AnyConnection;
use tokio::time::timeout_at;

use super::fields::{Fields, known};
use super::{Ledger, LedgerError};
use crate::domain::moment::Moment;
use crate::domain::pause::{Pause, Side};

/// First word of a pause among the other controls.
const PAUSE: &str = "pause ";

impl Ledger {
    /// Pauses a side, and says since when it is paused: a pause in force goes on, only its reason is replaced by a new one.
    pub(crate) async fn pause(
        &self,
        side: &Side,
        because: Option<&str>,
        now: Moment,
    ) -> Result<Moment, LedgerError> {
        let mut session = self.session().await?;
        let work = pause(&mut session.conn, side, because, now);
        let answer = timeout_at(session.deadline, work).await;
        session.settle(answer)
    }

    /// Ends a pause. `false`: the side was not paused.
    pub(crate) async fn resume(&self, side: &Side) -> Result<bool, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, resume(&mut session.conn, side)).await;
        session.settle(answer)
    }

    /// All pauses in force, by their side.
    pub(crate) async fn pauses(&self) -> Result<Vec<Pause>, LedgerError> {
        let mut session = self.session().await?;
        let answer = timeout_at(session.deadline, pauses(&mut session.conn)).await;
        session.settle(answer)
    }
}

async fn pause(
    conn: &mut AnyConnection,
    side: &Side,
    because: Option<&str>,
    now: Moment,
) -> Result<Moment, LedgerError> {
    let row = sqlx::query(
        "INSERT INTO controls (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE \
         SET value = CASE WHEN excluded.value = '' THEN controls.value ELSE excluded.value END \
         RETURNING updated_at",
    )
    .bind(name(side))
    .bind(because.unwrap_or_default())
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Fields(&row).moment("updated_at")
}

async fn resume(conn: &mut AnyConnection, side: &Side) -> Result<bool, LedgerError> {
    let ended = sqlx::query("DELETE FROM controls WHERE name = $1")
        .bind(name(side))
        .execute(conn)
        .await?;
    Ok(ended.rows_affected() == 1)
}

async fn pauses(conn: &mut AnyConnection) -> Result<Vec<Pause>, LedgerError> {
    let rows = sqlx::query(
        "SELECT name, value, updated_at FROM controls WHERE name LIKE $1 ORDER BY name",
    )
    .bind(format!("{PAUSE}%"))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields(row);
            let name = fields.text("name")?;
            let side = name.strip_prefix(PAUSE).and_then(|side| side.parse().ok());
            Ok(Pause {
                side: known(side, "controls.name")?,
                since: fields.moment("updated_at")?,
                because: Some(fields.text("value")?).filter(|because| !because.is_empty()),
            })
        })
        .collect()
}

fn name(side: &Side) -> String {
    format!("{PAUSE}{side}")
}
