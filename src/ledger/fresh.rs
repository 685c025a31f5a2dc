//! What this process wrote last of a payment, for the next one who takes it up here, moments later.
//!
//! It may be old by the time it is used. So it serves only who writes before acting: a write that was decided on something old
//! meets a conflict, and the payment is read.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Ledger;
use crate::domain::ids::PaymentId;
use crate::domain::payment::Known;

/// The most payments that are kept, some 2 KiB each; of more the oldest are forgotten. More than may wait for a worker before new
/// ones are refused (4,000 by default) and are on their way behind it: what waits longest is taken up next, and if that is what was
/// forgotten, every one has to be read.
const MOST: usize = 6_000;

/// How long one is kept: a new one still has its single-use token.
const MOMENTS: Duration = Duration::from_secs(5);

/// A clone is another hand on the same payments.
#[derive(Clone)]
pub(super) struct Fresh {
    kept: Arc<Mutex<Kept>>,
    most: usize,
}

#[derive(Default)]
struct Kept {
    known: HashMap<PaymentId, (u64, Known)>,
    /// In the order of their coming, with the number under which each came. One that was taken is still named here, until its
    /// turn comes; it may have come again by then, under another number.
    order: VecDeque<(u64, PaymentId, Instant)>,
    came: u64,
}

impl Default for Fresh {
    fn default() -> Fresh {
        Fresh {
            kept: Arc::default(),
            most: MOST,
        }
    }
}

impl Ledger {
    /// For a process of one role: nobody in it takes up what it writes.
    pub(crate) fn alone(mut self) -> Ledger {
        self.fresh.most = 0;
        self
    }

    /// Keeps what was just written of a payment for [`Ledger::expected`].
    pub(crate) fn hand_over(&self, known: Known) {
        self.fresh.put(known);
    }

    /// What this process wrote last of a payment, if that was moments ago, and once. It may be old: it is for those only who
    /// write before they act, so that being wrong is a conflict.
    pub(crate) fn expected(&self, id: PaymentId) -> Option<Known> {
        self.fresh.take(id)
    }

    /// Forgets what nobody here took up.
    pub(crate) fn forget_old(&self) {
        self.fresh.forget_old();
    }
}

impl Fresh {
    fn put(&self, known: Known) {
        let mut kept = self.kept();
        kept.came = kept.came.wrapping_add(1);
        let (number, id) = (kept.came, known.payment.id);
        kept.known.insert(id, (number, known));
        kept.order.push_back((number, id, Instant::now()));
        kept.forget_old(self.most);
    }

    fn forget_old(&self) {
        self.kept().forget_old(self.most);
    }

    fn take(&self, id: PaymentId) -> Option<Known> {
        let taken = self.kept().known.remove(&id);
        taken.map(|(_, known)| known)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget_old(&mut self, most: usize) {
        while let Some((number, oldest, since)) = self.order.front()
            && (self.known.len() > most || since.elapsed() > MOMENTS)
        {
            if let Some((came_last, _)) = self.known.get(oldest)
                && came_last == number
            {
                self.known.remove(oldest);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::payment;
    use super::*;

    fn known(order: u64) -> Known {
        Known {
            payment: payment(order),
            attempts: Vec::new(),
            confirmations: Vec::new(),
        }
    }

    #[test]
    fn what_was_put_last_is_taken_once() {
        let fresh = Fresh::default();
        let mut one = known(1);
        fresh.put(one.clone());
        one.payment.version = 2;
        fresh.put(one.clone());
        assert_eq!(fresh.take(one.payment.id), Some(one.clone()));
        assert_eq!(fresh.take(one.payment.id), None);
    }

    #[test]
    fn those_that_were_taken_take_nobodys_place() {
        let fresh = Fresh::default();
        let first = known(1);
        fresh.put(first.clone());
        for order in (2..).take(2 * MOST) {
            let other = known(order);
            fresh.put(other.clone());
            assert!(fresh.take(other.payment.id).is_some());
        }
        // It comes again: what it was before is forgotten, not what it is now.
        fresh.put(first.clone());
        for other in (1..).map(known).take(MOST - 1) {
            fresh.put(other);
        }
        assert_eq!(fresh.take(first.payment.id), Some(first));
    }

    #[test]
    fn of_too_many_the_oldest_are_forgotten() {
        let fresh = Fresh::default();
        let all: Vec<Known> = (1..).take(MOST + 1).map(known).collect();
        all.iter().cloned().for_each(|one| fresh.put(one));
        assert_eq!(fresh.take(all[0].payment.id), None);
        assert!(
            all[1..]
                .iter()
                .all(|one| fresh.take(one.payment.id).is_some())
        );
    }
}
