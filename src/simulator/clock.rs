//! The simulator's one look at the clock.

use time::OffsetDateTime;

use crate::domain::moment::Moment;

/// The wall clock, as webhooks, expiries and key lifetimes need it.
pub(crate) fn now() -> Moment {
    let millis = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    Moment(i64::try_from(millis).unwrap_or(i64::MAX))
}
