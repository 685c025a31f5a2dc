//! What a gateway said about a payment, in words that every gateway shares.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempt::Stage;
use super::ids::GatewayRef;
use super::moment::Moment;
use super::money::Money;
use super::secret::Secret;

/// Who or what can help after a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeclineClass {
    /// May work later (insufficient funds).
    Soft,
    /// The network's fault; may work within hours.
    Technical,
    /// The payer must act (authenticate, correct the data).
    NeedsCustomer,
    /// This method never again.
    Hard,
    Fraud,
    /// Cleeng's order cannot be paid; no gateway was asked.
    InvalidOrder,
}

impl DeclineClass {
    pub(crate) fn label(self) -> &'static str {
        match self {
            DeclineClass::Soft => "soft",
            DeclineClass::Technical => "technical",
            DeclineClass::NeedsCustomer => "needs_customer",
            DeclineClass::Hard => "hard",
            DeclineClass::Fraud => "fraud",
            DeclineClass::InvalidOrder => "invalid_order",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<DeclineClass> {
        [
            DeclineClass::Soft,
            DeclineClass::Technical,
            DeclineClass::NeedsCustomer,
            DeclineClass::Hard,
            DeclineClass::Fraud,
            DeclineClass::InvalidOrder,
        ]
        .into_iter()
        .find(|class| class.label() == text)
    }
}

/// A definite no, with the gateway's most specific code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decline {
    pub(crate) class: DeclineClass,
    pub(crate) code: String,
}

/// What the payer's browser has to do next; serialises as the HTTP API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum NextAction {
    Redirect {
        url: Secret<String>,
    },
    StripeSdk {
        client_secret: Secret<String>,
        publishable_key: String,
    },
    Gateway {
        payload: Secret<Value>,
    },
}

/// A method that may be charged again without the payer. What may be shown is in clear, the token is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredMethod {
    /// All that a later charge needs, as one text (Stripe: `cus_…|pm_…`).
    pub(crate) token: Secret<String>,
    pub(crate) variant: Option<String>,
    pub(crate) last_four: Option<String>,
    /// `MM/YYYY`.
    pub(crate) expiry: Option<String>,
    pub(crate) holder: Option<Secret<String>>,
}

/// What the gateway has made for a payment so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The gateway's customer object, where it needs one to save a method.
    pub(crate) customer: Option<String>,
    /// The gateway's own id of the payment.
    pub(crate) reference: Option<GatewayRef>,
}

/// The gateway's definite answer about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A step was taken that moves no money; the charge goes on from `progress`. From a read: no money has moved.
    Opened {
        progress: Progress,
    },
    Authorized {
        reference: GatewayRef,
        amount: Money,
        stored: Option<StoredMethod>,
        capture_before: Option<Moment>,
    },
    Captured {
        reference: GatewayRef,
        amount: Money,
        stored: Option<StoredMethod>,
    },
    RequiresAction {
        reference: GatewayRef,
        action: NextAction,
    },
    /// The gateway works on it; an event or a later read will tell.
    Pending {
        reference: GatewayRef,
    },
    Rejected {
        reference: Option<GatewayRef>,
        decline: Decline,
    },
    Cancelled {
        reference: GatewayRef,
    },
}

impl Outcome {
    /// As a metric's label.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Outcome::Opened { .. } => "opened",
            Outcome::Authorized { .. } => "authorized",
            Outcome::Captured { .. } => "captured",
            Outcome::RequiresAction { .. } => "requires_action",
            Outcome::Pending { .. } => "pending",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Cancelled { .. } => "cancelled",
        }
    }

    pub(crate) fn reference(&self) -> Option<&GatewayRef> {
        match self {
            Outcome::Opened { progress } => progress.reference.as_ref(),
            Outcome::Rejected { reference, .. } => reference.as_ref(),
            Outcome::Authorized { reference, .. }
            | Outcome::Captured { reference, .. }
            | Outcome::RequiresAction { reference, .. }
            | Outcome::Pending { reference }
            | Outcome::Cancelled { reference } => Some(reference),
        }
    }

    /// Whether this leaves nothing unknown about a request of `stage`.
    pub(crate) fn settles(&self, stage: Stage) -> bool {
        match self {
            Outcome::Opened { .. } => false,
            // It lives on: the request to end it may not have arrived yet.
            Outcome::RequiresAction { .. } | Outcome::Pending { .. } => stage != Stage::Cancel,
            Outcome::Authorized { .. }
            | Outcome::Captured { .. }
            | Outcome::Rejected { .. }
            | Outcome::Cancelled { .. } => true,
        }
    }
}
