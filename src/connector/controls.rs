//! Reads again and again what operators have paused, so that every process obeys within seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::pause::{Pause, Side};
use crate::ledger::{Ledger, LedgerError};
use crate::telemetry::chain::error_chain;

/// Together with the ledger's time-out less than the five seconds that are promised.
const EVERY: Duration = Duration::from_secs(2);

/// What is paused, as it was last read. Before the first reading nobody knows, and nothing is consumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Controls(Option<BTreeMap<Side, Pause>>);

impl Controls {
    pub(super) fn is_read(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn pause(&self, side: &Side) -> Option<&Pause> {
        self.0.as_ref()?.get(side)
    }
}

/// Keeps `controls` up to date until `stop`. While the ledger cannot be read, what was read last holds.
pub(super) async fn watch(
    ledger: &Ledger,
    controls: &watch::Sender<Controls>,
    stop: &CancellationToken,
) {
    let mut told = false;
    loop {
        match read(ledger, controls).await {
            Ok(()) => told = false,
            Err(cause) if !told => {
                told = true;
                warn!(
                    error = error_chain(&cause),
                    "what operators have paused cannot be read; what was read last holds"
                );
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn read(ledger: &Ledger, controls: &watch::Sender<Controls>) -> Result<(), LedgerError> {
    let pauses = ledger.pauses().await?.into_iter();
    let read = Controls(Some(
        pauses.map(|pause| (pause.side.clone(), pause)).collect(),
    ));
    controls.send_if_modified(|known| {
        let news = *known != read;
        *known = read;
        news
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LedgerConfig, LedgerUrl};
    use crate::domain::moment::Moment;

    #[tokio::test]
    async fn while_the_ledger_is_away_the_last_pauses_hold() {
        let folder = std::env::temp_dir().join(format!("controls-{}", uuid::Uuid::new_v4()));
        let config = LedgerConfig {
            url: LedgerUrl::Sqlite(folder.join("ledger.sqlite")),
            max_connections: 1,
            timeout: Duration::from_secs(5),
        };
        let ledger = Ledger::open(&config).await.unwrap();
        let controls = watch::Sender::new(Controls::default());
        assert!(!controls.borrow().is_read());
        let side = Side::Confirmations;
        ledger.pause(&side, None, Moment(1)).await.unwrap();
        read(&ledger, &controls).await.unwrap();
        ledger.resume(&side).await.unwrap();
        ledger.close().await;
        assert!(read(&ledger, &controls).await.is_err());
        assert!(controls.borrow().pause(&side).is_some());
        let ledger = Ledger::open(&config).await.unwrap();
        read(&ledger, &controls).await.unwrap();
        assert!(controls.borrow().is_read() && controls.borrow().pause(&side).is_none());
        ledger.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
