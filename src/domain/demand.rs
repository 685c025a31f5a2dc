//! What Cleeng asks of a connector with its webhooks, and what a gateway tells it of its own billing, in our own words: read at
//! the door, kept until it is done.

pub(crate) mod ending;
pub(crate) mod refund;
pub(crate) mod renewal;

use serde::{Deserialize, Serialize};

use super::external::ExternalEvent;
use super::ids::{
    CleengPaymentId, DemandId, GatewayName, GatewayRef, OrderId, PaymentDetailsId, PaymentId,
    SubscriptionId,
};
use super::moment::Moment;
use super::money::Money;
use super::secret::Secret;

/// One demand, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) id: DemandId,
    /// In whose billing queue it is; none when no gateway of ours can do it.
    pub(crate) gateway: Option<GatewayName>,
    pub(crate) asked: Asked,
    pub(crate) state: DemandState,
    /// What became of it, for an operator: a short fixed word.
    pub(crate) outcome: Option<String>,
    /// The payment that was made or changed because of it.
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) received_at: Moment,
    pub(crate) updated_at: Moment,
}

/// How far a demand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DemandState {
    /// It is, or is to be, in the queue.
    Open,
    /// All that it asks for is done, or is another message's work.
    Done,
    /// Nothing is done about it by itself: it is kept for an operator.
    Kept,
}

impl DemandState {
    pub(crate) fn label(self) -> &'static str {
        match self {
            DemandState::Open => "open",
            DemandState::Done => "done",
            DemandState::Kept => "kept",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<DemandState> {
        [DemandState::Open, DemandState::Done, DemandState::Kept]
            .into_iter()
            .find(|state| state.label() == text)
    }
}

/// What is asked for, by topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// `subscriptionReadyForPaymentAuthorisation`: reserve the next cycle's price.
    Authorise(Due),
    /// `subscriptionReadyForPaymentCapture`: take what was reserved, or charge directly where nothing was.
    Capture(Due),
    /// `capturePayment`: take what this payment holds.
    CaptureOne(OnePayment),
    /// `refundPayment`: give money back.
    Refund(RefundAsked),
    /// `subscriptionReadyForTermination`: give up what is reserved, then end the subscription.
    Terminate(Ending),
    /// `paymentDetailsDeactivated`: give up what is reserved with them, then forget the method.
    Release(Released),
    /// Not asked by Cleeng but to be told to it: an event of a subscription that the gateway bills itself.
    External(ExternalEvent),
    /// A topic that is not known here, or a known one without what it needs; the body as it came.
    Unknown { topic: String, body: Secret<String> },
}

/// A subscription's next cycle is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) subscription_id: SubscriptionId,
    pub(crate) offer_id: String,
    pub(crate) customer_id: u64,
    pub(crate) payment_details_id: PaymentDetailsId,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) token: Secret<String>,
    /// Which of Cleeng's tries this is.
    pub(crate) attempt_at: Moment,
    /// When the cycle that is paid for now ends: Cleeng's `expirationDate`. Where a payload has none it is read from the subscription.
    pub(crate) due_at: Option<Moment>,
    pub(crate) currency: String,
    pub(crate) country: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OnePayment {
    pub(crate) cleeng_payment_id: CleengPaymentId,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) reference: Option<GatewayRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefundAsked {
    pub(crate) payment: OnePayment,
    /// None: all that is left.
    pub(crate) amount: Option<Money>,
    /// Cleeng's own id of the refund, where a payload has one: two refunds of one amount differ by it only.
    pub(crate) refund_id: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub(crate) subscription_id: SubscriptionId,
    pub(crate) payment_method_id: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Released {
    pub(crate) payment_details_id: PaymentDetailsId,
    pub(crate) customer_id: Option<u64>,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) token: Option<Secret<String>>,
}

impl Asked {
    /// A metric's label and the ledger's column.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Asked::Authorise(_) => "authorise",
            Asked::Capture(_) => "capture",
            Asked::CaptureOne(_) => "capture_payment",
            Asked::Refund(_) => "refund",
            Asked::Terminate(_) => "terminate",
            Asked::Release(_) => "release",
            Asked::External(_) => "external",
            Asked::Unknown { .. } => "unknown",
        }
    }

    /// Whether a repetition after its end is looked at again: where doing it a second time does no more than doing it once. A
    /// capture is among them, since Cleeng may ask twice within one try, for one authorisation and then for another; what it does
    /// once only is to charge directly ([`renewal::Facts::met_before`]).
    pub(crate) fn may_be_repeated(&self) -> bool {
        match self {
            Asked::Capture(_) | Asked::Terminate(_) | Asked::Release(_) | Asked::CaptureOne(_) => {
                true
            }
            Asked::Authorise(_) | Asked::Refund(_) | Asked::External(_) | Asked::Unknown { .. } => {
                false
            }
        }
    }

    pub(crate) fn external(&self) -> Option<&ExternalEvent> {
        match self {
            Asked::External(event) => Some(event),
            Asked::Authorise(_)
            | Asked::Capture(_)
            | Asked::CaptureOne(_)
            | Asked::Refund(_)
            | Asked::Terminate(_)
            | Asked::Release(_)
            | Asked::Unknown { .. } => None,
        }
    }

    /// What may be kept of it once it is done: no token.
    pub(crate) fn kept(&self) -> Asked {
        let mut kept = self.clone();
        match &mut kept {
            Asked::Authorise(due) | Asked::Capture(due) => due.token = Secret::new(String::new()),
            Asked::Release(released) => released.token = None,
            Asked::CaptureOne(_)
            | Asked::Refund(_)
            | Asked::Terminate(_)
            | Asked::External(_)
            | Asked::Unknown { .. } => {}
        }
        kept
    }
}

#[cfg(test)]
mod tests;
