//! The simulator's looks at the clock, and Cleeng's clock, which a test can move ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::moment::Moment;

/// As the header `Date` is written.
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The longest move at once: ten years.
const FARTHEST: Duration = Duration::from_secs(3_660 * 24 * 60 * 60);

/// Cleeng's clock: the wall clock and how far it was moved ahead. It never goes back, except to the wall clock's time.
#[derive(Default)]
pub(crate) struct Ahead(AtomicI64);

impl Ahead {
    pub(crate) fn now(&self) -> Moment {
        self.at(micros())
    }

    /// Its time when the wall clock shows that many microseconds.
    pub(crate) fn at(&self, micros: i64) -> Moment {
        let ahead = self.0.load(Ordering::Relaxed);
        Moment(micros.div_euclid(1_000).saturating_add(ahead))
    }

    /// It is this moment now, or later.
    pub(crate) fn reach(&self, at: Moment) {
        let missing = at.0.saturating_sub(now().0);
        self.0.fetch_max(missing, Ordering::Relaxed);
    }

    pub(crate) fn span(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0))
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// That many seconds since 1970, as the header `Date` writes it.
pub(crate) fn http_date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(HTTP_DATE).ok())
        .unwrap_or_default()
}

/// The wall clock, as webhooks, expiries and key lifetimes need it.
pub(crate) fn now() -> Moment {
    Moment(micros().div_euclid(1_000))
}

/// The same in microseconds, as latencies need it.
pub(crate) fn micros() -> i64 {
    let micros = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// `90s`, `5m`, `12h`, `31d`: a whole number and its unit; nothing when it is not that, or longer than ten years.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let span = Duration::from_secs(number.checked_mul(seconds)?);
    (span <= FARTHEST).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_and_a_unit() {
        assert_eq!(span("90s"), Some(Duration::from_secs(90)));
        assert_eq!(span("31d"), Some(Duration::from_secs(31 * 86_400)));
        for wrong in ["", "d", "1.5d", "-1d", "31", "1y", "9999999999d", "1µ"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_clock_goes_ahead_and_never_back() {
        let clock = Ahead::default();
        let target = now().plus(Duration::from_secs(60));
        clock.reach(target);
        clock.reach(Moment(0));
        assert!(clock.now() >= target);
        assert!(clock.now() < target.plus(Duration::from_secs(30)));
        clock.reset();
        assert!(clock.now() < target);
    }
}
