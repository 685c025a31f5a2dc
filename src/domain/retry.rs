//! When to try again: which rung of the delay ladder a message waits on. The one place that knows the `backoff` crate.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

use super::ids::BadId;

/// The shortest and the longest step of the schedule before jitter.
const FIRST_STEP: Duration = Duration::from_secs(1);
const LONGEST_STEP: Duration = Duration::from_secs(3600);

/// One fixed waiting time of the delay ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rung {
    OneSecond,
    FiveSeconds,
    ThirtySeconds,
    TwoMinutes,
    TenMinutes,
    OneHour,
}

impl Rung {
    pub(crate) const ALL: [Rung; 6] = [
        Rung::OneSecond,
        Rung::FiveSeconds,
        Rung::ThirtySeconds,
        Rung::TwoMinutes,
        Rung::TenMinutes,
        Rung::OneHour,
    ];

    /// As queue names spell it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Rung::OneSecond => "1s",
            Rung::FiveSeconds => "5s",
            Rung::ThirtySeconds => "30s",
            Rung::TwoMinutes => "2m",
            Rung::TenMinutes => "10m",
            Rung::OneHour => "1h",
        }
    }

    /// The shortest time that a message waits on this rung.
    pub(crate) fn wait(self) -> Duration {
        Duration::from_secs(match self {
            Rung::OneSecond => 1,
            Rung::FiveSeconds => 5,
            Rung::ThirtySeconds => 30,
            Rung::TwoMinutes => 120,
            Rung::TenMinutes => 600,
            Rung::OneHour => 3600,
        })
    }

    /// The lowest rung that waits at least `span`; the top one when none does.
    pub(crate) fn at_least(span: Duration) -> Rung {
        Rung::ALL
            .into_iter()
            .find(|rung| rung.wait() >= span)
            .unwrap_or(Rung::OneHour)
    }

    /// The highest rung that waits at most `span`; the lowest one when none does.
    pub(crate) fn at_most(span: Duration) -> Rung {
        Rung::ALL
            .into_iter()
            .rev()
            .find(|rung| rung.wait() <= span)
            .unwrap_or(Rung::OneSecond)
    }
}

/// The variants of a rung differ in their waiting time, so that what failed together does not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    A,
    B,
    C,
}

impl Variant {
    pub(crate) const ALL: [Variant; 3] = [Variant::A, Variant::B, Variant::C];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Variant::A => "a",
            Variant::B => "b",
            Variant::C => "c",
        }
    }
}

/// One queue of the ladder. A variant waits 100, 112 or 125 % of its rung: never less, since `Retry-After` is a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Delay {
    pub(crate) rung: Rung,
    pub(crate) variant: Variant,
}

impl Delay {
    /// The variant picked by `dice`, any random number.
    pub(crate) fn on(rung: Rung, dice: u64) -> Delay {
        let variant = match dice % 3 {
            0 => Variant::A,
            1 => Variant::B,
            _ => Variant::C,
        };
        Delay { rung, variant }
    }

    pub(crate) fn all() -> impl Iterator<Item = Delay> {
        Rung::ALL.into_iter().flat_map(|rung| {
            Variant::ALL
                .into_iter()
                .map(move |variant| Delay { rung, variant })
        })
    }

    /// How long a message waits here.
    pub(crate) fn wait(self) -> Duration {
        let percent: u32 = match self.variant {
            Variant::A => 100,
            Variant::B => 112,
            Variant::C => 125,
        };
        self.rung
            .wait()
            .checked_mul(percent)
            .and_then(|scaled| scaled.checked_div(100))
            .unwrap_or(self.rung.wait())
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.rung.label(), self.variant.label())
    }
}

impl FromStr for Delay {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Delay::all()
            .find(|delay| delay.to_string() == text)
            .ok_or(BadId("a rung of the delay ladder"))
    }
}

/// The delay before try number `failures + 1`: exponential with full jitter, but never before `retry_after`.
///
/// `dice` is any random number; the same dice give the same delay.
pub(crate) fn delay(failures: u32, retry_after: Option<Duration>, dice: u64) -> Delay {
    let jittered = full_jitter(step(failures), dice);
    let span = retry_after.map_or(jittered, |promised| promised.max(jittered));
    Delay::on(Rung::at_least(span), dice.rotate_right(17))
}

/// The unjittered step after `failures` failures (1 or more): 1 s, 2 s, 4 s … one hour.
fn step(failures: u32) -> Duration {
    let mut schedule = ExponentialBackoffBuilder::new()
        .with_initial_interval(FIRST_STEP)
        .with_multiplier(2.0)
        .with_randomization_factor(0.0)
        .with_max_interval(LONGEST_STEP)
        // The crate gives up after 15 minutes unless told otherwise; our limit is the message's age.
        .with_max_elapsed_time(None)
        .build();
    let mut span = FIRST_STEP;
    for _ in 0..failures.clamp(1, 16) {
        span = schedule.next_backoff().unwrap_or(LONGEST_STEP);
    }
    span
}

/// How long to wait between tries of something that must succeed in the end (a connection, a publish): doubling, for ever.
#[derive(Debug)]
pub(crate) struct Waits {
    schedule: ExponentialBackoff,
    longest: Duration,
}

impl Waits {
    pub(crate) fn doubling(first: Duration, longest: Duration) -> Waits {
        let schedule = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_multiplier(2.0)
            // Our own jitter, from dice that are given, never leads beyond the longest wait.
            .with_randomization_factor(0.0)
            .with_max_interval(longest)
            .with_max_elapsed_time(None)
            .build();
        Waits { schedule, longest }
    }

    /// The next wait: between half and the whole of its step. `dice` is any random number.
    pub(crate) fn next(&mut self, dice: u64) -> Duration {
        let step = self.schedule.next_backoff().unwrap_or(self.longest);
        let half = step.checked_div(2).unwrap_or(step);
        half.saturating_add(full_jitter(half, dice))
    }

    /// After a success: begin again with the first step.
    pub(crate) fn reset(&mut self) {
        self.schedule.reset();
    }
}

/// A span from nothing to `step`, chosen evenly.
fn full_jitter(step: Duration, dice: u64) -> Duration {
    let millis = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(dice.checked_rem(millis.saturating_add(1)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_again_after_a_success() {
        let secs = Duration::from_secs;
        let mut waits = Waits::doubling(secs(1), secs(4));
        let spans: Vec<_> = (0..4).map(|_| waits.next(0)).collect();
        assert_eq!(
            spans,
            [Duration::from_millis(500), secs(1), secs(2), secs(2)]
        );
        assert_eq!(waits.next(2000), secs(4));
        waits.reset();
        assert_eq!(waits.next(500), secs(1));
    }
    use proptest::prelude::*;

    #[test]
    fn the_steps_grow_to_one_hour_and_stay() {
        let seconds: Vec<u64> = [1, 2, 3, 6, 11, 12, 13, 14]
            .map(|n| step(n).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 32, 1024, 2048, 3600, 3600]);
    }

    #[test]
    fn a_rung_is_found_by_rounding_up() {
        assert_eq!(Rung::at_least(Duration::ZERO), Rung::OneSecond);
        assert_eq!(Rung::at_least(Duration::from_secs(5)), Rung::FiveSeconds);
        assert_eq!(
            Rung::at_least(Duration::from_millis(5001)),
            Rung::ThirtySeconds
        );
        assert_eq!(Rung::at_least(Duration::from_secs(9999)), Rung::OneHour);
    }

    proptest! {
        #[test]
        fn a_retry_never_comes_before_retry_after(failures in 0u32..40, secs in 0u64..=3600, dice: u64) {
            let chosen = delay(failures, Some(Duration::from_secs(secs)), dice);
            prop_assert!(chosen.wait() >= Duration::from_secs(secs));
        }

        #[test]
        fn a_delay_name_is_read_back(dice: u64, failures in 1u32..10) {
            let chosen = delay(failures, None, dice);
            prop_assert_eq!(chosen.to_string().parse::<Delay>().unwrap(), chosen);
        }
    }
}
