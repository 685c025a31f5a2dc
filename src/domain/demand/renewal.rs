//! What to do when a subscription's next cycle is to be paid: a pure decision over the payments that the ledger has of it.
//!
//! A cycle is paid once, whatever comes: webhooks twice, late and out of order, several tries of Cleeng's dunning at once. The
//! ledger holds a cycle as it holds an order; here it is decided what a webhook still adds to what is there.

use super::super::ids::PaymentId;
use super::super::moment::Moment;
use super::super::payment::{Known, Payment, Renewal, Status, Take};
use super::Due;

/// What Cleeng says of the subscription now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// It is to be renewed: neither ended nor paused.
    pub(crate) active: bool,
    pub(crate) externally_managed: bool,
    /// When the cycle that is paid for now ends.
    pub(crate) paid_until: Option<Moment>,
}

/// Which of the two topics it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Authorisation,
    Capture,
}

/// All that the decision is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) wanted: Wanted,
    pub(crate) due: &'a Due,
    /// The payment that an earlier run of this very demand has made.
    pub(crate) own: Option<&'a Known>,
    /// The demand was met before, and came again: it may take what is reserved, and begins nothing of its own any more.
    pub(crate) met_before: bool,
    /// The subscription's payments, newest first.
    pub(crate) payments: &'a [Known],
    /// Once it was read; `Some(None)`: Cleeng has no such subscription.
    pub(crate) subscription: Option<Option<Subscription>>,
    /// Once Cleeng's authorised payments were read: whether one of them is none of ours.
    pub(crate) foreign: Option<bool>,
}

/// One thing to do about the demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    ReadSubscription,
    /// Read which payments Cleeng has as authorised with these payment details.
    ReadAuthorised,
    /// Have Cleeng make the order, and take the payment of this cycle in.
    Pay {
        take: Take,
        due_at: Moment,
    },
    /// Queue the command that charges it; it is that command's work from there on.
    Charge(PaymentId),
    /// Queue the command that captures it.
    Capture(PaymentId),
    /// Come back after a while.
    Wait(&'static str),
    /// Nothing more is to be done.
    Done {
        outcome: &'static str,
        payment: Option<PaymentId>,
    },
    /// An operator has to look.
    Keep(&'static str),
}

pub(crate) fn next(facts: &Facts<'_>) -> Step {
    if let Some(own) = facts.own {
        return own_payment(&own.payment);
    }
    let Some(due_at) = facts.due.due_at.or_else(|| paid_until(facts)) else {
        return match facts.subscription {
            None => Step::ReadSubscription,
            Some(_) => Step::Keep("no_due_date"),
        };
    };
    if let Some(holder) = holder(facts.payments, due_at) {
        return held(facts.wanted, holder);
    }
    if facts.met_before {
        return done("met_before");
    }
    if facts.wanted == Wanted::Capture {
        match facts.foreign {
            None => return Step::ReadAuthorised,
            Some(true) => return Step::Keep("authorized_by_others"),
            Some(false) => {}
        }
    }
    let take = match facts.wanted {
        Wanted::Authorisation => Take::Reserve,
        Wanted::Capture => Take::AtOnce,
    };
    match facts.subscription {
        None => Step::ReadSubscription,
        Some(None) => done("unknown_subscription"),
        Some(Some(now)) if now.externally_managed => Step::Keep("externally_managed"),
        Some(Some(now)) if !now.active => done("subscription_ended"),
        Some(Some(now)) if now.paid_until.is_some_and(|until| until > due_at) => {
            done("renewed_already")
        }
        Some(Some(_)) => Step::Pay { take, due_at },
    }
}

fn done(outcome: &'static str) -> Step {
    Step::Done {
        outcome,
        payment: None,
    }
}

fn paid_until(facts: &Facts<'_>) -> Option<Moment> {
    facts.subscription.flatten()?.paid_until
}

/// The payment of this cycle that is under way, reserved, paid, or with the operator.
fn holder(payments: &[Known], due_at: Moment) -> Option<&Payment> {
    let is_of_cycle = |renewal: Option<Renewal>| renewal.is_some_and(|one| one.due_at == due_at);
    payments
        .iter()
        .map(|known| &known.payment)
        .find(|payment| is_of_cycle(payment.renewal) && payment.status.holds_order())
}

/// An earlier run may have been killed before the payment's command was queued.
fn own_payment(payment: &Payment) -> Step {
    match payment.status {
        Status::Accepted => Step::Charge(payment.id),
        Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt
        | Status::Authorized
        | Status::Captured
        | Status::PartiallyRefunded
        | Status::Refunded
        | Status::ChargedBack
        | Status::Rejected
        | Status::Cancelled
        | Status::Expired
        | Status::Failed => Step::Done {
            outcome: "begun",
            payment: Some(payment.id),
        },
    }
}

/// What a webhook adds to the payment that the cycle has.
fn held(wanted: Wanted, payment: &Payment) -> Step {
    let done = |outcome| Step::Done {
        outcome,
        payment: Some(payment.id),
    };
    let reserves = payment.renewal.is_some_and(|one| one.take == Take::Reserve);
    match (wanted, payment.status) {
        (Wanted::Capture, Status::Authorized) => Step::Capture(payment.id),
        (Wanted::Authorisation, Status::Authorized) => done("authorized_already"),
        // Its own command goes on with it; but what is to be captured has to be reserved first.
        (
            Wanted::Capture,
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt,
        ) if reserves => Step::Wait("the authorisation is under way"),
        (
            Wanted::Authorisation | Wanted::Capture,
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt,
        ) => done("under_way"),
        (_, Status::Failed) => Step::Keep("payment_failed"),
        (
            _,
            Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::Rejected
            | Status::Cancelled
            | Status::Expired,
        ) => done("paid_already"),
    }
}
