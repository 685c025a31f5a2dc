//! What an operator works with at the dead letters: the messages in hand, and what the ledger knows of them.

use std::time::Duration;

use super::DeskError;
use super::letter::Letter;
use crate::broker::{BrokerError, DeadLetters};
use crate::config::{BrokerConfig, Config, LedgerUrl};
use crate::domain::ids::GatewayName;
use crate::ledger::Ledger;

/// What a desk needs to know of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct DeskPlan {
    broker: BrokerConfig,
    ledger_url: LedgerUrl,
    pub(super) gateways: Vec<GatewayName>,
    pub(super) settle_time: Duration,
}

/// A session with the dead letters. Close it: what is held has to go back.
pub(crate) struct Desk {
    pub(super) plan: DeskPlan,
    pub(crate) ledger: Ledger,
    pub(super) letters: DeadLetters,
}

/// What was found at one look.
pub(crate) struct Read {
    /// The longest there first.
    pub(crate) letters: Vec<Letter>,
    /// Whether that is all there is.
    pub(crate) complete: bool,
}

impl DeskPlan {
    pub(crate) fn of(config: &Config) -> DeskPlan {
        DeskPlan {
            broker: config.broker.clone(),
            ledger_url: config.ledger.url.clone(),
            gateways: config.gateway_names(),
            settle_time: config.cleeng.settle_time,
        }
    }

    /// # Errors
    /// The broker is away, or the queues' file cannot be opened.
    pub(crate) async fn letters(&self) -> Result<DeadLetters, BrokerError> {
        DeadLetters::open(&self.broker, &self.ledger_url, &self.gateways).await
    }
}

impl Desk {
    pub(crate) fn new(plan: DeskPlan, letters: DeadLetters, ledger: Ledger) -> Desk {
        Desk {
            plan,
            ledger,
            letters,
        }
    }

    /// The first `scan` messages that are there, each with what it says.
    ///
    /// # Errors
    /// Broker or ledger away.
    pub(crate) async fn read(&mut self, scan: usize) -> Result<Read, DeskError> {
        let mut found = self.letters.fetch(scan).await?;
        let complete = found.len() < scan;
        found.sort_by_key(|dead| dead.parked_at);
        let letters = Letter::read_all(found, &self.ledger).await?;
        Ok(Read { letters, complete })
    }

    /// Gives back what is held. The ledger stays open.
    pub(crate) async fn close(&mut self) {
        self.letters.close().await;
    }
}
