//! How fast one client may send: a bucket that fills evenly, kept as one number (the generic cell rate algorithm).

use std::num::NonZeroU32;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// So many requests a second on the long run, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Nanoseconds from one request to the next.
    gap: u64,
    burst: NonZeroU32,
}

/// What a client has used: when it may do everything again that it may do at once. Nanoseconds after any fixed moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Used(u64);

/// Whether one more request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Taken(Standing),
    /// None sooner than after `wait`.
    Refused {
        wait: Duration,
        standing: Standing,
    },
}

/// What a client may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests that would be taken now.
    pub(crate) left: u32,
    /// Until it may do everything again that it may do at once.
    pub(crate) whole_after: Duration,
}

impl Rate {
    pub(crate) fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Rate {
        let gap = SECOND.div_ceil(u64::from(per_second.get()));
        Rate { gap, burst }
    }

    /// How many may come at once.
    pub(crate) fn burst(self) -> u32 {
        self.burst.get()
    }

    /// In which time as many come back as may come at once.
    pub(crate) fn window(self) -> Duration {
        Duration::from_nanos(self.capacity())
    }

    fn capacity(self) -> u64 {
        self.gap.saturating_mul(u64::from(self.burst.get()))
    }

    /// One request at `now`, after the same fixed moment. A refused one uses nothing.
    pub(crate) fn ask(self, used: Used, now: Duration) -> (Used, Turn) {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let before = used.0.max(now);
        let after = before.saturating_add(self.gap);
        match after.saturating_sub(now).checked_sub(self.capacity()) {
            None | Some(0) => (Used(after), Turn::Taken(self.standing(after, now))),
            Some(too_early) => {
                let turn = Turn::Refused {
                    wait: Duration::from_nanos(too_early),
                    standing: self.standing(before, now),
                };
                (used, turn)
            }
        }
    }

    fn standing(self, used: u64, now: u64) -> Standing {
        let owed = used.saturating_sub(now);
        let left = self.capacity().saturating_sub(owed).checked_div(self.gap);
        Standing {
            left: left.and_then(|left| u32::try_from(left).ok()).unwrap_or(0),
            whole_after: Duration::from_nanos(owed),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "the times and numbers of a test are small"
    )]

    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        let number = |number| NonZeroU32::new(number).unwrap();
        Rate::new(number(per_second), number(burst))
    }

    /// Whether each request was taken, of requests with these pauses before them.
    fn run(rate: Rate, pauses: &[u64]) -> Vec<(Duration, Turn)> {
        let mut used = Used::default();
        let mut now = Duration::from_secs(7);
        pauses
            .iter()
            .map(|pause| {
                now += Duration::from_micros(*pause);
                let (after, turn) = rate.ask(used, now);
                used = after;
                (now, turn)
            })
            .collect()
    }

    #[test]
    fn a_burst_is_taken_and_then_one_for_each_gap() {
        let rate = rate(10, 3);
        let turns = run(rate, &[0, 0, 0, 0, 99_999, 1, 0]);
        let taken: Vec<bool> = turns
            .iter()
            .map(|(_, turn)| matches!(turn, Turn::Taken(_)))
            .collect();
        assert_eq!(taken, [true, true, true, false, false, true, false]);
        assert_eq!(
            turns[0].1,
            Turn::Taken(Standing {
                left: 2,
                whole_after: Duration::from_millis(100)
            })
        );
        assert_eq!(
            turns[3].1,
            Turn::Refused {
                wait: Duration::from_millis(100),
                standing: Standing {
                    left: 0,
                    whole_after: Duration::from_millis(300)
                }
            }
        );
        assert_eq!(
            (rate.burst(), rate.window()),
            (3, Duration::from_millis(300))
        );
    }

    proptest! {
        #[test]
        fn in_no_time_more_than_a_burst_and_the_rate_is_taken(
            per_second in 1u32..2_000, burst in 1u32..50, pauses in prop::collection::vec(0u64..400_000, 1..200)
        ) {
            let taken: Vec<Duration> = run(rate(per_second, burst), &pauses)
                .into_iter()
                .filter(|(_, turn)| matches!(turn, Turn::Taken(_)))
                .map(|(at, _)| at)
                .collect();
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let (count, span) = (last - first + 1, *to - *from);
                    // In requests times nanoseconds a second, so that nothing is rounded.
                    let most = u128::from(burst) * 1_000_000_000 + span.as_nanos() * u128::from(per_second);
                    prop_assert!(u128::try_from(count).unwrap() * 1_000_000_000 <= most, "{} in {:?}", count, span);
                }
            }
        }

        #[test]
        fn a_refused_request_is_taken_after_the_wait_and_no_sooner(
            per_second in 1u32..20_000, burst in 1u32..50, more in 1u32..20
        ) {
            let rate = rate(per_second, burst);
            let mut used = Used::default();
            let now = Duration::from_secs(3);
            for _ in 0..burst {
                used = rate.ask(used, now).0;
            }
            for _ in 0..more {
                let (after, Turn::Refused { wait, standing }) = rate.ask(used, now) else { panic!("taken") };
                prop_assert_eq!(after, used);
                prop_assert_eq!(standing.left, 0);
                prop_assert!(wait <= standing.whole_after);
                let (_, too_early) = rate.ask(used, now + wait - Duration::from_nanos(1));
                prop_assert!(!matches!(too_early, Turn::Taken(_)));
                let (after, Turn::Taken(_)) = rate.ask(used, now + wait) else { panic!("refused") };
                prop_assert!(after > used);
            }
        }

        #[test]
        fn who_keeps_to_the_rate_is_never_refused(per_second in 1u32..5_000, burst in 1u32..20, late in prop::collection::vec(0u64..1_000, 1..100)) {
            let gap = 1_000_000u64.div_ceil(u64::from(per_second));
            let pauses: Vec<u64> = late.iter().map(|late| gap + late).collect();
            for (_, turn) in run(rate(per_second, burst), &pauses) {
                prop_assert!(matches!(turn, Turn::Taken(_)));
            }
        }

        #[test]
        fn what_is_left_is_what_would_be_taken(per_second in 1u32..5_000, burst in 1u32..40, pauses in prop::collection::vec(0u64..10_000, 1..60)) {
            let rate = rate(per_second, burst);
            let (mut used, mut now) = (Used::default(), Duration::from_secs(1));
            for pause in pauses {
                now += Duration::from_micros(pause);
                let (after, turn) = rate.ask(used, now);
                used = after;
                let (Turn::Taken(standing) | Turn::Refused { standing, .. }) = turn;
                let (mut then, mut taken) = (used, 0);
                while let (after, Turn::Taken(_)) = rate.ask(then, now) {
                    then = after;
                    taken += 1;
                }
                prop_assert_eq!(standing.left, taken);
                // When the time has passed that it names, everything may be done again.
                let (_, Turn::Taken(whole)) = rate.ask(used, now + standing.whole_after) else { panic!("refused") };
                prop_assert_eq!(whole.left, burst - 1);
            }
        }
    }
}
