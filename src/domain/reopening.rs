//! How a confirmation that was given up is taken up again: a pure decision, since Cleeng may have it already.

use super::confirmation::{ConfirmationId, Delivery};
use super::dead::DeadReason;
use super::moment::Moment;
use super::payment::Known;

/// What earlier tries leave open. The worse it is, the later it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Past {
    /// Every try had an answer: Cleeng surely has nothing of it.
    Answered,
    /// An answer was lost; a read may tell.
    Lost,
    /// An answer was lost, and Cleeng refused the read.
    ReadRefused,
    /// An answer was lost, and no read can tell.
    CannotTell,
}

/// What a replay does to the confirmation before its message is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reopening {
    /// It is not given up: nothing.
    AsItIs,
    /// It is owed again, and will be sent.
    Send,
    /// It counts as being sent, so that Cleeng is read before anything is sent.
    ReadFirst,
    /// Cleeng may have it and cannot be asked, or has later news by now: only on an operator's word.
    OnlyForced,
}

impl Reopening {
    /// The delivery to write down; nothing when it is left as it is.
    pub(crate) fn delivery(self) -> Option<Delivery> {
        match self {
            Reopening::AsItIs | Reopening::OnlyForced => None,
            Reopening::Send => Some(Delivery::Queued),
            // Long ago: whatever was under way at Cleeng is over.
            Reopening::ReadFirst => Some(Delivery::Sending { since: Moment(0) }),
        }
    }
}

/// What is left open, from the kinds and details of the payment's history, oldest first.
///
/// The history does not name the confirmation: what was lost for one of a payment's confirmations counts for all of them. That
/// errs on the side of reading, or of asking the operator, once too often.
pub(crate) fn past<'a>(history: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Past {
    let mut sent = false;
    let mut past = Past::Answered;
    for (kind, detail) in history {
        match kind {
            "confirmation_sending" => sent = true,
            "confirmation_not_done" | "confirmation_delivered" => sent = false,
            "confirmation_dead_lettered" => {
                past = past.max(left_open(detail.unwrap_or_default(), sent));
                sent = false;
            }
            _ => {}
        }
    }
    past
}

fn left_open(detail: &str, sent: bool) -> Past {
    let word = detail.split(':').next().unwrap_or(detail);
    let reason = DeadReason::from_label(word);
    if reason == Some(DeadReason::CleengAnswerLost) {
        Past::CannotTell
    } else if reason == Some(DeadReason::CleengReadRefused) {
        Past::ReadRefused
    } else if reason == Some(DeadReason::CleengRefused) || !sent {
        Past::Answered
    } else {
        Past::Lost
    }
}

/// How to take up a confirmation; `forced` is the operator's word that a doubled record at Cleeng is acceptable.
pub(crate) fn reopening(known: &Known, id: ConfirmationId, past: Past, forced: bool) -> Reopening {
    let Some(own) = known.confirmations.iter().find(|one| one.id == id) else {
        return Reopening::AsItIs;
    };
    match own.delivery {
        Delivery::Queued | Delivery::Sending { .. } | Delivery::Delivered { .. } => {
            return Reopening::AsItIs;
        }
        Delivery::DeadLettered => {}
    }
    // They are delivered in order; what was given up does not hold up what comes after it.
    let mut later = known
        .confirmations
        .iter()
        .filter(|one| one.sequence > own.sequence);
    let overtaken = later.any(|one| match one.delivery {
        Delivery::Sending { .. } | Delivery::Delivered { .. } => true,
        Delivery::Queued | Delivery::DeadLettered => false,
    });
    match (past, forced) {
        (_, false) if overtaken => Reopening::OnlyForced,
        (Past::Answered, _) | (Past::ReadRefused | Past::CannotTell, true) => Reopening::Send,
        (Past::Lost, _) | (Past::ReadRefused, false) => Reopening::ReadFirst,
        (Past::CannotTell, false) => Reopening::OnlyForced,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::confirmation::{Confirmation, Report};
    use crate::domain::payment::Status;

    const SENDING: (&str, Option<&str>) = ("confirmation_sending", None);
    const NOT_DONE: (&str, Option<&str>) = ("confirmation_not_done", Some("rate_limited"));
    const REPLAYED: (&str, Option<&str>) = ("confirmation_replayed", None);

    fn dead(detail: &'static str) -> (&'static str, Option<&'static str>) {
        ("confirmation_dead_lettered", Some(detail))
    }

    #[test]
    fn what_a_history_leaves_open() {
        let refused = dead("cleeng_refused: 422");
        let old = dead("too_old: the report to Cleeng was not done");
        let lost = dead("cleeng_answer_lost: no read can tell");
        let table = [
            (vec![], Past::Answered),
            (vec![("captured", None)], Past::Answered),
            (vec![SENDING, refused], Past::Answered),
            (vec![SENDING, NOT_DONE, old], Past::Answered),
            (vec![SENDING, old], Past::Lost),
            (
                vec![SENDING, dead("cleeng_read_refused: 404")],
                Past::ReadRefused,
            ),
            (vec![SENDING, lost], Past::CannotTell),
            // What was once lost is not found again by a later try.
            (
                vec![SENDING, lost, REPLAYED, SENDING, NOT_DONE, old],
                Past::CannotTell,
            ),
            (vec![SENDING, old, REPLAYED, SENDING, refused], Past::Lost),
        ];
        for (history, expected) in table {
            assert_eq!(past(history.clone()), expected, "{history:?}");
        }
    }

    /// A payment's confirmations with these deliveries, numbered from 1.
    fn known(deliveries: &[Delivery]) -> Known {
        let mut known = crate::domain::forecast::tests::known(Status::Captured);
        let ids = 1..;
        known.confirmations = ids
            .zip(deliveries)
            .map(|(sequence, delivery)| Confirmation {
                id: id(sequence),
                payment_id: known.payment.id,
                sequence,
                report: Report::Captured,
                delivery: *delivery,
                created_at: Moment(1),
            })
            .collect();
        known
    }

    fn id(sequence: i64) -> ConfirmationId {
        ConfirmationId(Uuid::from_u128(u128::try_from(sequence).unwrap()))
    }

    #[test]
    fn only_what_was_given_up_is_taken_up_again() {
        let given_up = Delivery::DeadLettered;
        let sending = Delivery::Sending { since: Moment(5) };
        let table = [
            (Delivery::Queued, Past::CannotTell, true, Reopening::AsItIs),
            (sending, Past::CannotTell, true, Reopening::AsItIs),
            (given_up, Past::Answered, false, Reopening::Send),
            (given_up, Past::Lost, false, Reopening::ReadFirst),
            (given_up, Past::Lost, true, Reopening::ReadFirst),
            (given_up, Past::ReadRefused, false, Reopening::ReadFirst),
            (given_up, Past::ReadRefused, true, Reopening::Send),
            (given_up, Past::CannotTell, false, Reopening::OnlyForced),
            (given_up, Past::CannotTell, true, Reopening::Send),
        ];
        for (delivery, past, forced, expected) in table {
            let found = reopening(&known(&[delivery]), id(1), past, forced);
            assert_eq!(found, expected, "{delivery:?} {past:?} {forced}");
        }
        let nobody = reopening(&known(&[given_up]), id(9), Past::Answered, true);
        assert_eq!(nobody, Reopening::AsItIs);
    }

    #[test]
    fn what_later_news_have_overtaken_is_taken_up_only_by_force() {
        let given_up = Delivery::DeadLettered;
        let delivered = Delivery::Delivered {
            cleeng_payment_id: None,
        };
        let at = |deliveries: &[Delivery], forced| {
            reopening(&known(deliveries), id(1), Past::Answered, forced)
        };
        assert_eq!(at(&[given_up, delivered], false), Reopening::OnlyForced);
        assert_eq!(at(&[given_up, delivered], true), Reopening::Send);
        assert_eq!(at(&[given_up, Delivery::Queued], false), Reopening::Send);
        assert_eq!(at(&[given_up, given_up], false), Reopening::Send);
    }
}
