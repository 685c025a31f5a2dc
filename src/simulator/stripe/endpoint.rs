//! Stripe's endpoints: path and method on one side, checked parameters on the other.

use super::params::Shape;
use super::shapes;
use crate::simulator::operation::Operation;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    CreateCustomer,
    ReadCustomer(String),
    CreateIntent,
    ListIntents,
    ReadIntent(String),
    Confirm(String),
    Capture(String),
    Cancel(String),
    CreateSetup,
    ReadSetup(String),
    ConfirmSetup(String),
    CancelSetup(String),
    ReadMethod(String),
    Attach(String),
    Detach(String),
    CreateRefund,
    ListRefunds,
    ReadRefund(String),
    ListDisputes,
    ReadDispute(String),
    ListEvents,
    ReadEvent(String),
}

impl Endpoint {
    pub(crate) fn of(method: &str, segments: &[&str]) -> Option<Self> {
        let endpoint = match (method, segments) {
            ("POST", ["customers"]) => Endpoint::CreateCustomer,
            ("GET", ["customers", id]) => Endpoint::ReadCustomer((*id).to_owned()),
            ("POST", ["payment_intents"]) => Endpoint::CreateIntent,
            ("GET", ["payment_intents"]) => Endpoint::ListIntents,
            ("GET", ["payment_intents", id]) => Endpoint::ReadIntent((*id).to_owned()),
            ("POST", ["payment_intents", id, "confirm"]) => Endpoint::Confirm((*id).to_owned()),
            ("POST", ["payment_intents", id, "capture"]) => Endpoint::Capture((*id).to_owned()),
            ("POST", ["payment_intents", id, "cancel"]) => Endpoint::Cancel((*id).to_owned()),
            ("POST", ["setup_intents"]) => Endpoint::CreateSetup,
            ("GET", ["setup_intents", id]) => Endpoint::ReadSetup((*id).to_owned()),
            ("POST", ["setup_intents", id, "confirm"]) => Endpoint::ConfirmSetup((*id).to_owned()),
            ("POST", ["setup_intents", id, "cancel"]) => Endpoint::CancelSetup((*id).to_owned()),
            ("GET", ["payment_methods", id]) => Endpoint::ReadMethod((*id).to_owned()),
            ("POST", ["payment_methods", id, "attach"]) => Endpoint::Attach((*id).to_owned()),
            ("POST", ["payment_methods", id, "detach"]) => Endpoint::Detach((*id).to_owned()),
            ("POST", ["refunds"]) => Endpoint::CreateRefund,
            ("GET", ["refunds"]) => Endpoint::ListRefunds,
            ("GET", ["refunds", id]) => Endpoint::ReadRefund((*id).to_owned()),
            ("GET", ["disputes"]) => Endpoint::ListDisputes,
            ("GET", ["disputes", id]) => Endpoint::ReadDispute((*id).to_owned()),
            ("GET", ["events"]) => Endpoint::ListEvents,
            ("GET", ["events", id]) => Endpoint::ReadEvent((*id).to_owned()),
            _ => return None,
        };
        Some(endpoint)
    }

    pub(crate) fn shape(&self) -> &'static Shape {
        match self {
            Endpoint::CreateCustomer => &shapes::CUSTOMER_CREATE,
            Endpoint::CreateIntent => &shapes::INTENT_CREATE,
            Endpoint::ListIntents => &shapes::INTENT_LIST,
            Endpoint::ReadIntent(_) | Endpoint::ReadSetup(_) => &shapes::INTENT_READ,
            Endpoint::CreateSetup => &shapes::SETUP_CREATE,
            Endpoint::ConfirmSetup(_) => &shapes::SETUP_CONFIRM,
            Endpoint::CancelSetup(_) => &shapes::SETUP_CANCEL,
            Endpoint::Confirm(_) => &shapes::INTENT_CONFIRM,
            Endpoint::Capture(_) => &shapes::INTENT_CAPTURE,
            Endpoint::Cancel(_) => &shapes::INTENT_CANCEL,
            Endpoint::Attach(_) => &shapes::METHOD_ATTACH,
            Endpoint::CreateRefund => &shapes::REFUND_CREATE,
            Endpoint::ListRefunds => &shapes::REFUND_LIST,
            Endpoint::ListDisputes => &shapes::DISPUTE_LIST,
            Endpoint::ListEvents => &shapes::EVENT_LIST,
            Endpoint::ReadCustomer(_)
            | Endpoint::ReadMethod(_)
            | Endpoint::Detach(_)
            | Endpoint::ReadRefund(_)
            | Endpoint::ReadDispute(_)
            | Endpoint::ReadEvent(_) => &shapes::EXPAND_ONLY,
        }
    }

    /// A creation that confirms in the same call moves money, so it counts as a confirmation.
    pub(crate) fn operation(&self, confirms: bool) -> Operation {
        match self {
            Endpoint::CreateIntent if confirms => Operation::StripeConfirm,
            Endpoint::CreateIntent => Operation::StripeCreate,
            Endpoint::Confirm(_) => Operation::StripeConfirm,
            Endpoint::Capture(_) => Operation::StripeCapture,
            Endpoint::Cancel(_) => Operation::StripeCancel,
            Endpoint::CreateRefund => Operation::StripeRefund,
            Endpoint::CreateCustomer => Operation::StripeCustomer,
            Endpoint::CreateSetup | Endpoint::ConfirmSetup(_) | Endpoint::CancelSetup(_) => {
                Operation::StripeSetup
            }
            Endpoint::Attach(_) | Endpoint::Detach(_) => Operation::StripeMethod,
            Endpoint::ReadCustomer(_)
            | Endpoint::ReadSetup(_)
            | Endpoint::ListIntents
            | Endpoint::ReadIntent(_)
            | Endpoint::ReadMethod(_)
            | Endpoint::ListRefunds
            | Endpoint::ReadRefund(_)
            | Endpoint::ListDisputes
            | Endpoint::ReadDispute(_)
            | Endpoint::ListEvents
            | Endpoint::ReadEvent(_) => Operation::StripeRead,
        }
    }
}
