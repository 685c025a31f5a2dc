//! Every payment of a run: when it was due, what was answered, when Cleeng had it. One slot each, found by its order's id.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::verify::{Answer, Sent};
use crate::simulator::{Recorded, standing_total};

/// The first order of a run, and how many there may be.
pub(crate) const FIRST_ORDER: u64 = 700_000_000_000;
pub(crate) const ORDERS: u64 = 100_000_000;

/// How a submission was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted(Uuid),
    /// This status; 503 and 429 say that it was too much.
    Refused(u16),
    /// No answer came.
    Lost,
}

/// One payment; times are microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// When it should have been sent: the latency that counts begins here, late sending included.
    pub(crate) due: i64,
    pub(crate) answered: Option<(i64, Fate)>,
    pub(crate) confirmed: Option<i64>,
}

/// A stretch of the clock, microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What happened in a window.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    /// By status.
    pub(crate) refused: BTreeMap<u16, u64>,
    pub(crate) lost: u64,
    pub(crate) confirmed: u64,
    /// From when it was due to the 202, in microseconds, of those due in the window; then the two ways to see the rest.
    pub(crate) accept: Vec<u32>,
    pub(crate) accepted_to_confirmed: Vec<u32>,
    pub(crate) due_to_confirmed: Vec<u32>,
}

#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    slots: Vec<Slot>,
    accepted: u64,
    confirmed: u64,
}

impl Window {
    fn holds(self, moment: i64) -> bool {
        (self.from..self.to).contains(&moment)
    }

    pub(crate) fn seconds(self) -> f64 {
        let micros = u64::try_from(self.to.saturating_sub(self.from)).unwrap_or(0);
        std::time::Duration::from_micros(micros).as_secs_f64()
    }
}

impl Tally {
    /// A new payment's order.
    pub(crate) fn begin(&self, due: i64) -> u64 {
        let mut book = self.book();
        book.slots.push(Slot {
            due,
            answered: None,
            confirmed: None,
        });
        let place = u64::try_from(book.slots.len()).unwrap_or(u64::MAX);
        FIRST_ORDER.saturating_add(place).saturating_sub(1)
    }

    pub(crate) fn answered(&self, order: u64, at: i64, fate: Fate) {
        let mut book = self.book();
        if let Fate::Accepted(_) = fate {
            book.accepted = book.accepted.saturating_add(1);
        }
        if let Some(slot) = place(order).and_then(|place| book.slots.get_mut(place)) {
            slot.answered = Some((at, fate));
        }
    }

    /// Cleeng's book has these; a second record of one order is left to the verification.
    pub(crate) fn confirmed(&self, records: &[Recorded]) {
        let mut book = self.book();
        for record in records {
            book.confirm(record.order_id, record.at);
        }
    }

    pub(crate) fn confirmed_one(&self, order: u64, at: i64) {
        self.book().confirm(order, at);
    }

    /// Accepted so far, and confirmed.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let book = self.book();
        (book.accepted, book.confirmed)
    }

    pub(crate) fn count(&self, window: Window) -> Counts {
        let book = self.book();
        let mut counts = Counts::default();
        for slot in &book.slots {
            if slot.confirmed.is_some_and(|at| window.holds(at)) {
                counts.confirmed = counts.confirmed.saturating_add(1);
            }
            if window.holds(slot.due) {
                counts.take(slot);
            }
        }
        counts
    }

    /// For the verification.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        let book = self.book();
        let orders = FIRST_ORDER..;
        let answers = book.slots.iter().map(|slot| match slot.answered {
            Some((_, Fate::Accepted(id))) => Answer::Accepted(id),
            Some((_, Fate::Refused(_))) => Answer::Refused,
            Some((_, Fate::Lost)) | None => Answer::Lost,
        });
        orders
            .zip(answers)
            .map(|(order_id, answer)| Sent {
                order_id,
                amount: standing_total(order_id),
                answer,
            })
            .collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn confirm(&mut self, order: u64, at: i64) {
        let slot = place(order).and_then(|place| self.slots.get_mut(place));
        if let Some(slot) = slot.filter(|slot| slot.confirmed.is_none()) {
            slot.confirmed = Some(at);
            self.confirmed = self.confirmed.saturating_add(1);
        }
    }
}

impl Counts {
    fn take(&mut self, slot: &Slot) {
        self.sent = self.sent.saturating_add(1);
        let one_more = |count: &mut u64| *count = count.saturating_add(1);
        let Some((answered, fate)) = slot.answered else {
            return one_more(&mut self.lost);
        };
        match fate {
            Fate::Refused(status) => one_more(self.refused.entry(status).or_default()),
            Fate::Lost => one_more(&mut self.lost),
            Fate::Accepted(_) => {
                one_more(&mut self.accepted);
                self.accept.push(span(slot.due, answered));
                if let Some(confirmed) = slot.confirmed {
                    self.accepted_to_confirmed.push(span(answered, confirmed));
                    self.due_to_confirmed.push(span(slot.due, confirmed));
                }
            }
        }
    }
}

fn place(order: u64) -> Option<usize> {
    usize::try_from(order.checked_sub(FIRST_ORDER)?).ok()
}

/// A confirmation may come before the answer to the request; that is no time at all.
fn span(from: i64, to: i64) -> u32 {
    u32::try_from(to.saturating_sub(from).max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(order_id: u64, at: i64) -> Recorded {
        Recorded {
            external_id: "ch".to_owned(),
            order_id,
            amount: 1,
            captured: true,
            subscription_id: None,
            at,
        }
    }

    #[test]
    fn latencies_count_from_when_a_payment_was_due() {
        let tally = Tally::default();
        let one = tally.begin(1_000);
        let two = tally.begin(2_000);
        let shed = tally.begin(3_000);
        tally.answered(one, 1_500, Fate::Accepted(Uuid::nil()));
        tally.answered(two, 2_700, Fate::Accepted(Uuid::nil()));
        tally.answered(shed, 3_001, Fate::Refused(503));
        // Before its own answer; and twice.
        tally.confirmed(&[record(one, 1_400), record(two, 9_000), record(two, 9_500)]);
        let counts = tally.count(Window { from: 0, to: 5_000 });
        assert_eq!(
            (counts.sent, counts.accepted, counts.refused[&503]),
            (3, 2, 1)
        );
        assert_eq!(counts.confirmed, 1);
        assert_eq!(counts.accept, [500, 700]);
        assert_eq!(counts.accepted_to_confirmed, [0, 6_300]);
        assert_eq!(counts.due_to_confirmed, [400, 7_000]);
        assert_eq!(tally.totals(), (2, 2));
    }

    #[test]
    fn what_is_due_outside_the_window_does_not_count() {
        let tally = Tally::default();
        for due in [999, 1_000, 1_999, 2_000] {
            let order = tally.begin(due);
            tally.answered(order, due + 1, Fate::Accepted(Uuid::nil()));
        }
        let counts = tally.count(Window {
            from: 1_000,
            to: 2_000,
        });
        assert_eq!(counts.accept, [1, 1]);
    }

    #[test]
    fn an_unanswered_payment_is_lost_and_its_amount_is_the_orders() {
        let tally = Tally::default();
        let order = tally.begin(0);
        let sent = tally.sent();
        assert_eq!(sent[0].answer, Answer::Lost);
        assert_eq!(
            (sent[0].order_id, sent[0].amount),
            (order, standing_total(order))
        );
    }
}
