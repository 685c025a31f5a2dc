//! What a gateway said about a payment, in words that every gateway shares.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::attempt::Stage;
use super::ids::GatewayRef;
use super::moment::Moment;
use super::money::Money;
use super::money_back::{Refund, RefundState};
use super::secret::Secret;

/// Who or what can help after a decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
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
    pub(crate) const ALL: [DeclineClass; 6] = [
        DeclineClass::Soft,
        DeclineClass::Technical,
        DeclineClass::NeedsCustomer,
        DeclineClass::Hard,
        DeclineClass::Fraud,
        DeclineClass::InvalidOrder,
    ];

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
        DeclineClass::ALL
            .into_iter()
            .find(|class| class.label() == text)
    }
}

/// A definite no, with the gateway's most specific code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Decline {
    pub(crate) class: DeclineClass,
    #[schema(example = "insufficient_funds")]
    pub(crate) code: String,
}

/// What the payer's browser has to do next; serialises as the HTTP API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum NextAction {
    /// Send the payer to this page; the bank sends the payer back to `returnUrl`.
    Redirect {
        #[schema(value_type = String, format = "uri")]
        url: Secret<String>,
    },
    /// Let Stripe's script in the browser do what is to be done.
    StripeSdk {
        #[schema(rename = "clientSecret", value_type = String)]
        client_secret: Secret<String>,
        #[schema(rename = "publishableKey")]
        publishable_key: String,
    },
    /// Hand this to the gateway's own script.
    Gateway {
        #[schema(value_type = Object)]
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
    /// The authorisation ran out before it was captured: the hold is gone, and nothing can be taken any more.
    Lapsed {
        reference: Option<GatewayRef>,
    },
    /// The answer to a refund. What it leaves of the payment is told only by all of its refunds together.
    Refunded {
        reference: GatewayRef,
        refund: Refund,
    },
    /// A method was kept, and nothing was charged.
    Saved {
        reference: GatewayRef,
        stored: StoredMethod,
    },
    /// A kept method is forgotten at the gateway, now or since longer.
    Removed,
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
            Outcome::Lapsed { .. } => "lapsed",
            Outcome::Refunded { refund, .. } => match refund.state {
                RefundState::Done => "refunded",
                RefundState::Pending => "refund_pending",
                RefundState::Failed { .. } => "refund_failed",
            },
            Outcome::Saved { .. } => "saved",
            Outcome::Removed => "removed",
        }
    }

    pub(crate) fn reference(&self) -> Option<&GatewayRef> {
        match self {
            Outcome::Opened { progress } => progress.reference.as_ref(),
            Outcome::Rejected { reference, .. } | Outcome::Lapsed { reference } => {
                reference.as_ref()
            }
            Outcome::Removed => None,
            Outcome::Authorized { reference, .. }
            | Outcome::Captured { reference, .. }
            | Outcome::RequiresAction { reference, .. }
            | Outcome::Pending { reference }
            | Outcome::Cancelled { reference }
            | Outcome::Refunded { reference, .. }
            | Outcome::Saved { reference, .. } => Some(reference),
        }
    }

    /// Whether this can be the answer to a request of `stage`. What was to be taken or given up is no hold any more; an answer that
    /// says anything else says nothing about the request.
    pub(crate) fn answers(&self, stage: Stage) -> bool {
        match stage {
            Stage::Capture | Stage::Void => self.settles(stage),
            Stage::Customer
            | Stage::Create
            | Stage::Charge
            | Stage::Cancel
            | Stage::Refund
            | Stage::Save
            | Stage::Remove => true,
        }
    }

    /// Whether this leaves nothing unknown about a request of `stage`.
    pub(crate) fn settles(&self, stage: Stage) -> bool {
        match self {
            Outcome::Opened { .. } => false,
            // It lives on: the request to end it may not have arrived yet.
            Outcome::RequiresAction { .. } | Outcome::Pending { .. } => {
                matches!(
                    stage,
                    Stage::Customer | Stage::Create | Stage::Charge | Stage::Save
                )
            }
            // Still held: the request to take it, or to give it up, may not have arrived yet.
            Outcome::Authorized { .. } => stage.is_of_checkout(),
            // The state of the payment tells nothing about one refund, nor about a kept method.
            Outcome::Captured { .. } | Outcome::Lapsed { .. } => {
                stage.is_of_checkout() || matches!(stage, Stage::Capture | Stage::Void)
            }
            // A decline is of a card that a payer gave: no answer to what is done about a hold.
            Outcome::Rejected { .. } => stage.is_of_checkout() || stage == Stage::Save,
            Outcome::Cancelled { .. } => !matches!(stage, Stage::Refund | Stage::Remove),
            Outcome::Refunded { .. } => stage == Stage::Refund,
            Outcome::Saved { .. } => stage == Stage::Save,
            Outcome::Removed => stage == Stage::Remove,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_payment_says_does_not_settle_a_refund() {
        let reference = GatewayRef("pi_1".to_owned());
        let amount = Money {
            minor: 999,
            currency: "EUR".parse().unwrap(),
        };
        let captured = Outcome::Captured {
            reference: reference.clone(),
            amount,
            stored: None,
        };
        let held = Outcome::Authorized {
            reference: reference.clone(),
            amount,
            stored: None,
            capture_before: None,
        };
        let lapsed = Outcome::Lapsed {
            reference: Some(reference.clone()),
        };
        let works = Outcome::Pending {
            reference: reference.clone(),
        };
        let declined = Outcome::Rejected {
            reference: None,
            decline: Decline {
                class: DeclineClass::Soft,
                code: "insufficient_funds".to_owned(),
            },
        };
        let ended = Outcome::Cancelled { reference };
        for (outcome, charge, capture, void, refund, remove) in [
            (captured, true, true, true, false, false),
            (held, true, false, false, false, false),
            (lapsed, true, true, true, false, false),
            (ended, true, true, true, false, false),
            (works, true, false, false, false, false),
            (declined, true, false, false, false, false),
            (Outcome::Removed, false, false, false, false, true),
        ] {
            let settled = [
                Stage::Charge,
                Stage::Capture,
                Stage::Void,
                Stage::Refund,
                Stage::Remove,
            ]
            .map(|stage| outcome.settles(stage));
            assert_eq!(
                settled,
                [charge, capture, void, refund, remove],
                "{}",
                outcome.label()
            );
        }
    }
}
