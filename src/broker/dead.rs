//! The dead letters, for an operator: looked at without loss, sent back to where they came from, or removed for good.

use uuid::Uuid;

use super::embedded::dead::EmbeddedDead;
use super::rabbit::dead::RabbitDead;
use super::{BrokerError, Headers, Outgoing, PublishError, Queue};
use crate::config::{BrokerConfig, BrokerUrl, LedgerUrl};
use crate::domain::ids::GatewayName;
use crate::domain::moment::Moment;

/// One dead letter in hand. It stays the broker's until it is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) message_id: Uuid,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Headers,
    /// Since when it lies there. RabbitMQ knows it in whole seconds; a foreign message may not say.
    pub(crate) parked_at: Option<Moment>,
    /// The broker's own name of it: a delivery tag, or a row.
    pub(super) ticket: u64,
}

impl DeadLetter {
    /// The queue that it came from, where that can be told.
    pub(crate) fn source(&self) -> Option<Queue> {
        self.headers.source.as_deref()?.parse().ok()
    }

    /// One from the confirmations, for tests of what is shown of it.
    #[cfg(test)]
    pub(crate) fn sample(message_id: Uuid, reason: &str, parked_at: Moment) -> DeadLetter {
        DeadLetter {
            message_id,
            body: b"{}".to_vec(),
            headers: Headers {
                reason: Some(reason.to_owned()),
                source: Some("confirmations".to_owned()),
                ..Headers::default()
            },
            parked_at: Some(parked_at),
            ticket: 1,
        }
    }

    /// The message for another try: as new, but for its id, its trace and the count of its replays.
    pub(super) fn copy(&self, source: Queue) -> Outgoing {
        Outgoing {
            queue: source,
            delay: None,
            message_id: self.message_id,
            body: self.body.clone(),
            headers: Headers {
                traceparent: self.headers.traceparent.clone(),
                replayed: self.headers.replayed.saturating_add(1),
                ..Headers::default()
            },
        }
    }
}

/// Why a dead letter did not get back to its queue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error("it does not say from which queue it came")]
    NoSource,
    #[error("somebody else has taken it meanwhile")]
    Gone,
    /// It is still with the dead letters; it may be in its queue as well.
    #[error("its publish was not confirmed")]
    Publish(#[source] PublishError),
    /// It is in its queue, and still with the dead letters as well.
    #[error("it was published, but not removed here; another replay will publish it once more")]
    Remove(#[source] BrokerError),
}

/// The dead letters of the configured broker. The connector may be running meanwhile.
pub(crate) enum DeadLetters {
    Rabbit(Box<RabbitDead>),
    Embedded(EmbeddedDead),
}

impl DeadLetters {
    /// # Errors
    /// The broker is away, or the queues' file cannot be opened.
    pub(crate) async fn open(
        config: &BrokerConfig,
        ledger: &LedgerUrl,
        gateways: &[GatewayName],
    ) -> Result<DeadLetters, BrokerError> {
        match (&config.url, ledger) {
            (BrokerUrl::Amqp(url), _) => {
                let rabbit = RabbitDead::open(url, config, gateways).await?;
                Ok(DeadLetters::Rabbit(Box::new(rabbit)))
            }
            (BrokerUrl::Embedded, LedgerUrl::Sqlite(path)) => Ok(DeadLetters::Embedded(
                EmbeddedDead::open(path, gateways).await?,
            )),
            (BrokerUrl::Embedded, LedgerUrl::Postgres(_)) => Err(BrokerError::NeedsSqlite),
        }
    }

    /// Up to `most` of them. RabbitMQ shows them to nobody else until `close`.
    ///
    /// # Errors
    /// The broker is away, or has no queue for them yet.
    pub(crate) async fn fetch(&mut self, most: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        match self {
            DeadLetters::Rabbit(rabbit) => rabbit.fetch(most).await,
            DeadLetters::Embedded(embedded) => embedded.fetch(most).await,
        }
    }

    /// Sends one back to its queue: published and confirmed, and only then removed. A crash between the two leaves it in both
    /// places; RabbitMQ's consumers then see it twice, which they must bear anyhow. The embedded broker does both at once.
    ///
    /// # Errors
    /// It is still among the dead letters, unless somebody else took it.
    pub(crate) async fn replay(&mut self, letter: &DeadLetter) -> Result<(), ReplayError> {
        let source = letter.source().ok_or(ReplayError::NoSource)?;
        let copy = letter.copy(source);
        match self {
            DeadLetters::Rabbit(rabbit) => rabbit.replay(letter, copy).await,
            DeadLetters::Embedded(embedded) => embedded.replay(letter, &copy).await,
        }
    }

    /// Puts a new message into its queue, past a connector that may be running.
    ///
    /// # Errors
    /// It is not known to be there.
    pub(crate) async fn put(&mut self, message: Outgoing) -> Result<(), PublishError> {
        match self {
            DeadLetters::Rabbit(rabbit) => rabbit.put(message).await,
            DeadLetters::Embedded(embedded) => embedded.put(message).await,
        }
    }

    /// Removes one for good.
    ///
    /// # Errors
    /// The broker is away: it is still there.
    pub(crate) async fn remove(&mut self, letter: &DeadLetter) -> Result<(), BrokerError> {
        match self {
            DeadLetters::Rabbit(rabbit) => rabbit.remove(letter).await,
            DeadLetters::Embedded(embedded) => embedded.remove(letter).await,
        }
    }

    /// Gives back, in one go, what was neither replayed nor removed.
    pub(crate) async fn close(&mut self) {
        match self {
            DeadLetters::Rabbit(rabbit) => rabbit.close().await,
            DeadLetters::Embedded(embedded) => embedded.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_begins_anew_and_keeps_its_id_and_its_trace() {
        let letter = DeadLetter {
            message_id: Uuid::from_u128(7),
            body: b"body".to_vec(),
            headers: Headers {
                failures: 9,
                first_failed_at: Some(Moment(1)),
                first_error: Some("first".into()),
                last_error: Some("last".into()),
                traceparent: Some("00-a-b-01".into()),
                reason: Some("too_old".into()),
                source: Some("confirmations".into()),
                replayed: 1,
            },
            parked_at: None,
            ticket: 1,
        };
        let copy = letter.copy(letter.source().unwrap());
        let expected = Outgoing {
            queue: Queue::Confirmations,
            delay: None,
            message_id: Uuid::from_u128(7),
            body: b"body".to_vec(),
            headers: Headers {
                traceparent: Some("00-a-b-01".into()),
                replayed: 2,
                ..Headers::default()
            },
        };
        assert_eq!(copy, expected);
    }
}
