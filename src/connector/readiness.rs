//! What `/readyz` asks: can this process reach its ledger and its broker now?

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use super::Parts;
use crate::broker::Publish;
use crate::ledger::Ledger;
use crate::telemetry::chain::error_chain;
use crate::telemetry::ops;

pub(super) struct Readiness {
    ledger: Arc<OnceLock<Ledger>>,
    publisher: Arc<dyn Publish>,
}

impl Readiness {
    pub(super) fn of(parts: &Parts) -> Readiness {
        Readiness {
            ledger: Arc::clone(&parts.ledger),
            publisher: parts.broker.publisher(),
        }
    }
}

#[async_trait]
impl ops::Readiness for Readiness {
    async fn check(&self) -> Vec<(&'static str, Result<(), String>)> {
        let ledger = match self.ledger.get() {
            Some(ledger) => ledger.ping().await.map_err(|cause| error_chain(&cause)),
            None => Err("not opened yet".to_owned()),
        };
        let broker = match self.publisher.ready() {
            true => Ok(()),
            false => Err("not connected, or blocked".to_owned()),
        };
        vec![("ledger", ledger), ("broker", broker)]
    }
}
