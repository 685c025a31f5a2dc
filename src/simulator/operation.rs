//! The names under which calls are counted and faults are ordered.

use super::Party;

/// One kind of call, of one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    StripeCreate,
    StripeConfirm,
    StripeCapture,
    StripeCancel,
    StripeRefund,
    StripeSetup,
    StripeMethod,
    StripeCustomer,
    StripeRead,
    StripeWebhook,
    SimulatedCharge,
    SimulatedCapture,
    SimulatedCancel,
    SimulatedRefund,
    SimulatedMethod,
    SimulatedRead,
    SimulatedWebhook,
    CleengOrder,
    CleengPayment,
    CleengDetails,
    CleengSubscription,
    CleengRead,
    CleengKeys,
    CleengWebhook,
}

impl Operation {
    pub(crate) const ALL: [Operation; 24] = [
        Operation::StripeCreate,
        Operation::StripeConfirm,
        Operation::StripeCapture,
        Operation::StripeCancel,
        Operation::StripeRefund,
        Operation::StripeSetup,
        Operation::StripeMethod,
        Operation::StripeCustomer,
        Operation::StripeRead,
        Operation::StripeWebhook,
        Operation::SimulatedCharge,
        Operation::SimulatedCapture,
        Operation::SimulatedCancel,
        Operation::SimulatedRefund,
        Operation::SimulatedMethod,
        Operation::SimulatedRead,
        Operation::SimulatedWebhook,
        Operation::CleengOrder,
        Operation::CleengPayment,
        Operation::CleengDetails,
        Operation::CleengSubscription,
        Operation::CleengRead,
        Operation::CleengKeys,
        Operation::CleengWebhook,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::StripeCreate => "stripe.create",
            Operation::StripeConfirm => "stripe.confirm",
            Operation::StripeCapture => "stripe.capture",
            Operation::StripeCancel => "stripe.cancel",
            Operation::StripeRefund => "stripe.refund",
            Operation::StripeSetup => "stripe.setup",
            Operation::StripeMethod => "stripe.method",
            Operation::StripeCustomer => "stripe.customer",
            Operation::StripeRead => "stripe.read",
            Operation::StripeWebhook => "stripe.webhook",
            Operation::SimulatedCharge => "simulated.charge",
            Operation::SimulatedCapture => "simulated.capture",
            Operation::SimulatedCancel => "simulated.cancel",
            Operation::SimulatedRefund => "simulated.refund",
            Operation::SimulatedMethod => "simulated.method",
            Operation::SimulatedRead => "simulated.read",
            Operation::SimulatedWebhook => "simulated.webhook",
            Operation::CleengOrder => "cleeng.order",
            Operation::CleengPayment => "cleeng.payment",
            Operation::CleengDetails => "cleeng.details",
            Operation::CleengSubscription => "cleeng.subscription",
            Operation::CleengRead => "cleeng.read",
            Operation::CleengKeys => "cleeng.keys",
            Operation::CleengWebhook => "cleeng.webhook",
        }
    }

    pub(crate) fn is_webhook(self) -> bool {
        matches!(
            self,
            Operation::StripeWebhook | Operation::SimulatedWebhook | Operation::CleengWebhook
        )
    }

    /// Cleeng's webhooks suffer as webhooks only: they are sent when their time comes, not by a call.
    pub(crate) fn causes_webhooks(self) -> bool {
        !matches!(
            self,
            Operation::CleengOrder
                | Operation::CleengPayment
                | Operation::CleengDetails
                | Operation::CleengSubscription
                | Operation::CleengRead
                | Operation::CleengKeys
                | Operation::StripeRead
                | Operation::SimulatedRead
        )
    }

    /// The operation of a webhook that this party sends.
    pub(crate) fn webhook_of(party: Party) -> Option<Operation> {
        match party {
            Party::Stripe => Some(Operation::StripeWebhook),
            Party::Simulated => Some(Operation::SimulatedWebhook),
            Party::Cleeng => Some(Operation::CleengWebhook),
        }
    }
}
