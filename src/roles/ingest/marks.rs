//! Which payments are in their queue and not yet marked so in the ledger: the marks are written together, later.
//!
//! A mark that is lost with the process does no harm: its payment counts as one that may not be queued, as it would if the
//! process had died a moment earlier. Most payments are begun by a worker before their mark is due, and need none.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::ids::PaymentId;
use crate::ledger::Ledger;
use crate::telemetry::chain::error_chain;

/// Much less than the ten seconds after which an unmarked payment may lose its order.
const EVERY: Duration = Duration::from_secs(1);

/// The most marks of one statement.
const MOST: usize = 2_000;

#[derive(Default)]
pub(super) struct Marks(Mutex<HashSet<PaymentId>>);

impl Marks {
    /// The payment's command is confirmed by the broker.
    pub(super) fn note(&self, id: PaymentId) {
        self.waiting().insert(id);
    }

    pub(super) fn knows(&self, id: PaymentId) -> bool {
        self.waiting().contains(&id)
    }

    /// Writes marks once a second, and the last ones when `over`.
    pub(super) async fn keep(&self, ledger: &Ledger, over: &CancellationToken) {
        while !over.is_cancelled() {
            tokio::select! {
                () = over.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            self.write(ledger).await;
        }
    }

    /// What cannot be written waits for the next time.
    async fn write(&self, ledger: &Ledger) {
        let waiting: Vec<PaymentId> = self.waiting().iter().copied().collect();
        for ids in waiting.chunks(MOST) {
            if let Err(cause) = ledger.mark_published(ids).await {
                warn!(
                    error = error_chain(&cause),
                    payments = ids.len(),
                    "queued payments could not be marked as queued; it is tried again"
                );
                return;
            }
            let mut waiting = self.waiting();
            for id in ids {
                waiting.remove(id);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<PaymentId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
