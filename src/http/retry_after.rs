//! `Retry-After`, in both of its forms, without asking any clock: a date is measured against the answer's own `Date`.

use std::time::Duration;

use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::moment::Moment;

/// No promise to wait is kept for longer: a wrong clock on the other side must not stop us for days.
const LONGEST: Duration = Duration::from_secs(3600);

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that RFC 9110 has senders use.
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The time to wait; none when the header says nothing readable.
pub(super) fn read(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is a long time, too.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let until = http_date(value)?;
    let from = http_date(date?)?;
    let wait = Duration::try_from(until - from).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST))
}

/// The moment that such a date names.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let seconds = http_date(text)?.assume_utc().unix_timestamp();
    Some(Moment::from_unix_seconds(seconds))
}

fn http_date(text: &str) -> Option<PrimitiveDateTime> {
    PrimitiveDateTime::parse(text.trim(), HTTP_DATE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_moment_in_whole_seconds() {
        let read = moment("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read, Some(Moment(784_111_777_000)));
        assert_eq!(moment("1994-11-06"), None);
    }

    #[test]
    fn seconds_and_dates_are_read_and_capped_at_an_hour() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            ("2", None, Some(2)),
            (" 0 ", None, Some(0)),
            ("3601", None, Some(3600)),
            ("99999999999999999999999", None, Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", date, Some(30)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", date, Some(0)),
            ("Mon, 07 Nov 1994 08:40:00 GMT", date, Some(3600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, None),
            ("soon", date, None),
            ("-1", date, None),
            ("1.5", date, None),
            ("", date, None),
        ] {
            let read = read(value, date).map(|wait| wait.as_secs());
            assert_eq!(read, seconds, "{value:?} {date:?}");
        }
    }
}
