//! Opens the store: which database it is, and how its connections are set up. After this nobody asks which it is.

use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, PgPool, Transaction,
};
use tokio::time::{Instant, sleep};
use url::Url;

use super::migrate::migrate;
use super::{LedgerError, postgres};
use crate::config::{LedgerConfig, LedgerUrl};

/// Journal and durability of SQLite: readers beside one writer, and a commit is on the disk when it returns.
/// `busy_timeout` comes first: setting the journal already needs the file's lock.
const SQLITE_SET_UP: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// How long the migration may take, waiting for another process to finish it included.
const MIGRATION_LIMIT: Duration = Duration::from_secs(3_600);

/// While several processes open a new file, SQLite may answer "busy" without waiting.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A connection of the pool that rested at least this long is tried before it is used: the server may be gone.
const RESTED: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    Postgres,
    Sqlite,
}

impl Backend {
    /// A transaction that may write. In SQLite it takes the file's write lock at once, so that it cannot fail later.
    pub(super) async fn begin_write(
        self,
        conn: &mut AnyConnection,
    ) -> Result<Transaction<'_, Any>, LedgerError> {
        let begin = match self {
            Backend::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Backend::Sqlite => "BEGIN IMMEDIATE",
        };
        Ok(conn.begin_with(begin).await?)
    }

    /// A transaction whose reads all see the same moment.
    pub(super) async fn begin_read(
        self,
        conn: &mut AnyConnection,
    ) -> Result<Transaction<'_, Any>, LedgerError> {
        let begin = match self {
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Backend::Sqlite => "BEGIN DEFERRED",
        };
        Ok(conn.begin_with(begin).await?)
    }
}

/// The connections of an open ledger.
pub(super) struct Pools {
    /// For what is called seldom, and for what a group could not do: the same queries for both databases.
    pub(super) any: AnyPool,
    pub(super) hot: Hot,
}

/// For the calls in groups. SQLite has one connection for everything.
pub(super) enum Hot {
    Postgres(PgPool),
    Sqlite,
}

/// Connects, brings the tables up to date and makes the pools.
pub(super) async fn open(config: &LedgerConfig) -> Result<(Pools, Backend), LedgerError> {
    sqlx::any::install_default_drivers();
    let (options, backend) = match &config.url {
        LedgerUrl::Postgres(url) => (url.expose_secret().parse()?, Backend::Postgres),
        LedgerUrl::Sqlite(path) => (sqlite_options(path).await?, Backend::Sqlite),
    };
    let hot = match &config.url {
        LedgerUrl::Postgres(url) => Hot::Postgres(hot_pool(url, config)?),
        LedgerUrl::Sqlite(_) => Hot::Sqlite,
    };
    // Not one of the pool's: a migration may take longer than a statement may.
    let mut first = connect(&options, backend, config.timeout).await?;
    tokio::time::timeout(MIGRATION_LIMIT, migrate(&mut first, backend))
        .await
        .unwrap_or(Err(LedgerError::TimedOut))?;
    first.close().await?;
    let any = pool(options, backend, config);
    Ok((Pools { any, hot }, backend))
}

/// One connection, for whoever only looks: nothing is migrated.
pub(super) async fn alone(config: &LedgerConfig) -> Result<(AnyConnection, Backend), LedgerError> {
    sqlx::any::install_default_drivers();
    let (options, backend) = match &config.url {
        LedgerUrl::Postgres(url) => (url.expose_secret().parse()?, Backend::Postgres),
        LedgerUrl::Sqlite(path) => (sqlite_options(path).await?, Backend::Sqlite),
    };
    let conn = connect(&options, backend, config.timeout).await?;
    Ok((conn, backend))
}

fn hot_pool(url: &SecretString, config: &LedgerConfig) -> Result<PgPool, LedgerError> {
    let options: PgConnectOptions = url.expose_secret().parse()?;
    // Whoever holds one row for long must not stop a whole group: it fails early, and then only that row's call waits.
    let wait = config.timeout.as_millis() / 3;
    let set_up = format!(
        "{} SET lock_timeout = {wait}; {}",
        limits(config.timeout),
        postgres::SET_UP
    );
    let pool = PgPoolOptions::new()
        .max_connections(hot_connections(config))
        .acquire_timeout(config.timeout)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for >= RESTED {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |conn, _| {
            let set_up = AssertSqlSafe(set_up.clone());
            Box::pin(async move { sqlx::raw_sql(set_up).execute(conn).await.map(drop) })
        });
    Ok(pool.connect_lazy_with(options.disable_statement_logging()))
}

/// What is called seldom has a quarter of the connections, the groups the rest; each at least one.
fn cold_connections(config: &LedgerConfig) -> u32 {
    (config.max_connections / 4).max(1)
}

fn hot_connections(config: &LedgerConfig) -> u32 {
    let cold = cold_connections(config);
    config.max_connections.saturating_sub(cold).max(1)
}

fn pool(options: AnyConnectOptions, backend: Backend, config: &LedgerConfig) -> AnyPool {
    let timeout = config.timeout;
    let pool = AnyPoolOptions::new()
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for >= RESTED {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |conn, _| Box::pin(set_up(conn, backend, timeout)));
    match backend {
        Backend::Postgres => pool.max_connections(cold_connections(config)),
        Backend::Sqlite => pool
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None),
    }
    .connect_lazy_with(options)
}

/// The first connection; a new SQLite file gets its journal mode here.
async fn connect(
    options: &AnyConnectOptions,
    backend: Backend,
    timeout: Duration,
) -> Result<AnyConnection, LedgerError> {
    let deadline = Instant::now() + timeout;
    loop {
        let attempt = tokio::time::timeout_at(deadline, async {
            let mut conn = options.connect().await?;
            match backend {
                Backend::Postgres => {}
                Backend::Sqlite => set_up(&mut conn, backend, timeout).await?,
            }
            Ok(conn)
        });
        match attempt.await {
            Ok(Err(error)) if is_busy(&error) && Instant::now() < deadline => {
                sleep(BUSY_PAUSE).await;
            }
            Ok(settled) => return Ok(settled?),
            Err(_) => return Err(LedgerError::TimedOut),
        }
    }
}

async fn set_up(
    conn: &mut AnyConnection,
    backend: Backend,
    timeout: Duration,
) -> Result<(), sqlx::Error> {
    match backend {
        Backend::Sqlite => sqlx::raw_sql(SQLITE_SET_UP).execute(conn).await?,
        Backend::Postgres => {
            let limits = AssertSqlSafe(limits(timeout));
            sqlx::raw_sql(limits).execute(conn).await?
        }
    };
    Ok(())
}

/// A process that froze inside a transaction must not hold its locks: it gave up long ago. No query of ours is better off
/// without an index, whatever the planner believes of tables that were empty a moment ago.
fn limits(timeout: Duration) -> String {
    let millis = timeout.as_millis();
    let idle = millis.saturating_mul(2);
    format!(
        "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {idle}; \
         SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;"
    )
}

/// The file's URL; its folder is made when it is missing, the file itself when it is opened.
async fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, LedgerError> {
    let path = std::path::absolute(path).map_err(sqlx::Error::from)?;
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(sqlx::Error::from)?;
    }
    let unfit = || sqlx::Error::Configuration("the path of the ledger's file is no URL".into());
    let file = Url::from_file_path(&path).map_err(|()| unfit())?;
    Ok(format!("sqlite://{}?mode=rwc", file.path()).parse()?)
}

/// SQLITE_BUSY with any of its extensions: the low byte of the code is 5.
fn is_busy(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|database| database.code()?.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}
