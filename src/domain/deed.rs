//! What an operator does by hand, with who and why: written down before it is done, and never changed.

use uuid::Uuid;

use super::ids::PaymentId;
use super::moment::Moment;

const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 500;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DeedKind {
    /// A dead letter is sent back to its queue.
    Replay,
    /// A dead letter is removed for good.
    Discard,
    Pause,
    Resume,
    /// A payment that nothing else can settle is settled by the operator's word.
    Resolve,
    /// The entry before could not be done. Its reason is the error.
    Failed,
}

impl DeedKind {
    pub(crate) const ALL: [DeedKind; 6] = [
        DeedKind::Replay,
        DeedKind::Discard,
        DeedKind::Pause,
        DeedKind::Resume,
        DeedKind::Resolve,
        DeedKind::Failed,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            DeedKind::Replay => "replay",
            DeedKind::Discard => "discard",
            DeedKind::Pause => "pause",
            DeedKind::Resume => "resume",
            DeedKind::Resolve => "resolve",
            DeedKind::Failed => "failed",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<DeedKind> {
        DeedKind::ALL.into_iter().find(|kind| kind.label() == text)
    }
}

/// Through what an operator does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Via {
    Command,
    Console,
}

impl Via {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Via::Command => "command",
            Via::Console => "console",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Via> {
        [Via::Command, Via::Console]
            .into_iter()
            .find(|via| via.label() == text)
    }
}

/// Who does something, and why, in the operator's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operator {
    by: String,
    because: String,
    via: Via,
}

/// Why somebody is not taken for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadOperator {
    #[error("say who you are: one line of 1 to {LONGEST_NAME} characters")]
    Name,
    #[error("say why: 1 to {LONGEST_REASON} characters")]
    Reason,
}

impl Operator {
    /// Line breaks and runs of spaces become one space: an entry is a line.
    ///
    /// # Errors
    /// An empty or too long name or reason.
    pub(crate) fn new(by: &str, because: &str, via: Via) -> Result<Operator, BadOperator> {
        Ok(Operator {
            by: line(by, LONGEST_NAME).ok_or(BadOperator::Name)?,
            because: line(because, LONGEST_REASON).ok_or(BadOperator::Reason)?,
            via,
        })
    }

    pub(crate) fn by(&self) -> &str {
        &self.by
    }

    pub(crate) fn because(&self) -> &str {
        &self.because
    }

    pub(crate) fn via(&self) -> Via {
        self.via
    }
}

/// One entry of the operator log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    /// A UUIDv7: the log is read in the order of these.
    pub(crate) id: Uuid,
    pub(crate) at: Moment,
    pub(crate) kind: DeedKind,
    pub(crate) operator: Operator,
    /// What it is done to, in a few words: no secret, no body.
    pub(crate) subject: String,
    pub(crate) payment: Option<PaymentId>,
}

impl Deed {
    pub(crate) fn new(
        kind: DeedKind,
        operator: &Operator,
        subject: String,
        payment: Option<PaymentId>,
        now: Moment,
    ) -> Deed {
        Deed {
            id: Uuid::now_v7(),
            at: now,
            kind,
            operator: operator.clone(),
            subject,
            payment,
        }
    }

    /// The entry that tells that this one could not be done.
    pub(crate) fn failed(&self, error: &str, now: Moment) -> Deed {
        let kept: String = error.chars().take(LONGEST_REASON).collect();
        let because = line(&kept, LONGEST_REASON).unwrap_or_else(|| "unknown".to_owned());
        Deed {
            id: Uuid::now_v7(),
            at: now,
            kind: DeedKind::Failed,
            operator: Operator {
                because,
                ..self.operator.clone()
            },
            subject: format!("{} of {}", self.kind.label(), self.subject),
            payment: self.payment,
        }
    }
}

fn line(text: &str, longest: usize) -> Option<String> {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    (1..=longest)
        .contains(&line.chars().count())
        .then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_has_a_name_and_a_reason_of_one_line_each() {
        let new = |by: &str, because: &str| Operator::new(by, because, Via::Console);
        let anna = new(" anna ", "their\n maintenance\tis over").unwrap();
        assert_eq!(
            (anna.by(), anna.because()),
            ("anna", "their maintenance is over")
        );
        for by in ["", "  ", "\n", &"a".repeat(101)] {
            assert_eq!(new(by, "x"), Err(BadOperator::Name), "{by:?}");
        }
        for because in ["", " \r\n", &"a".repeat(501)] {
            assert_eq!(
                new("anna", because),
                Err(BadOperator::Reason),
                "{because:?}"
            );
        }
        assert!(new(&"ä".repeat(100), &"ä".repeat(500)).is_ok());
    }

    #[test]
    fn every_word_of_the_log_is_read_back() {
        for kind in DeedKind::ALL {
            assert_eq!(DeedKind::from_label(kind.label()), Some(kind));
        }
        for via in [Via::Command, Via::Console] {
            assert_eq!(Via::from_label(via.label()), Some(via));
        }
        assert_eq!(DeedKind::from_label("refund"), None);
    }

    #[test]
    fn a_failure_names_the_deed_and_keeps_who_it_was() {
        let anna = Operator::new("anna", "once more", Via::Command).unwrap();
        let deed = Deed::new(
            DeedKind::Replay,
            &anna,
            "message 7".to_owned(),
            None,
            Moment(1),
        );
        let failed = deed.failed(&"x ".repeat(600), Moment(2));
        assert_eq!(failed.kind, DeedKind::Failed);
        assert_eq!(
            (failed.operator.by(), failed.subject.as_str()),
            ("anna", "replay of message 7")
        );
        assert!(failed.operator.because().starts_with("x x x"));
        assert_eq!(deed.failed("", Moment(2)).operator.because(), "unknown");
    }
}
