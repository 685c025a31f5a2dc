//! The connections of grouped calls, and how long a group may take.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::time::timeout;

use super::LedgerError;

pub(super) struct Connections<D: Database> {
    pub(super) pool: Pool<D>,
    pub(super) timeout: Duration,
}

/// Another hand on the same connections.
impl<D: Database> Clone for Connections<D> {
    fn clone(&self) -> Self {
        Connections {
            pool: self.pool.clone(),
            timeout: self.timeout,
        }
    }
}

impl<D: Database> Connections<D> {
    /// Runs a group on a connection of its own.
    pub(super) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PoolConnection<D>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut conn = self.pool.acquire().await?;
        timeout(self.timeout, work(&mut conn))
            .await
            .unwrap_or_else(|_| {
                // Its server may be gone without a word: the pool would wait for it as long as TCP does.
                conn.close_on_drop();
                Err(LedgerError::TimedOut)
            })
    }
}
