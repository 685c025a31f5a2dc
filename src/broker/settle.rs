//! What a verdict means for the queues: a pure decision, the same for both brokers.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::{Delivery, Headers, Outgoing, Queue, Verdict};
use crate::domain::moment::Moment;

/// Headers travel in one AMQP frame; an error text must not outgrow it.
const ERROR_CHARS: usize = 1000;

/// What is to be done with a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settlement {
    Acknowledge,
    /// Publish this, and acknowledge the original after its confirm.
    Forward(Outgoing),
    /// Leave it unacknowledged and pause the lane.
    Keep {
        error: String,
    },
}

pub(crate) fn settle(delivery: &Delivery, verdict: Verdict, now: Moment) -> Settlement {
    match verdict {
        Verdict::Done => Settlement::Acknowledge,
        Verdict::Hold { error } => Settlement::Keep { error },
        Verdict::Later { delay, error } => Settlement::Forward(Outgoing {
            queue: delivery.queue.clone(),
            delay: Some(delay),
            message_id: message_id(delivery),
            body: delivery.body.clone(),
            headers: failed(&delivery.headers, error, now),
        }),
        Verdict::Park { reason, error } => Settlement::Forward(Outgoing {
            queue: Queue::Dead,
            delay: None,
            message_id: message_id(delivery),
            body: delivery.body.clone(),
            headers: Headers {
                reason: Some(reason.label().to_owned()),
                source: Some(delivery.queue.to_string()),
                ..failed(&delivery.headers, error, now)
            },
        }),
    }
}

/// The headers after one more failure.
fn failed(before: &Headers, error: String, now: Moment) -> Headers {
    let error = bounded(error);
    Headers {
        failures: before.failures.saturating_add(1),
        first_failed_at: before.first_failed_at.or(Some(now)),
        first_error: before.first_error.clone().or_else(|| Some(error.clone())),
        last_error: Some(error),
        traceparent: before.traceparent.clone(),
        reason: None,
        source: None,
        replayed: before.replayed,
    }
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(ERROR_CHARS) {
        None => text,
        Some(_) => text.chars().take(ERROR_CHARS).collect(),
    }
}

/// A foreign message without an id gets one from its bytes, so that all its copies bear the same.
pub(super) fn message_id(delivery: &Delivery) -> Uuid {
    delivery.message_id.unwrap_or_else(|| {
        let digest = Sha256::digest(&delivery.body);
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Builder::from_custom_bytes(bytes).into_uuid()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(5000);

    fn delivery(headers: Headers) -> Delivery {
        Delivery {
            queue: Queue::Confirmations,
            body: b"body".to_vec(),
            headers,
            redelivered: false,
            message_id: Some(Uuid::from_u128(7)),
        }
    }

    fn later() -> Verdict {
        Verdict::Later {
            delay: "5s.b".parse().unwrap(),
            error: "second".into(),
        }
    }

    fn forwarded(settlement: Settlement) -> Outgoing {
        match settlement {
            Settlement::Forward(outgoing) => outgoing,
            other @ (Settlement::Acknowledge | Settlement::Keep { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_done_is_acknowledged_and_what_is_held_is_kept() {
        let delivery = delivery(Headers::default());
        assert_eq!(
            settle(&delivery, Verdict::Done, NOW),
            Settlement::Acknowledge
        );
        let hold = Verdict::Hold {
            error: "401".into(),
        };
        let kept = Settlement::Keep {
            error: "401".into(),
        };
        assert_eq!(settle(&delivery, hold, NOW), kept);
    }

    #[test]
    fn the_first_failure_is_recorded() {
        let copy = forwarded(settle(&delivery(Headers::default()), later(), NOW));
        assert_eq!(copy.queue, Queue::Confirmations);
        assert_eq!(copy.delay.unwrap().to_string(), "5s.b");
        assert_eq!(copy.message_id, Uuid::from_u128(7));
        assert_eq!(copy.body, b"body");
        let expected = Headers {
            failures: 1,
            first_failed_at: Some(NOW),
            first_error: Some("second".into()),
            last_error: Some("second".into()),
            ..Headers::default()
        };
        assert_eq!(copy.headers, expected);
    }

    #[test]
    fn a_further_failure_keeps_the_first_and_the_trace() {
        let before = Headers {
            failures: 3,
            first_failed_at: Some(Moment(1)),
            first_error: Some("first".into()),
            last_error: Some("third".into()),
            traceparent: Some("00-a-b-01".into()),
            ..Headers::default()
        };
        let copy = forwarded(settle(&delivery(before.clone()), later(), NOW));
        let expected = Headers {
            failures: 4,
            last_error: Some("second".into()),
            ..before
        };
        assert_eq!(copy.headers, expected);
    }

    #[test]
    fn a_parked_message_says_why_and_whence() {
        let verdict = Verdict::Park {
            reason: crate::domain::dead::DeadReason::TooOld,
            error: "x".repeat(5000),
        };
        let copy = forwarded(settle(&delivery(Headers::default()), verdict, NOW));
        assert_eq!((copy.queue, copy.delay), (Queue::Dead, None));
        assert_eq!(copy.headers.reason.as_deref(), Some("too_old"));
        assert_eq!(copy.headers.source.as_deref(), Some("confirmations"));
        assert_eq!(copy.headers.failures, 1);
        assert_eq!(copy.headers.last_error.unwrap().len(), ERROR_CHARS);
    }

    #[test]
    fn a_message_without_an_id_gets_the_same_one_in_every_copy() {
        let foreign = Delivery {
            message_id: None,
            ..delivery(Headers::default())
        };
        let first = forwarded(settle(&foreign, later(), NOW)).message_id;
        assert_eq!(first, forwarded(settle(&foreign, later(), NOW)).message_id);
        assert_ne!(first, Uuid::nil());
    }
}
