//! The rows of the embedded queues, in the ledger's SQLite file.

use std::path::Path;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection, Row, Sqlite};
use uuid::Uuid;

use crate::broker::{Delivery, Headers, Outgoing, Queue};
use crate::domain::moment::Moment;

/// The ledger writes to the same file; SQLite lets one writer in at a time.
const BUSY: Duration = Duration::from_secs(5);

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS queue_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT";
const CREATE_INDEX: &str =
    "CREATE INDEX IF NOT EXISTS queue_messages_due ON queue_messages (queue, visible_at, id)";
const INSERT: &str = "INSERT INTO queue_messages (queue, visible_at, published_at, message_id, headers, body) \
     VALUES (?, ?, ?, ?, ?, ?)";
const DELETE: &str = "DELETE FROM queue_messages WHERE id = ?";
const DUE: &str = "SELECT id FROM queue_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?";
const READ: &str = "SELECT id, published_at, message_id, headers, body FROM queue_messages \
     WHERE id IN (SELECT value FROM json_each(?)) ORDER BY visible_at, id";
const OLDEST: &str = "SELECT id, message_id, headers, body, published_at FROM queue_messages \
     WHERE queue = ? ORDER BY id LIMIT ?";
const NEXT: &str = "SELECT visible_at FROM queue_messages WHERE queue = ? AND visible_at > ? ORDER BY visible_at LIMIT 1";
const DEPTH: &str = "SELECT COUNT(*) FROM queue_messages WHERE queue = ?";

/// One change; many of them share a transaction.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Insert { message: Box<Outgoing>, at: Moment },
    Delete { id: i64 },
}

/// A message that waits in a queue, with its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) delivery: Delivery,
}

/// The file.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pool: SqlitePool,
    /// What was published before may have been in somebody's hands.
    opened_at: Moment,
}

impl Store {
    /// Makes file and table where they are missing.
    pub(super) async fn open(path: &Path) -> Result<Store, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A publish that was confirmed survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await?;
        sqlx::query(CREATE_TABLE).execute(&pool).await?;
        sqlx::query(CREATE_INDEX).execute(&pool).await?;
        Ok(Store {
            pool,
            opened_at: crate::clock::now(),
        })
    }

    /// For whoever only looks; none where there is no file, or no table in it.
    pub(super) async fn look(path: &Path) -> Result<Option<Store>, sqlx::Error> {
        if !path.exists() {
            return Ok(None);
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await?;
        let table: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE name = 'queue_messages'")
                .fetch_optional(&pool)
                .await?;
        if table.is_none() {
            pool.close().await;
            return Ok(None);
        }
        Ok(Some(Store {
            pool,
            opened_at: crate::clock::now(),
        }))
    }

    /// For a consumer that begins now, after others of this process have ended.
    pub(super) fn anew(&self) -> Store {
        Store {
            pool: self.pool.clone(),
            opened_at: crate::clock::now(),
        }
    }

    /// All of them or none, durable on return.
    pub(super) async fn write(&self, writes: &[Write]) -> Result<(), sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        // Takes the write lock at once: a transaction that begins by reading could not wait for it later.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for write in writes {
            let query = match write {
                Write::Insert { message, at } => insert(message, *at)?,
                Write::Delete { id } => sqlx::query(DELETE).bind(*id),
            };
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// The rows whose time has come, oldest first.
    pub(super) async fn due(
        &self,
        queue: &Queue,
        now: Moment,
        limit: u16,
    ) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar(DUE)
            .bind(queue.to_string())
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
    }

    pub(super) async fn read(
        &self,
        queue: &Queue,
        ids: &[i64],
    ) -> Result<Vec<Stored>, sqlx::Error> {
        let list = serde_json::Value::from(ids).to_string();
        let rows = sqlx::query(READ).bind(list).fetch_all(&self.pool).await?;
        rows.iter().map(|row| self.stored(queue, row)).collect()
    }

    /// When the next delayed message comes due.
    pub(super) async fn next_due(
        &self,
        queue: &Queue,
        now: Moment,
    ) -> Result<Option<Moment>, sqlx::Error> {
        let next: Option<i64> = sqlx::query_scalar(NEXT)
            .bind(queue.to_string())
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(next.map(Moment))
    }

    /// Messages in the queue: ready, delayed and in hand.
    pub(super) async fn depth(&self, queue: &Queue) -> Result<u64, sqlx::Error> {
        let count: i64 = sqlx::query_scalar(DEPTH)
            .bind(queue.to_string())
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The first messages of the queue, due or not, each with the time when it came in.
    pub(super) async fn oldest(
        &self,
        queue: &Queue,
        limit: i64,
    ) -> Result<Vec<(Stored, Moment)>, sqlx::Error> {
        let rows = sqlx::query(OLDEST)
            .bind(queue.to_string())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    self.stored(queue, row)?,
                    Moment(row.try_get("published_at")?),
                ))
            })
            .collect()
    }

    /// Removes the row and puts `message` into its own queue, both or neither. `false`: the row is gone, nothing was done.
    pub(super) async fn exchange(
        &self,
        id: i64,
        message: &Outgoing,
        at: Moment,
    ) -> Result<bool, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let deleted = sqlx::query(DELETE)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        insert(message, at)?.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Done as well when the row is gone already.
    pub(super) async fn delete(&self, id: i64) -> Result<(), sqlx::Error> {
        self.write(&[Write::Delete { id }]).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn insert(
    message: &Outgoing,
    at: Moment,
) -> Result<Query<'_, Sqlite, SqliteArguments>, sqlx::Error> {
    let headers = serde_json::to_string(&message.headers)
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let visible_at = message.delay.map_or(at, |delay| at.plus(delay.wait()));
    Ok(sqlx::query(INSERT)
        .bind(message.queue.to_string())
        .bind(visible_at.0)
        .bind(at.0)
        .bind(message.message_id.to_string())
        .bind(headers)
        .bind(message.body.as_slice()))
}

impl Store {
    /// Headers or an id that cannot be read count as absent, as with RabbitMQ: what matters is in the body.
    fn stored(&self, queue: &Queue, row: &SqliteRow) -> Result<Stored, sqlx::Error> {
        let headers: String = row.try_get("headers")?;
        let message_id: String = row.try_get("message_id")?;
        let published_at = Moment(row.try_get("published_at")?);
        Ok(Stored {
            id: row.try_get("id")?,
            delivery: Delivery {
                queue: queue.clone(),
                body: row.try_get("body")?,
                headers: serde_json::from_str::<Headers>(&headers).unwrap_or_default(),
                redelivered: published_at <= self.opened_at,
                message_id: Uuid::parse_str(&message_id).ok(),
            },
        })
    }
}
