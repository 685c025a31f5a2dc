//! A renewal: what it pays for, and how its money is taken.

use serde::{Deserialize, Serialize};

use super::super::ids::{PaymentDetailsId, SubscriptionId};
use super::super::moment::Moment;

/// How a renewal's money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Take {
    /// It is reserved now and captured when Cleeng asks for it.
    Reserve,
    /// At once.
    AtOnce,
}

impl Take {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Take::Reserve => "reserve",
            Take::AtOnce => "at_once",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Take> {
        [Take::Reserve, Take::AtOnce]
            .into_iter()
            .find(|take| take.label() == text)
    }
}

/// What a renewal pays for. One cycle of a subscription is paid once, as one order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renewal {
    pub(crate) subscription_id: SubscriptionId,
    /// The end of the cycle before: with the subscription it names the cycle.
    pub(crate) due_at: Moment,
    pub(crate) payment_details_id: PaymentDetailsId,
    pub(crate) take: Take,
}
