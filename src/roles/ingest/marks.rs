//! Which payments are in their queue and not yet marked so in the ledger: the marks are written together, later.
//!
//! A mark that is lost with the process does no harm: its payment counts as one that may not be queued, as it would if the
//! process had died a moment earlier. Most payments are begun by a worker before their mark is due, and need none.

use std::collections::HashMap;
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

/// How often each is written: a payment that is being changed at that moment is passed over, and the change may fail.
const TIMES: u8 = 2;

#[derive(Default)]
pub(super) struct Marks(Mutex<HashMap<PaymentId, u8>>);

impl Marks {
    /// The payment's command is confirmed by the broker.
    pub(super) fn note(&self, id: PaymentId) {
        self.waiting().insert(id, 0);
    }

    pub(super) fn knows(&self, id: PaymentId) -> bool {
        self.waiting().contains_key(&id)
    }

    /// Writes marks once a second, and the last ones when `over`.
    pub(super) async fn keep(&self, ledger: &Ledger, over: &CancellationToken) {
        while !over.is_cancelled() {
            tokio::select! {
                () = over.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            self.write(ledger).await;
            ledger.forget_old();
        }
    }

    /// What cannot be written waits for the next time.
    async fn write(&self, ledger: &Ledger) {
        let waiting: Vec<PaymentId> = self.waiting().keys().copied().collect();
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
                let times = waiting.entry(*id).or_default();
                *times = times.saturating_add(1);
                if *times >= TIMES {
                    waiting.remove(id);
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<PaymentId, u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
