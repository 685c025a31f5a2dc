//! A payment: what is known of one thing to be paid, and the states that it can be in.

mod details;
mod renewal;
mod resolution;
mod transition;
mod whose;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::attempt::Attempt;
use super::confirmation::Confirmation;
use super::ids::{CustomerId, GatewayName, GatewayRef, OrderId, PaymentId};
use super::moment::Moment;
use super::money::Money;
use super::outcome::{Decline, NextAction, Progress, StoredMethod};
use super::secret::Secret;

pub(crate) use details::{DetailsChange, NO_ORDER};
pub(crate) use renewal::{Renewal, Take};
pub(crate) use resolution::{NotResolvable, Resolution, resolve};
pub(crate) use transition::{Transition, apply, expire, set};

/// The state of a payment, as the HTTP API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// The command is in the queue.
    Accepted,
    /// A worker has begun.
    Processing,
    /// The payer has to do something.
    RequiresAction,
    /// The gateway works on it.
    Pending,
    /// A charge was sent and its answer lost: whether money moved is being found out.
    InDoubt,
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    ChargedBack,
    Rejected,
    Cancelled,
    /// Not charged: the time to do so had passed.
    Expired,
    /// Cannot go on without an operator.
    Failed,
}

impl Status {
    pub(crate) const ALL: [Status; 14] = [
        Status::Accepted,
        Status::Processing,
        Status::RequiresAction,
        Status::Pending,
        Status::InDoubt,
        Status::Authorized,
        Status::Captured,
        Status::PartiallyRefunded,
        Status::Refunded,
        Status::ChargedBack,
        Status::Rejected,
        Status::Cancelled,
        Status::Expired,
        Status::Failed,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Status::Accepted => "accepted",
            Status::Processing => "processing",
            Status::RequiresAction => "requires_action",
            Status::Pending => "pending",
            Status::InDoubt => "in_doubt",
            Status::Authorized => "authorized",
            Status::Captured => "captured",
            Status::PartiallyRefunded => "partially_refunded",
            Status::Refunded => "refunded",
            Status::ChargedBack => "charged_back",
            Status::Rejected => "rejected",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
            Status::Failed => "failed",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.label() == text)
    }

    /// Whether the checkout is over: a charge command has nothing more to do.
    pub(crate) fn is_final(self) -> bool {
        match self {
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt => false,
            Status::Authorized
            | Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::Rejected
            | Status::Cancelled
            | Status::Expired
            | Status::Failed => true,
        }
    }

    /// Whether the order is taken by this payment: no other one may be started for it.
    ///
    /// `Failed` holds it as well: an operator has to say whether money moved.
    pub(crate) fn holds_order(self) -> bool {
        match self {
            Status::Rejected | Status::Cancelled | Status::Expired => false,
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt
            | Status::Authorized
            | Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::Failed => true,
        }
    }
}

/// What is paid for, in Cleeng's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// A purchase at the checkout; the payer is there.
    InitialPayment,
    /// A renewal with a stored method; the payer is not there.
    RecurringPayment,
    /// A purchase that costs nothing now (a trial, a coupon for all of it): the method is kept and nothing is charged. It follows
    /// from the order, once that is read.
    InitialFreeTransaction,
    /// Nothing is bought: a method is kept, to take the place of another one.
    #[serde(rename = "payment-details-modification")]
    PaymentDetails,
}

impl Operation {
    const ALL: [Operation; 4] = [
        Operation::InitialPayment,
        Operation::RecurringPayment,
        Operation::InitialFreeTransaction,
        Operation::PaymentDetails,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Operation::InitialPayment => "initial-payment",
            Operation::RecurringPayment => "recurring-payment",
            Operation::InitialFreeTransaction => "initial-free-transaction",
            Operation::PaymentDetails => "payment-details-modification",
        }
    }

    pub(crate) fn from_label(text: &str) -> Option<Operation> {
        Operation::ALL
            .into_iter()
            .find(|operation| operation.label() == text)
    }
}

/// What is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    /// The gateway's own tokenised object, as the front end got it; `save` asks for a token for renewals.
    New { payload: Secret<Value>, save: bool },
    /// The token of a [`StoredMethod`].
    Stored { token: Secret<String> },
}

/// What Cleeng's order says, copied when it was read: this is what is charged, whatever the front end said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderFacts {
    pub(crate) amount: Money,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) expires_at: Option<Moment>,
}

/// One thing to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    /// Grows by one with each commit; also the sequence of the payment's history.
    pub(crate) version: i64,
    /// [`NO_ORDER`] with [`Operation::PaymentDetails`]; see [`Payment::paid_order`].
    pub(crate) order_id: OrderId,
    pub(crate) gateway: GatewayName,
    pub(crate) operation: Operation,
    /// With [`Operation::RecurringPayment`] only.
    pub(crate) renewal: Option<Renewal>,
    /// With [`Operation::PaymentDetails`] only: then there is no order, and nothing is charged.
    pub(crate) details: Option<DetailsChange>,
    /// Whose token asked for it: the order has to be theirs. None of what a server or a demand of Cleeng's asked for.
    pub(crate) asked_by: Option<CustomerId>,
    pub(crate) status: Status,
    pub(crate) method: Method,
    pub(crate) return_url: Option<String>,
    /// Absent until the order has been read and found payable.
    pub(crate) order: Option<OrderFacts>,
    pub(crate) progress: Progress,
    pub(crate) next_action: Option<NextAction>,
    pub(crate) decline: Option<Decline>,
    pub(crate) stored: Option<StoredMethod>,
    /// The command is known to be in the queue. Says nothing once a worker has begun.
    pub(crate) published: bool,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    /// After this the charge is not begun any more.
    pub(crate) expires_at: Moment,
}

/// All that the ledger knows of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) payment: Payment,
    /// In order of their numbers.
    pub(crate) attempts: Vec<Attempt>,
    /// In order of their sequence.
    pub(crate) confirmations: Vec<Confirmation>,
}

impl Known {
    /// Forgets what may not be kept: a final payment needs its token no more, neither in its method nor in the bytes of its
    /// closed attempts. An open attempt may have to be sent again.
    pub(crate) fn forget_tokens(&mut self) {
        if !self.payment.status.is_final() {
            return;
        }
        match &mut self.payment.method {
            Method::New { payload, .. } => {
                *payload = Secret::new(Value::Object(serde_json::Map::new()));
            }
            Method::Stored { token } => *token = Secret::new(String::new()),
        }
        for attempt in &mut self.attempts {
            if !attempt.state.is_open() {
                attempt.request.body = Secret::new(String::new());
            }
        }
    }
}

impl Payment {
    /// Whether the method is kept and nothing is charged: there is no order, or it costs nothing now.
    pub(crate) fn is_free(&self) -> bool {
        let costs_nothing = |order: &OrderFacts| order.amount.minor == 0;
        self.details.is_some()
            || (self.renewal.is_none() && self.order.as_ref().is_some_and(costs_nothing))
    }

    pub(crate) fn reference(&self) -> Option<&GatewayRef> {
        self.progress.reference.as_ref()
    }
}
