//! From when on: a time, or a span back from now.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::span;
use crate::domain::moment::Moment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Ago(Duration),
    At(Moment),
}

impl Since {
    pub(super) fn moment(self, now: Moment) -> Moment {
        match self {
            Since::Ago(span) => {
                let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                Moment(now.0.saturating_sub(millis))
            }
            Since::At(moment) => moment,
        }
    }
}

/// # Errors
/// What is neither, with an example of each.
pub(super) fn read(text: &str) -> Result<Since, String> {
    if let Ok(span) = span(text) {
        return Ok(Since::Ago(span));
    }
    let wrong = || "write a time such as 2026-11-24T00:00:00Z, or a span such as 24h".to_owned();
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
    let millis = i64::try_from(millis).map_err(|_| wrong())?;
    match millis {
        0.. => Ok(Since::At(Moment(millis))),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_and_a_span_back_from_now_are_read() {
        let now = Moment(1_767_323_045_678);
        for (text, moment) in [
            ("24h", now.0 - 86_400_000),
            ("0s", now.0),
            ("2026-01-02T03:04:05.678Z", now.0),
            ("2026-01-02T04:04:05.678+01:00", now.0),
        ] {
            assert_eq!(read(text).unwrap().moment(now), Moment(moment), "{text}");
        }
        for bad in ["", "yesterday", "2026-01-02", "1969-01-01T00:00:00Z", "-1h"] {
            assert!(read(bad).unwrap_err().contains("24h"), "{bad}");
        }
    }
}
