//! Which payments are in their queue and not yet marked so in the ledger: the marks are written together, later.
//!
//! A mark that is lost with the process does no harm: its payment counts as one that may not be queued, as it would if the
//! process had died a moment earlier. Most payments are begun by a worker before their mark is due, and need none: that is why
//! it is not due at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::ids::PaymentId;
use crate::ledger::Ledger;
use crate::telemetry::chain::error_chain;

/// Three rounds are much less than the ten seconds after which an unmarked payment may lose its order.
const EVERY: Duration = Duration::from_secs(1);

/// The most marks of one statement.
const MOST: usize = 2_000;

/// How far a payment's mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Noted,
    /// It has waited for a whole round: it is due.
    Due,
    /// It was written, and is once more: a payment that is being changed at that moment is passed over, and the change may fail.
    Written,
}

#[derive(Default)]
pub(super) struct Marks(Mutex<HashMap<PaymentId, Round>>);

impl Marks {
    /// The payment's command is confirmed by the broker.
    pub(super) fn note(&self, id: PaymentId) {
        self.waiting().insert(id, Round::Noted);
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
            self.write(ledger, over.is_cancelled()).await;
            ledger.forget_old();
        }
    }

    /// What cannot be written waits for the next time.
    async fn write(&self, ledger: &Ledger, last: bool) {
        for ids in self.due(last).chunks(MOST) {
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
                if waiting.insert(*id, Round::Written) == Some(Round::Written) {
                    waiting.remove(id);
                }
            }
        }
    }

    /// Those that are due, and with the `last` round all; what was only noted is due in the next one.
    fn due(&self, last: bool) -> Vec<PaymentId> {
        let mut due = Vec::new();
        for (id, round) in self.waiting().iter_mut() {
            match (*round, last) {
                (Round::Noted, false) => *round = Round::Due,
                (Round::Noted, true) | (Round::Due | Round::Written, _) => due.push(*id),
            }
        }
        due
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<PaymentId, Round>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_mark_is_due_a_round_after_it_was_noted_and_at_the_end_at_once() {
        let marks = Marks::default();
        let id = |number| PaymentId(Uuid::from_u128(number));
        marks.note(id(1));
        assert_eq!(marks.due(false), []);
        marks.note(id(2));
        assert_eq!(marks.due(false), [id(1)]);
        marks.note(id(3));
        let mut all = marks.due(true);
        all.sort();
        assert_eq!(all, [1, 2, 3].map(id));
        assert!(marks.knows(id(3)));
    }
}
