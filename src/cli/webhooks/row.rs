//! One topic as an operator is shown it: what was done or found, and where that failed, what to do. Pure; no secret is in it.

use std::fmt;

use serde_json::{Value, json};

use crate::cleeng::webhooks::{Change, HiddenSecret, Merged};
use crate::domain::failure::CallError;

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) topic: &'static str,
    pub(super) change: Result<Change, Trouble>,
    /// Endpoints of others in the same list; not known where the list could not be merged or put.
    others: Option<usize>,
}

/// Why it did not go, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    problem: String,
    remedy: &'static str,
}

impl Row {
    pub(super) fn of(topic: &'static str, merged: Merged) -> Row {
        Row {
            topic,
            change: Ok(merged.change),
            others: Some(merged.others),
        }
    }

    pub(super) fn failed(topic: &'static str, trouble: Trouble) -> Row {
        Row {
            topic,
            change: Err(trouble),
            others: None,
        }
    }

    /// After `subscribe`.
    pub(super) fn subscribed_line(&self, dry_run: bool) -> String {
        let would = if dry_run { "would be " } else { "" };
        let what = match &self.change {
            Ok(Change::Nothing) => "unchanged".to_owned(),
            Ok(Change::Added) => format!("{would}added"),
            Ok(Change::Replaced(differs)) => format!("{would}updated ({})", differs.join(", ")),
            Err(trouble) => format!("failed: {trouble}"),
        };
        self.line(&what)
    }

    /// For `status`.
    pub(super) fn found_line(&self) -> String {
        let what = match &self.change {
            Ok(Change::Nothing) => "as it must be".to_owned(),
            Ok(Change::Added) => "ours is missing".to_owned(),
            Ok(Change::Replaced(differs)) => format!("ours differs ({})", differs.join(", ")),
            Err(trouble) => format!("not as it must be: {trouble}"),
        };
        self.line(&what)
    }

    /// After `subscribe`, for a machine.
    pub(super) fn subscribed(&self) -> Value {
        self.document(match &self.change {
            Ok(Change::Nothing) => "unchanged",
            Ok(Change::Added) => "added",
            Ok(Change::Replaced(_)) => "updated",
            Err(_) => "failed",
        })
    }

    /// For `status` and a machine.
    pub(super) fn found(&self) -> Value {
        self.document(match &self.change {
            Ok(Change::Nothing) => "fits",
            Ok(Change::Added) => "missing",
            Ok(Change::Replaced(_)) => "differs",
            Err(_) => "blocked",
        })
    }

    fn line(&self, what: &str) -> String {
        let others = match self.others {
            None => String::new(),
            Some(0) => "; nobody else hears of it".to_owned(),
            Some(1) => "; 1 endpoint of others beside it".to_owned(),
            Some(several) => format!("; {several} endpoints of others beside it"),
        };
        format!("{:<41} {what}{others}", self.topic)
    }

    fn document(&self, result: &str) -> Value {
        let differs = match &self.change {
            Ok(Change::Replaced(differs)) => differs.as_slice(),
            Ok(Change::Nothing | Change::Added) | Err(_) => &[],
        };
        let trouble = self.change.as_ref().err();
        json!({
            "topic": self.topic, "result": result, "differs": differs, "others": self.others,
            "problem": trouble.map(|trouble| &trouble.problem),
            "remedy": trouble.map(|trouble| trouble.remedy),
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

impl From<HiddenSecret> for Trouble {
    fn from(hidden: HiddenSecret) -> Self {
        Trouble {
            problem: hidden.to_string(),
            remedy: "have ours added at Cleeng by hand, beside theirs",
        }
    }
}

impl From<&CallError> for Trouble {
    fn from(cause: &CallError) -> Self {
        let remedy = match cause {
            CallError::Broken { .. } => {
                "set cleeng.publisher_token to the publisher's token at the system that cleeng.base_url names"
            }
            CallError::NotDone { .. } | CallError::Unknown { .. } => {
                "run the command again: it reads the lists anew"
            }
            CallError::Refused { .. } => {
                "Cleeng does not take this, or answers in a shape that is not known here: have ours added at Cleeng by hand"
            }
        };
        Trouble {
            problem: cause.to_string(),
            remedy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;

    const TOPIC: &str = "refundPayment";

    fn row(change: Change, others: usize) -> Row {
        let list = Vec::new();
        let merged = Merged {
            list,
            change,
            others,
        };
        Row::of(TOPIC, merged)
    }

    #[test]
    fn a_topic_is_told_with_what_becomes_of_it_and_who_is_beside_it() {
        let differs = Change::Replaced(vec!["filters", "verification"]);
        for (row, others, words) in [
            (
                row(Change::Nothing, 0),
                "nobody else hears of it",
                ["unchanged", "unchanged", "as it must be"],
            ),
            (
                row(Change::Added, 1),
                "1 endpoint of others beside it",
                ["added", "would be added", "ours is missing"],
            ),
            (
                row(differs, 2),
                "2 endpoints of others beside it",
                [
                    "updated (filters, verification)",
                    "would be updated (filters, verification)",
                    "ours differs (filters, verification)",
                ],
            ),
        ] {
            let told = [
                row.subscribed_line(false),
                row.subscribed_line(true),
                row.found_line(),
            ];
            let expected = words.map(|words| format!("{TOPIC:<41} {words}; {others}"));
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_machine_is_told_the_same() {
        let updated = row(Change::Replaced(vec!["filters"]), 1).subscribed();
        let expected = json!({
            "topic": TOPIC, "result": "updated", "differs": ["filters"], "others": 1, "problem": null, "remedy": null,
        });
        assert_eq!(updated, expected);
        for (change, subscribed, found) in [
            (Change::Nothing, "unchanged", "fits"),
            (Change::Added, "added", "missing"),
        ] {
            let row = row(change, 0);
            assert_eq!(row.subscribed()["result"], subscribed);
            assert_eq!(row.found()["result"], found);
        }
        let failed = Row::failed(TOPIC, HiddenSecret.into());
        assert_eq!(failed.found()["result"], "blocked");
        assert_eq!(failed.subscribed()["result"], "failed");
        assert_eq!(failed.subscribed()["others"], Value::Null);
    }

    #[test]
    fn every_failure_says_what_to_do() {
        let code = || "http_401".to_owned();
        let not_done = CallError::NotDone {
            cause: Cause::TimedOut,
            retry_after: None,
        };
        for (cause, words) in [
            (CallError::Broken { code: code() }, "cleeng.publisher_token"),
            (not_done, "again"),
            (CallError::Refused { code: code() }, "by hand"),
        ] {
            let row = Row::failed(TOPIC, Trouble::from(&cause));
            for line in [row.subscribed_line(false), row.found_line()] {
                assert!(line.contains(words), "{line}");
            }
        }
    }
}
