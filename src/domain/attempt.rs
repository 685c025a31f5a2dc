//! An attempt: one request to a gateway under one idempotency key, written down before its first byte leaves.

use serde::{Deserialize, Serialize};

use super::failure::{CallError, Cause};
use super::ids::AttemptId;
use super::moment::Moment;
use super::secret::Secret;

/// The content types that a [`Prepared`] request can have.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

/// Which request of a payment an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Make the gateway's customer object, to save a method with.
    Customer,
    /// Make the gateway's payment object, to have its id before money moves.
    Create,
    /// The request that can move money.
    Charge,
    /// End the payment object, so that it can never move money any more.
    Cancel,
    /// Take the money that an authorisation holds.
    Capture,
    /// Give up an authorisation: what it holds is free again, and nothing can be captured.
    Void,
    /// Give captured money back.
    Refund,
    /// Keep a method for later charges, without charging it.
    Save,
    /// Have the gateway forget a kept method.
    Remove,
}

impl Stage {
    const ALL: [Stage; 9] = [
        Stage::Customer,
        Stage::Create,
        Stage::Charge,
        Stage::Cancel,
        Stage::Capture,
        Stage::Void,
        Stage::Refund,
        Stage::Save,
        Stage::Remove,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Stage::Customer => "customer",
            Stage::Create => "create",
            Stage::Charge => "charge",
            Stage::Cancel => "cancel",
            Stage::Capture => "capture",
            Stage::Void => "void",
            Stage::Refund => "refund",
            Stage::Save => "save",
            Stage::Remove => "remove",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.label() == text)
    }

    /// Whether it belongs to the charge of a checkout, its end included.
    pub(crate) fn is_of_checkout(self) -> bool {
        match self {
            Stage::Customer | Stage::Create | Stage::Charge | Stage::Cancel => true,
            Stage::Capture | Stage::Void | Stage::Refund | Stage::Save | Stage::Remove => false,
        }
    }

    /// Whether a lost answer leaves money in doubt.
    pub(crate) fn moves_money(self) -> bool {
        match self {
            Stage::Charge | Stage::Capture | Stage::Refund => true,
            Stage::Customer
            | Stage::Create
            | Stage::Cancel
            | Stage::Void
            | Stage::Save
            | Stage::Remove => false,
        }
    }
}

/// The exact bytes of a request, as they are stored and sent: same in the first try and in every replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) stage: Stage,
    /// Path below the gateway's base URL, beginning with `/`.
    pub(crate) path: String,
    /// [`FORM`] or [`JSON`]: the ledger can read back no other.
    pub(crate) content_type: &'static str,
    pub(crate) body: Secret<String>,
}

impl Prepared {
    /// The content type as it was stored, back as the constant that it was.
    pub(crate) fn content_type_from(text: &str) -> Option<&'static str> {
        [FORM, JSON].into_iter().find(|known| *known == text)
    }
}

/// What is known of a request that has been written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptState {
    /// Written; perhaps sent, perhaps not; no answer seen.
    Open,
    /// Surely not done (not sent, or turned away at the door).
    NotDone(Cause),
    /// Sent, and the answer was lost or says nothing.
    Unknown(Cause),
    /// The gateway gave a definite answer, or a later one settled it.
    Answered,
    /// Closed without effect: a read showed that it did nothing and that it can do nothing any more.
    Void,
}

impl AttemptState {
    /// Whether another request may still be needed to know what this one did.
    pub(crate) fn is_open(self) -> bool {
        match self {
            AttemptState::Open | AttemptState::NotDone(_) | AttemptState::Unknown(_) => true,
            AttemptState::Answered | AttemptState::Void => false,
        }
    }

    /// The state after a send failed with `error`.
    ///
    /// `first_send` says that no earlier send of these bytes can have had an effect. Only then is "not done" believed: a
    /// replay that did not get through says nothing about the try before it.
    pub(crate) fn after(self, error: &CallError, first_send: bool) -> AttemptState {
        let turned_away = |cause: Cause| match (first_send, self) {
            (true, _) => AttemptState::NotDone(cause),
            // What is known about the earlier try weighs more than this one's failure.
            (false, AttemptState::Unknown(earlier)) => AttemptState::Unknown(earlier),
            (false, _) => AttemptState::Unknown(cause),
        };
        match error {
            CallError::NotDone { cause, .. } => turned_away(*cause),
            CallError::Broken { .. } => turned_away(Cause::Credential),
            CallError::Unknown { cause } => AttemptState::Unknown(*cause),
            CallError::Refused { .. } if first_send => AttemptState::Answered,
            // That the bytes are refused now does not say that they were when they came first.
            CallError::Refused { .. } => AttemptState::Unknown(Cause::StateConflict),
        }
    }
}

/// One attempt of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Also the idempotency key that the gateway sees.
    pub(crate) id: AttemptId,
    /// 1, 2, 3 … within the payment.
    pub(crate) number: i64,
    pub(crate) request: Prepared,
    pub(crate) created_at: Moment,
    /// From here on the gateway may have forgotten the key: no replay any more.
    pub(crate) key_expires_at: Moment,
    pub(crate) state: AttemptState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_that_did_not_get_through_does_not_hide_an_earlier_send() {
        let not_done = CallError::NotDone {
            cause: Cause::Connect,
            retry_after: None,
        };
        let table = [
            (
                AttemptState::Open,
                true,
                AttemptState::NotDone(Cause::Connect),
            ),
            (
                AttemptState::Open,
                false,
                AttemptState::Unknown(Cause::Connect),
            ),
            (
                AttemptState::NotDone(Cause::RateLimited),
                true,
                AttemptState::NotDone(Cause::Connect),
            ),
            (
                AttemptState::Unknown(Cause::TimedOut),
                false,
                AttemptState::Unknown(Cause::TimedOut),
            ),
        ];
        for (before, first_send, after) in table {
            assert_eq!(
                before.after(&not_done, first_send),
                after,
                "{before:?} {first_send}"
            );
        }
    }

    #[test]
    fn a_stage_is_read_back_from_its_label() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_label(stage.label()), Some(stage));
        }
        assert_eq!(Stage::from_label("nonsense"), None);
    }

    #[test]
    fn a_refused_replay_says_nothing_about_the_send_before_it() {
        let refused = CallError::Refused {
            code: "400".to_owned(),
        };
        let unknown = AttemptState::Unknown(Cause::StateConflict);
        assert_eq!(
            AttemptState::Open.after(&refused, true),
            AttemptState::Answered
        );
        assert_eq!(AttemptState::Open.after(&refused, false), unknown);
    }
}
