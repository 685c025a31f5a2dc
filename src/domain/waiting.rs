//! How many commands wait for one gateway, as far as one ingest knows, and whether it may take one more payment in.

use std::time::Duration;

use super::moment::Moment;

/// So long the last look at the queue counts; then nobody knows, and nothing is refused for it.
const KEEP: Duration = Duration::from_secs(5);

/// Whether one more payment may be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    Admit,
    Shed,
}

/// What became of the intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Began,
    Ended,
    Same,
}

/// What one ingest knows of one gateway's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// 0: as many as there are.
    limit: u64,
    last: Option<Look>,
    /// How many commands this ingest has put into the queue since it started.
    queued: u64,
    /// How many it is about to put there.
    under_way: u64,
    intake: Intake,
}

/// A look at the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    depth: u64,
    /// What this ingest had put there when the look began.
    queued: u64,
    at: Moment,
}

/// The look has begun: what is queued from now on may or may not be in what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    queued: u64,
}

/// Refused from the limit on, admitted again below nine tenths of it, so that it does not flap.
pub(crate) fn decide(waiting: Option<u64>, limit: u64, before: Intake) -> Intake {
    let Some(waiting) = waiting.filter(|_| limit > 0) else {
        return Intake::Admit;
    };
    let (tenths, nine) = (waiting.saturating_mul(10), limit.saturating_mul(9));
    match before {
        Intake::Admit if waiting >= limit => Intake::Shed,
        Intake::Shed if tenths < nine => Intake::Admit,
        Intake::Admit | Intake::Shed => before,
    }
}

impl Waiting {
    pub(crate) fn new(limit: u64) -> Waiting {
        Waiting {
            limit,
            last: None,
            queued: 0,
            under_way: 0,
            intake: Intake::Admit,
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn begin(&self) -> Begun {
        Begun {
            queued: self.queued,
        }
    }

    /// The look that began then shows so many.
    pub(crate) fn seen(&mut self, begun: Begun, depth: u64, at: Moment) {
        self.last = Some(Look {
            depth,
            queued: begun.queued,
            at,
        });
    }

    /// A payment is being taken in. Unless it is over, it counts.
    pub(crate) fn enter(&mut self) {
        self.under_way = self.under_way.saturating_add(1);
    }

    pub(crate) fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A payment's command is in the queue.
    pub(crate) fn queued(&mut self) {
        self.queued = self.queued.saturating_add(1);
    }

    /// Rather too many than too few: the last look, and what this ingest has added or is adding. `None`: nobody knows.
    pub(crate) fn estimate(&self, now: Moment) -> Option<u64> {
        let look = self.last.filter(|look| now.since(look.at) <= KEEP)?;
        let added = self.queued.saturating_sub(look.queued);
        Some(
            look.depth
                .saturating_add(added)
                .saturating_add(self.under_way),
        )
    }

    pub(crate) fn intake(&mut self, now: Moment) -> (Intake, Change) {
        let before = self.intake;
        self.intake = decide(self.estimate(now), self.limit, before);
        let change = match (before, self.intake) {
            (Intake::Admit, Intake::Shed) => Change::Began,
            (Intake::Shed, Intake::Admit) => Change::Ended,
            (Intake::Admit, Intake::Admit) | (Intake::Shed, Intake::Shed) => Change::Same,
        };
        (self.intake, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Intake::{Admit, Shed};

    const NOW: Moment = Moment(1_000_000);

    #[test]
    fn it_refuses_from_the_limit_on_and_admits_again_below_nine_tenths_of_it() {
        for (waiting, limit, before, wanted) in [
            (None, 100, Admit, Admit),
            (None, 100, Shed, Admit),
            (Some(0), 100, Admit, Admit),
            (Some(99), 100, Admit, Admit),
            (Some(100), 100, Admit, Shed),
            (Some(101), 100, Admit, Shed),
            (Some(100), 100, Shed, Shed),
            (Some(90), 100, Shed, Shed),
            (Some(89), 100, Shed, Admit),
            (Some(95), 100, Admit, Admit),
            // The smallest limits also end.
            (Some(1), 1, Admit, Shed),
            (Some(0), 1, Shed, Admit),
            (Some(2), 2, Admit, Shed),
            (Some(1), 2, Shed, Admit),
            // 0 is no limit.
            (Some(u64::MAX), 0, Admit, Admit),
            (Some(u64::MAX), 0, Shed, Admit),
            (Some(u64::MAX), u64::MAX, Shed, Shed),
        ] {
            assert_eq!(
                decide(waiting, limit, before),
                wanted,
                "{waiting:?} of {limit}, {before:?} before"
            );
        }
    }

    #[test]
    fn what_was_added_since_the_look_began_counts_and_what_is_being_added_too() {
        let mut waiting = Waiting::new(10);
        assert_eq!(waiting.estimate(NOW), None);
        waiting.queued();
        let begun = waiting.begin();
        waiting.queued();
        waiting.seen(begun, 5, NOW);
        assert_eq!(waiting.estimate(NOW), Some(6));
        waiting.enter();
        assert_eq!(waiting.estimate(NOW), Some(7));
        waiting.queued();
        waiting.leave();
        assert_eq!(waiting.estimate(NOW), Some(7));
        waiting.seen(waiting.begin(), 2, NOW);
        assert_eq!(waiting.estimate(NOW), Some(2));
    }

    #[test]
    fn an_old_look_counts_for_a_while_and_then_refuses_nothing() {
        let mut waiting = Waiting::new(10);
        waiting.seen(waiting.begin(), 10, NOW);
        let (kept, old) = (NOW.plus(KEEP), NOW.plus(KEEP + Duration::from_millis(1)));
        assert_eq!(waiting.intake(NOW), (Shed, Change::Began));
        assert_eq!(waiting.intake(kept), (Shed, Change::Same));
        assert_eq!(waiting.intake(old), (Admit, Change::Ended));
        assert_eq!(waiting.intake(old), (Admit, Change::Same));
    }
}
