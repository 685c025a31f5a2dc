//! One thing that was looked at: how it stands, and what to do. Pure; no secret is in it.

use std::fmt;

use serde_json::{Value, json};

use crate::domain::moment::Moment;

/// So little breaks nothing.
const SAME_TIME_MILLIS: u64 = 2_000;
/// Gateways refuse signatures that are five minutes off, and so do we.
const WRONG_TIME_MILLIS: u64 = 60_000;

/// How it stands. The worse it is, the later it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// The connector cannot do its work like this.
    Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) grade: Grade,
    pub(super) what: String,
    detail: String,
    remedy: Option<String>,
}

impl Grade {
    pub(super) fn label(self) -> &'static str {
        match self {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Fault => "fault",
        }
    }
}

impl Line {
    pub(super) fn ok(what: &str, detail: impl Into<String>) -> Line {
        Line {
            grade: Grade::Ok,
            what: what.to_owned(),
            detail: detail.into(),
            remedy: None,
        }
    }

    pub(super) fn warning(what: &str, detail: impl Into<String>, remedy: &str) -> Line {
        Line {
            grade: Grade::Warning,
            what: what.to_owned(),
            detail: detail.into(),
            remedy: Some(remedy.to_owned()),
        }
    }

    pub(super) fn fault(what: &str, detail: impl Into<String>, remedy: &str) -> Line {
        Line {
            grade: Grade::Fault,
            ..Line::warning(what, detail, remedy)
        }
    }

    pub(super) fn document(&self) -> Value {
        json!({ "result": self.grade.label(), "what": self.what, "detail": self.detail, "do": self.remedy })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<8} {:<28} \u{2014} {}",
            self.grade.label(),
            self.what,
            self.detail
        )?;
        match &self.remedy {
            Some(remedy) => write!(f, "; do: {remedy}"),
            None => Ok(()),
        }
    }
}

/// Our time, read before and after, against the other side's in between, which is rounded down to `unit_millis`.
pub(super) fn clocks(
    what: &str,
    (before, after): (Moment, Moment),
    theirs: Moment,
    unit_millis: i64,
) -> Line {
    let latest = theirs.0.saturating_add(unit_millis).saturating_sub(1);
    let early = before.0.saturating_sub(latest).max(0);
    let late = theirs.0.saturating_sub(after.0).max(0);
    let off = u64::try_from(early.max(late)).unwrap_or(0);
    let detail = match off {
        0 => "the same time as here".to_owned(),
        millis if early > 0 => format!("{millis} ms behind this machine"),
        millis => format!("{millis} ms ahead of this machine"),
    };
    let remedy = "set the clocks by NTP; signatures of webhooks and all deadlines go by them";
    if off <= SAME_TIME_MILLIS {
        Line::ok(what, detail)
    } else if off <= WRONG_TIME_MILLIS {
        Line::warning(what, detail, remedy)
    } else {
        Line::fault(what, detail, remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_it_stands_and_what_to_do() {
        let line = Line::fault("ledger", "away", "start it");
        assert_eq!(
            line.to_string(),
            "fault    ledger                       \u{2014} away; do: start it"
        );
        assert_eq!(
            line.document(),
            json!({ "result": "fault", "what": "ledger", "detail": "away", "do": "start it" })
        );
        assert!(Grade::Ok < Grade::Warning && Grade::Warning < Grade::Fault);
    }

    #[test]
    fn a_difference_in_time_is_graded_by_what_it_breaks() {
        let (before, after) = (Moment(1_000_000), Moment(1_000_300));
        for (theirs, grade, word) in [
            (1_000_100, Grade::Ok, "same time"),
            (998_000, Grade::Ok, "2000 ms behind"),
            (1_002_300, Grade::Ok, "2000 ms ahead"),
            (997_999, Grade::Warning, "2001 ms behind"),
            (1_060_300, Grade::Warning, "60000 ms ahead"),
            (1_060_301, Grade::Fault, "60001 ms ahead"),
            (0, Grade::Fault, "1000000 ms behind"),
        ] {
            let line = clocks("time", (before, after), Moment(theirs), 1);
            assert_eq!(line.grade, grade, "{theirs}");
            assert!(line.detail.contains(word), "{line}");
        }
        // Whole seconds say only that it is no later than their end.
        let line = clocks("time", (before, after), Moment(999_001), 1000);
        assert!(line.detail.contains("same time"), "{line}");
        let line = clocks("time", (before, after), Moment(999_000), 1000);
        assert!(line.detail.contains("1 ms behind"), "{line}");
    }
}
