//! What an operator may want to know of the ledger before it is used. Nothing is made and nothing is migrated.

use std::path::Path;

use sqlx::{AnyConnection, Connection};
use tokio::time::timeout;

use super::connect::{self, Backend};
use super::fields::Fields;
use super::{LedgerError, migrate};
use crate::config::{LedgerConfig, LedgerUrl};
use crate::domain::moment::Moment;

/// How far the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// There are none: the first start makes them.
    None,
    Current,
    /// So many steps are missing: the next start makes them.
    Behind(i64),
    /// They were made by a newer build, so many steps ahead: this one must not be started.
    Ahead(i64),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Examined {
    /// Name and version.
    pub(crate) server: String,
    /// The server's time; none of a file.
    pub(crate) now: Option<Moment>,
    pub(crate) tables: Tables,
    /// Why nothing can be written, where it cannot.
    pub(crate) read_only: Option<String>,
    /// Settings under which a confirmed write could be lost, with their values.
    pub(crate) unsafe_settings: Vec<(&'static str, String)>,
    /// Of a file: what SQLite finds broken in it.
    pub(crate) damage: Option<String>,
}

const OF_POSTGRES: &str = "SELECT current_setting('server_version') AS version, \
     current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, \
     current_setting('synchronous_commit') AS synchronous_commit, \
     current_setting('transaction_read_only') AS read_only, \
     CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";

/// Looks at the ledger. None: it is a file that does not exist yet.
///
/// # Errors
/// It is away, does not know the user, or does not answer within three times its time-out.
pub(crate) async fn examine(config: &LedgerConfig) -> Result<Option<Examined>, LedgerError> {
    if let LedgerUrl::Sqlite(path) = &config.url
        && !path.exists()
    {
        return Ok(None);
    }
    let look = async {
        let (mut conn, backend) = connect::alone(config).await?;
        let examined = match backend {
            Backend::Postgres => postgres(&mut conn).await,
            Backend::Sqlite => sqlite(&mut conn).await,
        };
        conn.close().await.unwrap_or_default();
        examined.map(Some)
    };
    timeout(config.timeout.saturating_mul(3), look)
        .await
        .unwrap_or(Err(LedgerError::TimedOut))
}

/// The file, for whoever asks how much room is left beside it.
pub(crate) fn file(config: &LedgerConfig) -> Option<&Path> {
    match &config.url {
        LedgerUrl::Sqlite(path) => Some(path),
        LedgerUrl::Postgres(_) => None,
    }
}

async fn postgres(conn: &mut AnyConnection) -> Result<Examined, LedgerError> {
    let row = sqlx::query(OF_POSTGRES).fetch_one(&mut *conn).await?;
    let fields = Fields(&row);
    let mut unsafe_settings = Vec::new();
    for (name, safe) in [
        ("fsync", ["on"].as_slice()),
        ("full_page_writes", &["on"]),
        (
            "synchronous_commit",
            &["on", "remote_apply", "remote_write", "local"],
        ),
    ] {
        let value = fields.text(name)?;
        if !safe.contains(&value.as_str()) {
            unsafe_settings.push((name, value));
        }
    }
    let read_only = fields.text("read_only")? == "on";
    let server = format!("PostgreSQL {}", fields.text("version")?);
    let now = fields.moment("now")?;
    let there = "SELECT CAST(CASE WHEN to_regclass('_sqlx_migrations') IS NULL THEN 0 ELSE 1 END AS BIGINT) AS there";
    Ok(Examined {
        server,
        now: Some(now),
        tables: tables(conn, there).await?,
        read_only: read_only.then(|| "the server takes no writes (a standby?)".to_owned()),
        unsafe_settings,
        damage: None,
    })
}

async fn sqlite(conn: &mut AnyConnection) -> Result<Examined, LedgerError> {
    let row = sqlx::query("SELECT sqlite_version() AS version")
        .fetch_one(&mut *conn)
        .await?;
    let server = format!("SQLite {}", Fields(&row).text("version")?);
    let there = "SELECT COUNT(*) AS there FROM sqlite_master WHERE name = '_sqlx_migrations' AND type = 'table'";
    let tables = tables(conn, there).await?;
    let row = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(&mut *conn)
        .await?;
    let found = Fields(&row).text("quick_check")?;
    let read_only = match Backend::Sqlite.begin_write(conn).await {
        Ok(nothing) => {
            nothing.rollback().await?;
            None
        }
        Err(LedgerError::Away(cause)) => Some(cause.to_string()),
        Err(cause) => return Err(cause),
    };
    Ok(Examined {
        server,
        now: None,
        tables,
        read_only,
        unsafe_settings: Vec::new(),
        damage: (found != "ok").then_some(found),
    })
}

async fn tables(conn: &mut AnyConnection, there: &'static str) -> Result<Tables, LedgerError> {
    let row = sqlx::query(there).fetch_one(&mut *conn).await?;
    if Fields(&row).number("there")? == 0 {
        return Ok(Tables::None);
    }
    let row = sqlx::query("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) AS done FROM _sqlx_migrations WHERE success")
        .fetch_one(conn)
        .await?;
    Ok(compared(Fields(&row).number("done")?, migrate::steps()))
}

/// Steps are made in their order, so the last one tells.
fn compared(done: i64, known: i64) -> Tables {
    match known.saturating_sub(done) {
        0 => Tables::Current,
        missing @ 1.. => Tables::Behind(missing),
        more => Tables::Ahead(more.saturating_neg()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_missing_or_too_many_are_counted() {
        for (done, tables) in [
            (0, Tables::Behind(6)),
            (5, Tables::Behind(1)),
            (6, Tables::Current),
            (8, Tables::Ahead(2)),
        ] {
            assert_eq!(compared(done, 6), tables);
        }
    }
}
