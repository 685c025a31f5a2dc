//! The queues: what a message is to a broker, what a consumer may say of a delivery, and the two brokers behind one interface.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::dead::DeadReason;
use crate::domain::message::Envelope;
use crate::domain::moment::Moment;
use crate::domain::retry::Delay;

pub(crate) use crate::domain::queue::{Lane, Queue};

pub(crate) use self::choice::{Broker, declare, diff};
pub(crate) use self::dead::{DeadLetter, DeadLetters, ReplayError};

mod choice;
mod course;
mod dead;
mod embedded;
pub(crate) mod examine;
mod rabbit;
mod settle;
#[cfg(test)]
mod tests;
pub(crate) mod topology;

/// What travels beside the body: our own counters, since `x-death` means different things in different brokers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Headers {
    /// How often the message has failed so far.
    pub(crate) failures: u32,
    pub(crate) first_failed_at: Option<Moment>,
    pub(crate) first_error: Option<String>,
    pub(crate) last_error: Option<String>,
    /// W3C trace context.
    pub(crate) traceparent: Option<String>,
    /// Only in the dead letters: why it lies there, and the queue that it came from.
    pub(crate) reason: Option<String>,
    pub(crate) source: Option<String>,
    /// How often an operator has sent it back from the dead letters.
    #[serde(default)]
    pub(crate) replayed: u32,
}

impl Headers {
    /// How long ago the message failed first.
    pub(crate) fn age(&self, now: Moment) -> Duration {
        self.first_failed_at
            .map_or(Duration::ZERO, |at| now.since(at))
    }
}

/// A message on its way to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) queue: Queue,
    /// When set, it waits on that rung first.
    pub(crate) delay: Option<Delay>,
    pub(crate) message_id: Uuid,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Headers,
}

impl Outgoing {
    /// A new message: it has not failed yet, and waits for nothing.
    pub(crate) fn new(queue: Queue, envelope: &Envelope, traceparent: Option<String>) -> Outgoing {
        Outgoing {
            queue,
            delay: None,
            message_id: envelope.message_id,
            body: envelope.encode(),
            headers: Headers {
                traceparent,
                ..Headers::default()
            },
        }
    }
}

/// A message in hand. It stays the broker's until its verdict is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) queue: Queue,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Headers,
    /// It may have been taken before: by somebody who did not settle it, or here, before its lane was paused. `false` only
    /// says that this message, as it lies in the queue, is taken for the first time.
    pub(crate) redelivered: bool,
    /// From the message's properties; a foreign message may have none.
    pub(crate) message_id: Option<Uuid>,
}

/// What is to become of a delivery. There is no default: whoever takes one must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything that follows from it is durable: acknowledge.
    Done,
    /// Try again after `delay`: a copy goes to the ladder, confirmed, then the original is acknowledged.
    Later { delay: Delay, error: String },
    /// It cannot go on: a copy goes to the dead letters, confirmed, then the original is acknowledged.
    Park { reason: DeadReason, error: String },
    /// Nothing on this lane can go on now (ledger away, credential refused): keep it unacknowledged, pause the lane, take it
    /// again after a while. No attempt is counted.
    Hold { error: String },
}

impl Verdict {
    pub(crate) fn park(reason: DeadReason, error: &str) -> Verdict {
        Verdict::Park {
            reason,
            error: error.to_owned(),
        }
    }
}

/// Why a message is not known to be in its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("no queue is bound for it")]
    Unroutable,
    #[error("the broker rejected it (queue full or gone)")]
    Rejected,
    /// It may or may not be there, or may still arrive.
    #[error("the broker did not confirm it in time")]
    TimedOut,
    #[error("the broker is away: {0}")]
    Away(String),
}

/// The way into the queues.
#[async_trait]
pub(crate) trait Publish: Send + Sync {
    /// Returns once the broker has confirmed that the message is durably in its queue.
    ///
    /// # Errors
    /// Within a bounded time (configuration `broker.publish_timeout`). After any error the message may still arrive: a
    /// caller must be able to live with that.
    async fn publish(&self, message: Outgoing) -> Result<(), PublishError>;

    /// Whether a publish would be tried at once: connected and not blocked. For `/readyz`.
    fn ready(&self) -> bool;
}

/// What a role does with a delivery.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn take(&self, delivery: &Delivery) -> Verdict;
}

/// Why the broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    #[error(
        "the embedded broker keeps its queues in the ledger's SQLite file, but the ledger is not SQLite"
    )]
    NeedsSqlite,
    #[error("another process serves the queues in {}", path.display())]
    InUse { path: PathBuf },
    #[error("cannot lock {}", path.display())]
    Lock {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot open the queues in {}", path.display())]
    OpenQueues {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error("broker.url is not an AMQP URL")]
    BadUrl,
    #[error(
        "{name} exists with other arguments than this version needs ({detail}); stop what uses it, move its messages away, \
         delete it and start again, or choose another broker.prefix"
    )]
    Incompatible { name: String, detail: String },
    #[error("there is no queue {0}")]
    UnknownQueue(String),
    #[error("the broker is away: {0}")]
    Away(String),
}
