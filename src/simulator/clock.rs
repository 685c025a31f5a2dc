//! The simulator's looks at the clock.

use time::OffsetDateTime;

use crate::domain::moment::Moment;

/// The wall clock, as webhooks, expiries and key lifetimes need it.
pub(crate) fn now() -> Moment {
    Moment(micros().div_euclid(1_000))
}

/// The same in microseconds, as latencies need it.
pub(crate) fn micros() -> i64 {
    let micros = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    i64::try_from(micros).unwrap_or(i64::MAX)
}
