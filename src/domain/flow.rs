//! How much went through, minute by minute: counted in each process, added up over all of them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// How many minutes are kept.
pub(crate) const MINUTES: usize = 30;
const MILLIS: i64 = 60_000;

/// What happened how often. A field that a process of another version does not tell counts as nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counts {
    /// Payments taken in.
    pub(crate) accepted: u64,
    /// Definite answers of gateways, to requests and to reads.
    pub(crate) answered: u64,
    /// Of them, those that say no.
    pub(crate) declined: u64,
    /// Calls to a gateway without a definite answer.
    pub(crate) failed: u64,
    /// What Cleeng has been told.
    pub(crate) told: u64,
    /// Messages that wait for another try.
    pub(crate) retried: u64,
    /// Messages given to the operator.
    pub(crate) parked: u64,
    /// How long `spans` payments took from their acceptance until Cleeng was told, together.
    pub(crate) span_millis: u64,
    pub(crate) spans: u64,
}

impl Counts {
    /// Field by field; stays at the end of the range.
    pub(crate) fn plus(self, other: Counts) -> Counts {
        self.with(other, u64::saturating_add)
    }

    /// What is more than in `earlier`, field by field.
    pub(crate) fn since(self, earlier: Counts) -> Counts {
        self.with(earlier, u64::saturating_sub)
    }

    fn with(self, other: Counts, join: impl Fn(u64, u64) -> u64) -> Counts {
        Counts {
            accepted: join(self.accepted, other.accepted),
            answered: join(self.answered, other.answered),
            declined: join(self.declined, other.declined),
            failed: join(self.failed, other.failed),
            told: join(self.told, other.told),
            retried: join(self.retried, other.retried),
            parked: join(self.parked, other.parked),
            span_millis: join(self.span_millis, other.span_millis),
            spans: join(self.spans, other.spans),
        }
    }
}

/// The last minutes, each with its counts; the newest is last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Flow {
    /// The minute of the last one, counted from 1970.
    last: i64,
    minutes: VecDeque<Counts>,
}

impl Flow {
    /// Nothing has happened in the minutes that end with `now`.
    pub(crate) fn empty(now: Moment) -> Flow {
        Flow {
            last: minute(now),
            minutes: std::iter::repeat_n(Counts::default(), MINUTES).collect(),
        }
    }

    /// Adds what has happened up to `now` to its minute, and forgets what is too old.
    pub(crate) fn add(&mut self, counts: Counts, now: Moment) {
        self.advance(minute(now));
        if let Some(newest) = self.minutes.back_mut() {
            *newest = newest.plus(counts);
        }
    }

    /// Adds another process's minutes to the same minutes of this one; those that this one does not show are left out.
    pub(crate) fn merge(&mut self, other: &Flow) {
        for (age, counts) in (0..).zip(other.minutes.iter().rev()) {
            let place = self.last.saturating_sub(other.last.saturating_sub(age));
            let place = usize::try_from(place).ok();
            let own = place.and_then(|place| self.minutes.iter_mut().rev().nth(place));
            if let Some(own) = own {
                *own = own.plus(*counts);
            }
        }
    }

    /// The oldest minute first; there are always [`MINUTES`] of them, the one under way included.
    pub(crate) fn minutes(&self) -> impl DoubleEndedIterator<Item = &Counts> {
        self.minutes.iter()
    }

    fn advance(&mut self, to: i64) {
        let missing = usize::try_from(to.saturating_sub(self.last)).unwrap_or(0);
        for _ in 0..missing.min(MINUTES) {
            self.minutes.push_back(Counts::default());
        }
        while self.minutes.len() > MINUTES {
            self.minutes.pop_front();
        }
        self.last = self.last.max(to);
    }
}

fn minute(at: Moment) -> i64 {
    at.0.div_euclid(MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_767_323_045_678;

    fn accepted(count: u64) -> Counts {
        Counts {
            accepted: count,
            ..Counts::default()
        }
    }

    fn shown(flow: &Flow) -> Vec<u64> {
        flow.minutes().map(|counts| counts.accepted).collect()
    }

    fn after(minutes: i64) -> Moment {
        Moment(AT.saturating_add(minutes.saturating_mul(MILLIS)))
    }

    #[test]
    fn each_minute_has_its_own_counts_and_the_oldest_are_forgotten() {
        let mut flow = Flow::empty(after(0));
        flow.add(accepted(2), after(0));
        flow.add(accepted(3), after(0));
        flow.add(accepted(7), after(2));
        assert_eq!(shown(&flow)[MINUTES - 3..], [5, 0, 7]);
        flow.add(accepted(1), after(29));
        assert_eq!((shown(&flow)[0], shown(&flow).len()), (5, MINUTES));
        flow.add(accepted(1), after(30));
        assert_eq!(shown(&flow)[0], 0);
        // A night later nothing of it is left, and no time was spent on it.
        flow.add(accepted(9), after(1_000_000));
        assert_eq!(shown(&flow).iter().sum::<u64>(), 9);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut flow = Flow::empty(after(5));
        flow.add(accepted(1), after(0));
        assert_eq!(shown(&flow)[MINUTES - 1], 1);
    }

    #[test]
    fn processes_are_added_up_minute_by_minute() {
        let mut all = Flow::empty(after(10));
        let mut one = Flow::empty(after(10));
        one.add(accepted(1), after(10));
        let mut late = Flow::empty(after(8));
        late.add(accepted(4), after(8));
        let mut gone = Flow::empty(after(-60));
        gone.add(accepted(100), after(-60));
        let mut ahead = Flow::empty(after(11));
        ahead.add(accepted(50), after(11));
        for flow in [&one, &late, &gone, &ahead] {
            all.merge(flow);
        }
        assert_eq!(shown(&all)[MINUTES - 3..], [4, 0, 1]);
        assert_eq!(shown(&all).iter().sum::<u64>(), 5);
    }

    #[test]
    fn what_a_process_tells_is_read_back_and_an_older_ones_gaps_are_nothing() {
        let mut flow = Flow::empty(after(0));
        flow.add(accepted(2), after(0));
        let text = serde_json::to_string(&flow).unwrap();
        assert_eq!(serde_json::from_str::<Flow>(&text).unwrap(), flow);
        let sparse: Counts = serde_json::from_str(r#"{"accepted":2,"newer":1}"#).unwrap();
        assert_eq!(sparse, accepted(2));
    }

    #[test]
    fn only_what_is_more_than_before_is_new() {
        assert_eq!(accepted(5).since(accepted(3)), accepted(2));
        // A counter that began anew is not negative.
        assert_eq!(accepted(1).since(accepted(3)), accepted(0));
    }
}
