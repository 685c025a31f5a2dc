//! What a batch of renewals adds to the payments of a run: the purchase it follows from, the renewals that are due, and how many
//! of them Cleeng has.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::verify::{Renewal, Sent};
use crate::simulator::Recorded;

/// How often it is looked at. Times come from Cleeng's book.
const EVERY: Duration = Duration::from_millis(20);

/// So long without a record, and the rest will not come. All orders are made before the first charge, so it is long.
const STUCK: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(crate) struct Batch(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    bought: Vec<Sent>,
    due: Vec<Renewal>,
    /// The subscriptions of those that Cleeng does not have yet.
    open: HashSet<u64>,
    last: i64,
}

impl Batch {
    pub(crate) fn buy(&self, sent: Sent) {
        self.book().bought.push(sent);
    }

    pub(crate) fn add(&self, due: &[Renewal]) {
        let mut book = self.book();
        book.due.extend_from_slice(due);
        let ids = due.iter().map(|renewal| renewal.subscription_id);
        book.open.extend(ids);
    }

    /// Cleeng's book has these; a second record of one renewal is left to the verification.
    pub(crate) fn recorded(&self, records: &[Recorded]) {
        let mut book = self.book();
        for record in records {
            let of = record.subscription_id;
            if of.is_some_and(|subscription| book.open.remove(&subscription)) {
                book.last = record.at;
            }
        }
    }

    /// Waits until Cleeng has all of them; when it recorded the last one. Nothing when no more come.
    pub(crate) async fn drained(&self) -> Option<i64> {
        let (mut last, mut since) = (usize::MAX, Instant::now());
        loop {
            let (open, at) = {
                let book = self.book();
                (book.open.len(), book.last)
            };
            if open == 0 {
                return Some(at);
            }
            if open != last {
                (last, since) = (open, Instant::now());
            }
            if since.elapsed() > STUCK {
                return None;
            }
            sleep(EVERY).await;
        }
    }

    /// For the verification.
    pub(crate) fn bought(&self) -> Vec<Sent> {
        self.book().bought.clone()
    }

    /// For the verification.
    pub(crate) fn renewals(&self) -> Vec<Renewal> {
        self.book().due.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(subscription_id: u64, at: i64) -> Recorded {
        Recorded {
            external_id: "ch".to_owned(),
            order_id: 1,
            amount: 1,
            captured: true,
            subscription_id: Some(subscription_id),
            at,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_drained_with_its_last_renewal_and_not_with_a_repetition() {
        let batch = Batch::default();
        let due = [5, 6].map(|subscription_id| Renewal {
            subscription_id,
            amount: 1,
        });
        batch.add(&due);
        batch.recorded(&[record(5, 10), record(5, 11), record(7, 12)]);
        assert_eq!(batch.drained().await, None);
        batch.recorded(&[record(6, 20)]);
        assert_eq!(batch.drained().await, Some(20));
    }
}
