//! Which delivery tags to acknowledge next: a pure decision over the deliveries of one channel.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A finished run shorter than a batch waits this long for more: every acknowledgement is a write to the broker's log, and nobody
/// waits for it.
const IDLE: Duration = Duration::from_millis(20);
/// A delivery that takes longer than this no longer delays the acknowledgement of those behind it.
const SLOW: Duration = Duration::from_millis(100);

/// One acknowledgement to send; it must be answered before the next is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// This one and all before it.
    UpTo(u64),
    One(u64),
}

/// The unacknowledged deliveries, in the order of their tags.
#[derive(Debug)]
pub(super) struct Acks {
    batch: usize,
    open: VecDeque<Entry>,
    last_finish: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    tag: u64,
    arrived: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Finished,
    /// Acknowledged alone, before its elders.
    Acked,
    /// Never to be acknowledged.
    Left,
}

impl Acks {
    pub(super) fn new(batch: usize) -> Acks {
        Acks {
            batch: batch.max(1),
            open: VecDeque::new(),
            last_finish: None,
        }
    }

    pub(super) fn arrived(&mut self, tag: u64, now: Instant) {
        self.open.push_back(Entry {
            tag,
            arrived: now,
            state: State::Running,
        });
    }

    pub(super) fn finished(&mut self, tag: u64, now: Instant) {
        self.last_finish = Some(now);
        self.set(tag, State::Finished);
    }

    pub(super) fn left(&mut self, tag: u64) {
        self.set(tag, State::Left);
    }

    /// How many are still in a handler.
    pub(super) fn running(&self) -> usize {
        self.open
            .iter()
            .filter(|entry| entry.state == State::Running)
            .count()
    }

    /// What is to be acknowledged now; taken as done with the call. `flush` waits for nothing.
    pub(super) fn due(&mut self, now: Instant, flush: bool) -> Option<Ack> {
        self.prefix(now, flush)
            .or_else(|| self.behind_a_slow_one(now, flush))
    }

    /// When to ask again, if nothing happens before.
    pub(super) fn wake(&self) -> Option<Instant> {
        let head = self.open.front()?;
        match head.state {
            State::Finished | State::Acked => self.last_finish.and_then(|at| at.checked_add(IDLE)),
            State::Running | State::Left => {
                let waiting = self.open.iter().any(|entry| entry.state == State::Finished);
                head.arrived.checked_add(SLOW).filter(|_| waiting)
            }
        }
    }

    fn prefix(&mut self, now: Instant, flush: bool) -> Option<Ack> {
        let done = self
            .open
            .iter()
            .take_while(|entry| matches!(entry.state, State::Finished | State::Acked))
            .count();
        let idle = self
            .last_finish
            .is_none_or(|at| now.saturating_duration_since(at) >= IDLE);
        if done == 0 || !(flush || idle || done >= self.batch) {
            return None;
        }
        // The broker no longer knows a tag that was acknowledged alone: name the last one that it does.
        let last = self
            .open
            .drain(..done)
            .rfind(|entry| entry.state == State::Finished);
        last.map(|entry| Ack::UpTo(entry.tag))
    }

    fn behind_a_slow_one(&mut self, now: Instant, flush: bool) -> Option<Ack> {
        let head = self.open.front()?;
        let blocks = matches!(head.state, State::Running | State::Left);
        if !blocks || !(flush || now.saturating_duration_since(head.arrived) >= SLOW) {
            return None;
        }
        let entry = self
            .open
            .iter_mut()
            .find(|entry| entry.state == State::Finished)?;
        entry.state = State::Acked;
        Some(Ack::One(entry.tag))
    }

    fn set(&mut self, tag: u64, state: State) {
        let found = self.open.binary_search_by_key(&tag, |entry| entry.tag);
        if let Some(entry) = found.ok().and_then(|at| self.open.get_mut(at)) {
            entry.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn acks(tags: u64, now: Instant) -> Acks {
        let mut acks = Acks::new(4);
        (1..=tags).for_each(|tag| acks.arrived(tag, now));
        acks
    }

    #[test]
    fn a_batch_is_acknowledged_at_once_and_a_rest_after_a_moment() {
        let now = Instant::now();
        let mut acks = acks(6, now);
        (1..=3).for_each(|tag| acks.finished(tag, now));
        assert_eq!(acks.due(now, false), None);
        assert_eq!(acks.wake(), Some(now + IDLE));
        acks.finished(4, now);
        assert_eq!(acks.due(now, false), Some(Ack::UpTo(4)));
        acks.finished(5, now);
        assert_eq!(acks.due(now, false), None);
        assert_eq!(acks.due(now + IDLE, false), Some(Ack::UpTo(5)));
        assert_eq!((acks.due(now + 2 * IDLE, false), acks.wake()), (None, None));
        assert_eq!(acks.running(), 1);
    }

    #[test]
    fn a_slow_delivery_does_not_delay_those_behind_it_for_long() {
        let now = Instant::now();
        let mut acks = acks(4, now);
        acks.finished(2, now);
        acks.finished(4, now);
        assert_eq!(acks.due(now + 50 * MS, false), None);
        assert_eq!(acks.wake(), Some(now + 100 * MS));
        let late = now + 100 * MS;
        assert_eq!(acks.due(late, false), Some(Ack::One(2)));
        assert_eq!(acks.due(late, false), Some(Ack::One(4)));
        assert_eq!((acks.due(late, false), acks.wake()), (None, None));
        // 4 is gone already: the next multiple one must not name it.
        acks.finished(1, late);
        acks.finished(3, late);
        assert_eq!(acks.due(late, false), Some(Ack::UpTo(3)));
        assert_eq!(acks.due(late, true), None);
    }

    #[test]
    fn a_prefix_that_was_acknowledged_one_by_one_needs_nothing_more() {
        let now = Instant::now();
        let mut acks = acks(2, now);
        acks.finished(2, now);
        let late = now + 100 * MS;
        assert_eq!(acks.due(late, false), Some(Ack::One(2)));
        acks.finished(1, late);
        assert_eq!(acks.due(late, true), Some(Ack::UpTo(1)));
        assert_eq!((acks.due(late, true), acks.wake()), (None, None));
    }

    #[test]
    fn what_was_left_is_never_covered_by_another_acknowledgement() {
        let now = Instant::now();
        let mut acks = acks(3, now);
        acks.finished(1, now);
        acks.left(2);
        acks.finished(3, now);
        assert_eq!(acks.due(now, true), Some(Ack::UpTo(1)));
        assert_eq!(acks.due(now, true), Some(Ack::One(3)));
        assert_eq!(acks.due(now, true), None);
    }
}
