//! The dead letters in the ledger's SQLite file. No lock is taken: the connector may be running, and every look and every
//! change is one short transaction.

use std::path::Path;

use super::store::{Store, Write};
use crate::broker::dead::{DeadLetter, ReplayError};
use crate::broker::topology::queues;
use crate::broker::{BrokerError, Outgoing, PublishError, Queue, settle};
use crate::clock;
use crate::domain::ids::GatewayName;

/// The dead letters of one file.
pub(crate) struct EmbeddedDead {
    store: Store,
    /// Those that exist: a message for another one would never be taken.
    queues: Vec<Queue>,
}

impl EmbeddedDead {
    pub(in crate::broker) async fn open(
        path: &Path,
        gateways: &[GatewayName],
    ) -> Result<EmbeddedDead, BrokerError> {
        let opened = Store::open(path).await;
        let store = opened.map_err(|source| BrokerError::OpenQueues {
            path: path.to_owned(),
            source,
        })?;
        Ok(EmbeddedDead {
            store,
            queues: queues(gateways),
        })
    }

    pub(in crate::broker) async fn fetch(
        &self,
        most: usize,
    ) -> Result<Vec<DeadLetter>, BrokerError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found = self.store.oldest(&Queue::Dead, most).await;
        let rows = found.map_err(|error| BrokerError::Away(error.to_string()))?;
        let letters = rows.into_iter().map(|(stored, parked_at)| DeadLetter {
            message_id: settle::message_id(&stored.delivery),
            body: stored.delivery.body,
            headers: stored.delivery.headers,
            parked_at: Some(parked_at),
            ticket: u64::try_from(stored.id).unwrap_or(0),
        });
        Ok(letters.collect())
    }

    pub(in crate::broker) async fn replay(
        &self,
        letter: &DeadLetter,
        copy: &Outgoing,
    ) -> Result<(), ReplayError> {
        if !self.queues.contains(&copy.queue) {
            return Err(ReplayError::Publish(PublishError::Unroutable));
        }
        let moved = self.store.exchange(row(letter), copy, clock::now()).await;
        match moved {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReplayError::Gone),
            Err(error) => Err(ReplayError::Publish(PublishError::Away(error.to_string()))),
        }
    }

    pub(in crate::broker) async fn put(&self, message: Outgoing) -> Result<(), PublishError> {
        if !self.queues.contains(&message.queue) {
            return Err(PublishError::Unroutable);
        }
        let insert = Write::Insert {
            message: Box::new(message),
            at: clock::now(),
        };
        let written = self.store.write(&[insert]).await;
        written.map_err(|error| PublishError::Away(error.to_string()))
    }

    pub(in crate::broker) async fn remove(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        let removed = self.store.delete(row(letter)).await;
        removed.map_err(|error| BrokerError::Away(error.to_string()))
    }

    pub(in crate::broker) async fn close(&self) {
        self.store.close().await;
    }
}

/// How many there are; none before the first start, when there is no file, or no queue in it.
pub(in crate::broker) async fn count(path: &Path) -> Result<Option<u64>, BrokerError> {
    let failed = |source| BrokerError::OpenQueues {
        path: path.to_owned(),
        source,
    };
    let Some(store) = Store::look(path).await.map_err(failed)? else {
        return Ok(None);
    };
    let depth = store.depth(&Queue::Dead).await.map_err(failed);
    store.close().await;
    depth.map(Some)
}

fn row(letter: &DeadLetter) -> i64 {
    i64::try_from(letter.ticket).unwrap_or(0)
}
