//! The wall clock in microseconds: the simulator's process uses the same one.

use time::OffsetDateTime;

pub(crate) fn micros() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
