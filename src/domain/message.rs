//! What the queues carry: small JSON envelopes that name things by id; the ledger holds the state.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::confirmation::{Confirmation, ConfirmationId};
use super::ids::{DemandId, GatewayName, GatewayRef, PaymentId, RefundId};
use super::moment::Moment;

/// The version that this build writes; older ones would be upcast in [`Envelope::decode`].
const VERSION: u32 = 1;

/// Why a message cannot be read; it goes to the dead letters with its bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecodable {
    #[error("not a message of this system")]
    Json(#[source] serde_json::Error),
    #[error("schema version {0} is unknown")]
    Version(u32),
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Envelope {
    pub(crate) version: u32,
    /// Stable across retries and replays.
    pub(crate) message_id: Uuid,
    pub(crate) occurred_at: Moment,
    /// After this a checkout command is not begun any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Moment>,
    #[serde(rename = "schema")]
    pub(crate) body: Body,
}

/// The message proper, tagged by its schema's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum Body {
    /// Begin or go on with charging the payment.
    Charge { payment_id: PaymentId },
    /// The payer has done what was asked: read the gateway's state.
    Continue { payment_id: PaymentId },
    /// A sweep found the payment not settled: see what is known by now.
    Recheck { payment_id: PaymentId },
    /// Cleeng asks for something.
    Demand { demand_id: DemandId },
    /// Take what the payment's authorisation holds.
    Capture { payment_id: PaymentId },
    /// Give up what the payment's authorisation holds.
    Void { payment_id: PaymentId },
    /// Give back money of a captured payment.
    Refund {
        payment_id: PaymentId,
        refund_id: RefundId,
    },
    /// Tell Cleeng that what a demand asks for is done, where no payment's confirmation does.
    Answer { demand_id: DemandId },
    /// A verified webhook of a gateway.
    GatewayEvent {
        gateway: GatewayName,
        event_id: String,
        event_type: String,
        /// What is to be read.
        #[serde(default)]
        about: About,
        reference: GatewayRef,
        /// Our id, where the gateway carries it along.
        payment_id: Option<PaymentId>,
    },
    /// A call owed to Cleeng.
    Confirm {
        payment_id: PaymentId,
        confirmation_id: ConfirmationId,
    },
}

/// What to read after a gateway's event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// The payment itself. Messages of builds that knew no other say nothing.
    #[default]
    Payment,
    /// Its refunds.
    Refunds,
    /// Its disputes.
    Disputes,
    /// A method that is kept without a charge.
    Saving,
}

impl Envelope {
    pub(crate) fn new(
        message_id: Uuid,
        occurred_at: Moment,
        expires_at: Option<Moment>,
        body: Body,
    ) -> Envelope {
        Envelope {
            version: VERSION,
            message_id,
            occurred_at,
            expires_at,
            body,
        }
    }

    /// The message that has this confirmation delivered.
    pub(crate) fn of_confirmation(confirmation: &Confirmation) -> Envelope {
        let body = Body::Confirm {
            payment_id: confirmation.payment_id,
            confirmation_id: confirmation.id,
        };
        Envelope::new(confirmation.id.0, confirmation.created_at, None, body)
    }

    #[expect(
        clippy::expect_used,
        reason = "plain data: no map with keys that are not text, nothing that refuses"
    )]
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data serialises")
    }

    /// # Errors
    /// What is not JSON of this shape, or of a version that this build does not know: park it, never drop it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Envelope, Undecodable> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(bytes).map_err(Undecodable::Json)?;
        if version != VERSION {
            return Err(Undecodable::Version(version));
        }
        serde_json::from_slice(bytes).map_err(Undecodable::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back() {
        let body = Body::GatewayEvent {
            gateway: "stripe".parse().unwrap(),
            event_id: "evt_1".into(),
            event_type: "payment_intent.succeeded".into(),
            about: About::Payment,
            reference: GatewayRef("pi_1".into()),
            payment_id: None,
        };
        let sent = Envelope::new(Uuid::from_u128(1), Moment(2), Some(Moment(3)), body);
        assert_eq!(Envelope::decode(&sent.encode()).unwrap(), sent);
    }

    #[test]
    fn a_message_of_a_later_version_is_not_guessed_at() {
        let late = br#"{"version":2,"anything":true}"#;
        assert!(matches!(
            Envelope::decode(late),
            Err(Undecodable::Version(2))
        ));
        assert!(matches!(
            Envelope::decode(b"\xff{"),
            Err(Undecodable::Json(_))
        ));
    }
}
