//! The one place that asks the machine for the time; everything else takes it as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::moment::Moment;

#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub(crate) fn now() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
