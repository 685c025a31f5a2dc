//! RabbitMQ as a broker: supervised sessions, separate connections for publishing and consuming, nothing acknowledged early.

use std::sync::Arc;
use std::time::Duration;

use lapin::Connection;
use secrecy::SecretString;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::consumer::Consume;
use self::link::LinkError;
use self::publisher::RabbitPublisher;
use super::topology::{Difference, Topology, queue_name};
use super::{BrokerError, Handler, Publish, PublishError, Queue};
use crate::config::{BrokerConfig, BrokerTls};
use crate::domain::ids::GatewayName;

mod acks;
mod confirms;
mod consumer;
pub(super) mod dead;
mod declare;
pub(super) mod examine;
mod link;
mod publisher;
mod wire;

/// Beyond the time that publishes may take: what closing the connections may take.
const CLOSE_EXTRA: Duration = Duration::from_secs(3);

/// What every session needs to know.
pub(super) struct Setup {
    url: SecretString,
    tls: BrokerTls,
    prefix: String,
    topology: Topology,
    publish_timeout: Duration,
    window: usize,
}

/// The client of one RabbitMQ, connected or not.
pub(crate) struct Rabbit {
    setup: Arc<Setup>,
    publisher: Arc<RabbitPublisher>,
    closing: CancellationToken,
    tracker: TaskTracker,
}

impl Setup {
    fn new(url: &SecretString, config: &BrokerConfig, gateways: &[GatewayName]) -> Setup {
        Setup {
            url: url.clone(),
            tls: config.tls.clone(),
            prefix: config.prefix.clone(),
            topology: Topology::new(&config.prefix, gateways),
            publish_timeout: config.publish_timeout,
            window: config.publish_window,
        }
    }

    /// A connection with a name that the management page shows.
    async fn connect(&self, purpose: &str) -> Result<Connection, LinkError> {
        link::connect(&self.url, &self.tls, format!("{} {purpose}", self.prefix)).await
    }
}

impl Rabbit {
    /// Returns at once; connecting goes on in the background for as long as it takes.
    pub(super) fn start(
        url: &SecretString,
        config: &BrokerConfig,
        gateways: &[GatewayName],
    ) -> Rabbit {
        let setup = Arc::new(Setup::new(url, config, gateways));
        let (closing, tracker) = (CancellationToken::new(), TaskTracker::new());
        let publisher = RabbitPublisher::start(setup.clone(), closing.clone(), &tracker);
        Rabbit {
            setup,
            publisher: Arc::new(publisher),
            closing,
            tracker,
        }
    }

    pub(super) fn publisher(&self) -> Arc<dyn Publish> {
        self.publisher.clone()
    }

    pub(super) async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) {
        let consume = Consume {
            setup: self.setup.clone(),
            queue,
            prefetch,
            handler,
            publisher: self.publisher(),
            stop,
        };
        consume.run().await;
    }

    pub(super) async fn depth(&self, queue: &Queue) -> Result<u64, BrokerError> {
        let connection = self.publisher.connection().map_err(|error| match error {
            PublishError::Away(reason) => BrokerError::Away(reason),
            other
            @ (PublishError::Unroutable | PublishError::Rejected | PublishError::TimedOut) => {
                BrokerError::Away(other.to_string())
            }
        })?;
        let name = queue_name(&self.setup.prefix, queue);
        declare::depth(&connection, &name)
            .await?
            .ok_or(BrokerError::UnknownQueue(name))
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tracker.close();
        let patience = self.setup.publish_timeout.saturating_add(CLOSE_EXTRA);
        if timeout(patience, self.tracker.wait()).await.is_err() {
            tracing::warn!("RabbitMQ's connections did not close in time");
        }
    }
}

/// Declares the topology over a connection of its own, for the command line.
pub(super) async fn declare(
    url: &SecretString,
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<(), BrokerError> {
    let setup = Setup::new(url, config, gateways);
    let connection = setup.connect("topology").await?;
    let declared = declare::declare(&connection, &setup.topology).await;
    link::close(&connection).await;
    Ok(declared?)
}

/// In what the broker differs from the table. Bindings cannot be looked at over AMQP: `declare` makes them anew.
pub(super) async fn diff(
    url: &SecretString,
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<Vec<Difference>, BrokerError> {
    let setup = Setup::new(url, config, gateways);
    let connection = setup.connect("topology").await?;
    let differences = declare::diff(&connection, &setup.topology).await;
    link::close(&connection).await;
    Ok(differences?)
}

impl From<LinkError> for BrokerError {
    fn from(error: LinkError) -> BrokerError {
        match error {
            LinkError::Incompatible { name, detail } => BrokerError::Incompatible { name, detail },
            LinkError::BadUrl => BrokerError::BadUrl,
            other @ (LinkError::Late(_)
            | LinkError::Failed { .. }
            | LinkError::Unbelieved(_)
            | LinkError::LongName
            | LinkError::Cancelled
            | LinkError::Broken(_)) => BrokerError::Away(other.to_string()),
        }
    }
}
