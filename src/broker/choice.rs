//! The two brokers behind one interface; the configuration chooses.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::embedded::Embedded;
use super::rabbit::{self, Rabbit};
use super::topology::Difference;
use super::{BrokerError, Handler, Publish, Queue};
use crate::config::{BrokerConfig, BrokerUrl, LedgerUrl};
use crate::domain::ids::GatewayName;

/// The broker in use.
pub(crate) enum Broker {
    Rabbit(Rabbit),
    Embedded(Embedded),
}

impl Broker {
    /// A RabbitMQ that is away is no error: connecting goes on in the background, and `ready` of the publisher tells.
    ///
    /// # Errors
    /// Only the embedded broker's, and only what waiting does not mend: wrong ledger, file in use or not to be opened.
    pub(crate) async fn start(
        config: &BrokerConfig,
        ledger: &LedgerUrl,
        gateways: &[GatewayName],
    ) -> Result<Broker, BrokerError> {
        match (&config.url, ledger) {
            (BrokerUrl::Amqp(url), _) => Ok(Broker::Rabbit(Rabbit::start(url, config, gateways))),
            (BrokerUrl::Embedded, LedgerUrl::Sqlite(path)) => Ok(Broker::Embedded(
                Embedded::start(path, config, gateways).await?,
            )),
            (BrokerUrl::Embedded, LedgerUrl::Postgres(_)) => Err(BrokerError::NeedsSqlite),
        }
    }

    pub(crate) fn publisher(&self) -> Arc<dyn Publish> {
        match self {
            Broker::Rabbit(rabbit) => rabbit.publisher(),
            Broker::Embedded(embedded) => embedded.publisher(),
        }
    }

    /// Gives the queue's messages to `handler`, at most `prefetch` at once, until `stop`; returns when no handler runs any
    /// more. Then all verdicts are settled, and what was held or not begun is the broker's again. The caller bounds the wait.
    ///
    /// # Errors
    /// The embedded broker's, when it has no such queue. RabbitMQ's troubles are waited out.
    pub(crate) async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<(), BrokerError> {
        match self {
            Broker::Rabbit(rabbit) => {
                rabbit.consume(queue, prefetch, handler, stop).await;
                Ok(())
            }
            Broker::Embedded(embedded) => embedded.consume(queue, prefetch, handler, stop).await,
        }
    }

    /// How many messages lie in the queue. RabbitMQ counts those ready; the embedded broker those delayed and in hand too.
    ///
    /// # Errors
    /// The broker is away, or has no such queue.
    pub(crate) async fn depth(&self, queue: &Queue) -> Result<u64, BrokerError> {
        match self {
            Broker::Rabbit(rabbit) => rabbit.depth(queue).await,
            Broker::Embedded(embedded) => embedded.depth(queue).await,
        }
    }

    /// Waits, within bounds, until what is being published is confirmed, then disconnects. Consumers must be stopped before.
    pub(crate) async fn close(&self) {
        match self {
            Broker::Rabbit(rabbit) => rabbit.close().await,
            Broker::Embedded(embedded) => embedded.close().await,
        }
    }
}

/// Makes what the topology table demands. Nothing to do for the embedded broker.
///
/// # Errors
/// The broker is away, or something exists with other arguments.
pub(crate) async fn declare(
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<(), BrokerError> {
    match &config.url {
        BrokerUrl::Amqp(url) => rabbit::declare(url, config, gateways).await,
        BrokerUrl::Embedded => Ok(()),
    }
}

/// In what the broker differs from the topology table.
///
/// # Errors
/// The broker is away.
pub(crate) async fn diff(
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<Vec<Difference>, BrokerError> {
    match &config.url {
        BrokerUrl::Amqp(url) => rabbit::diff(url, config, gateways).await,
        BrokerUrl::Embedded => Ok(Vec::new()),
    }
}
