//! What an operator may want to know of the broker before it is used. Nothing is declared, and no message is taken.

use std::path::Path;

use super::topology::Difference;
use super::{BrokerError, embedded, rabbit};
use crate::config::{BrokerConfig, BrokerUrl};
use crate::domain::ids::GatewayName;

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) product: String,
    pub(crate) version: String,
}

/// Whether a message makes its way through a queue that was made for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trial {
    Passed,
    /// The broker takes nothing until its alarm is over.
    Blocked,
    /// The step and the broker's word.
    Failed(String),
}

/// What was found over one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Examined {
    /// From the topology; or why it could not be compared.
    pub(crate) differences: Result<Vec<Difference>, String>,
    pub(crate) trial: Trial,
    /// None where there is no such queue.
    pub(crate) dead_letters: Option<u64>,
}

/// What RabbitMQ says of itself before it knows who asks. None of the embedded broker, behind TLS, and of one that is away.
pub(crate) async fn server(config: &BrokerConfig) -> Option<Server> {
    match &config.url {
        BrokerUrl::Amqp(url) => rabbit::examine::server(url).await,
        BrokerUrl::Embedded => None,
    }
}

/// Looks at RabbitMQ as a process would use it. None of the embedded broker: its file is the ledger's.
///
/// # Errors
/// The broker is away, or does not know the user.
pub(crate) async fn examine(
    config: &BrokerConfig,
    gateways: &[GatewayName],
) -> Result<Option<Examined>, BrokerError> {
    match &config.url {
        BrokerUrl::Amqp(url) => rabbit::examine::examine(url, config, gateways)
            .await
            .map(Some),
        BrokerUrl::Embedded => Ok(None),
    }
}

/// The dead letters of the embedded broker. None before its first start, when there is no file, or no queue in it.
///
/// # Errors
/// The file cannot be read.
pub(crate) async fn embedded_dead_letters(path: &Path) -> Result<Option<u64>, BrokerError> {
    embedded::dead::count(path).await
}
