//! What to do when a subscription's next cycle is to be paid: a pure decision over the payments that the ledger has of it.
//!
//! A cycle is paid once, whatever comes: webhooks twice, late and out of order, several tries of Cleeng's dunning at once. The
//! ledger holds a cycle as it holds an order; here it is decided what a webhook still adds to what is there.

use std::time::Duration;

use super::super::ids::PaymentId;
use super::super::moment::Moment;
use super::super::payment::{Known, Payment, Renewal, Status, Take};
use super::Due;

/// A date that Cleeng moved by less than this still means the same end of a cycle: the shortest cycle is a day.
const SAME_END: Duration = Duration::from_secs(12 * 60 * 60);

/// So long before the due date Cleeng asks for an authorisation at the earliest (72 hours by default), and for a capture.
const EARLIEST_AUTHORISATION: Duration = Duration::from_secs(8 * 24 * 60 * 60);
const EARLIEST_CAPTURE: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a subscription is to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    /// Ended, stopped or paused.
    Over,
    /// A word that we do not know.
    Unknown,
}

/// What Cleeng says of the subscription now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) standing: Standing,
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
    if let Some(step) = facts.own.and_then(|own| own_payment(&own.payment)) {
        return step;
    }
    let due_at = match due_at(facts) {
        Ok(due_at) => due_at,
        Err(step) => return step,
    };
    if let Some(holder) = holder(facts.payments, due_at) {
        return held(facts.wanted, holder);
    }
    if facts.met_before || facts.own.is_some() {
        return done("met_before");
    }
    if let Some(why) = contradiction(facts, due_at) {
        return Step::Keep(why);
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
        Some(Some(now)) if renewed(now, due_at) => done("renewed_already"),
        Some(Some(now)) => match now.standing {
            Standing::Active => Step::Pay { take, due_at },
            Standing::Over => done("subscription_ended"),
            Standing::Unknown => Step::Keep("subscription_status_unknown"),
        },
    }
}

fn done(outcome: &'static str) -> Step {
    Step::Done {
        outcome,
        payment: None,
    }
}

/// The end of the cycle before, as the webhook says it. Else as the subscription does, if that can be the one that was meant:
/// by the time we look it may have been renewed, and would name the next one.
fn due_at(facts: &Facts<'_>) -> Result<Moment, Step> {
    if let Some(said) = facts.due.due_at {
        return Ok(said);
    }
    let Some(subscription) = facts.subscription else {
        return Err(Step::ReadSubscription);
    };
    let Some(until) = subscription.and_then(|now| now.paid_until) else {
        return Err(Step::Keep("no_due_date"));
    };
    let earliest = match facts.wanted {
        Wanted::Authorisation => EARLIEST_AUTHORISATION,
        Wanted::Capture => EARLIEST_CAPTURE,
    };
    match until > facts.due.attempt_at.plus(earliest) {
        true => Err(Step::Keep("due_date_unsure")),
        false => Ok(until),
    }
}

fn renewed(now: Subscription, due_at: Moment) -> bool {
    now.paid_until
        .is_some_and(|until| until > due_at.plus(SAME_END))
}

/// Why nothing may be begun, though the cycle has no payment that holds it.
fn contradiction(facts: &Facts<'_>, due_at: Moment) -> Option<&'static str> {
    let payments = || facts.payments.iter().map(|known| &known.payment);
    let reserves = |one: &&Payment| {
        let take = one.renewal.map(|renewal| renewal.take);
        let open = one.status == Status::Authorized || !one.status.is_final();
        open && take == Some(Take::Reserve)
    };
    if payments().any(|one| reserves(&one)) {
        return Some("reserved_for_another_date");
    }
    let details = facts.due.payment_details_id;
    let given_up = |one: &Payment| {
        let same =
            |renewal: Renewal| renewal.due_at == due_at && renewal.payment_details_id == details;
        one.status == Status::Cancelled && one.renewal.is_some_and(same)
    };
    (facts.wanted == Wanted::Capture && payments().any(given_up)).then_some("given_up")
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
fn own_payment(payment: &Payment) -> Option<Step> {
    match payment.status {
        Status::Accepted => Some(Step::Charge(payment.id)),
        // It came to nothing: what others reserved meanwhile may still be captured.
        Status::Rejected | Status::Cancelled | Status::Expired => None,
        Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt
        | Status::Authorized
        | Status::Captured
        | Status::PartiallyRefunded
        | Status::Refunded
        | Status::ChargedBack
        | Status::Failed => Some(Step::Done {
            outcome: "begun",
            payment: Some(payment.id),
        }),
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
