//! What to do next about a payment: a pure decision over what the ledger knows and what this run has seen.
//!
//! The rules, in the order of their weight: a redelivery never makes a new key while an old one may have done something; an
//! unknown outcome is read by the gateway's id where there is one, and replayed under its own key where there is none; after
//! the deadline nothing is begun, and what was begun is ended at the gateway before the payment counts as expired.

mod follow_up;

use super::attempt::{Attempt, AttemptState, Stage};
use super::failure::Cause;
use super::ids::{AttemptId, GatewayRef};
use super::moment::Moment;
use super::money_back::plan::Errand;
use super::payment::{Known, Payment, Status};

pub(crate) use follow_up::FollowUp;

/// More requests than this for one payment are a loop, not progress.
const MOST_ATTEMPTS: usize = 20;

/// Why a worker looks at a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The command to charge it, or one of its redeliveries.
    Charge,
    /// The payer says that the action is done.
    Continue,
    /// The gateway says that something happened to this object.
    Event(GatewayRef),
    /// Cleeng has what the payment's authorisation holds taken.
    Capture,
    /// What the payment's authorisation holds is given up.
    Void,
    /// Money goes back, which has a plan of its own: [`super::money_back::plan`].
    MoneyBack(Errand),
    /// A sweep found the payment not settled. Its command may wait in the ladder, or lie with the dead letters.
    Sweep,
}

/// What this run has learned from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    /// A read says that the payment exists there and that no money has moved.
    Untouched,
    /// A definite answer, which is already part of what is known.
    Answer,
}

/// Why a payment cannot be settled by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The gateway may have forgotten the key, and there is no id to read by.
    KeyExpired,
    /// The gateway only repeats a stored error, and there is no id to read by.
    StoredError,
}

impl Doubt {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Doubt::KeyExpired => "key_expired",
            Doubt::StoredError => "stored_error",
        }
    }
}

/// One thing to do; afterwards the plan is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read Cleeng's order: what is to be charged.
    ReadOrder,
    /// Write down the next request of the charge, then send it.
    Begin,
    /// Write down the request that takes what is held, or gives it up, then send it.
    Follow(FollowUp),
    /// Send this attempt's bytes under its key: it was surely not done, or a replay is safe.
    Send(AttemptId),
    /// Read the payment's state at the gateway.
    LookUp(GatewayRef),
    /// The key is spent and surely did nothing: close the attempt; the next one gets a new key.
    Reopen(AttemptId),
    /// The deadline has passed: end the payment at the gateway, so that it cannot be charged any more.
    Cancel(GatewayRef),
    /// The deadline has passed and nothing can happen at the gateway any more.
    Expire,
    /// Come back after a while: the payer has until the deadline.
    AwaitPayer,
    /// Come back after a while: the gateway works on it.
    AwaitGateway,
    /// Only an operator can settle it.
    Stuck(Doubt),
    /// Too many requests for one payment: something loops.
    Fail,
    /// It has failed before: its message belongs to the dead letters.
    Failed,
    /// The event is about another object of the gateway than this payment's.
    Foreign,
    /// There is nothing to do.
    Rest,
}

/// The next step for `known`, at `now`.
pub(crate) fn next(trigger: &Trigger, known: &Known, seen: Seen, now: Moment) -> Step {
    match trigger {
        Trigger::Charge => charge(known, seen, now),
        Trigger::Sweep => sweep(charge(known, seen, now)),
        Trigger::Capture => follow_up::next(FollowUp::Capture, known, seen, now),
        Trigger::Void => follow_up::next(FollowUp::Void, known, seen, now),
        Trigger::MoneyBack(_) => Step::Rest,
        Trigger::Continue => read_once(&known.payment, known.payment.reference(), seen),
        Trigger::Event(reference) => match known.payment.reference() {
            Some(own) if own != reference => Step::Foreign,
            Some(_) | None => read_once(&known.payment, Some(reference), seen),
        },
    }
}

/// A sweep does what can be done now; what has to wait or needs an operator is left to the payment's own command.
fn sweep(step: Step) -> Step {
    match step {
        Step::Stuck(_) | Step::Failed | Step::AwaitPayer | Step::AwaitGateway => Step::Rest,
        Step::ReadOrder
        | Step::Begin
        | Step::Follow(_)
        | Step::Send(_)
        | Step::LookUp(_)
        | Step::Reopen(_)
        | Step::Cancel(_)
        | Step::Expire
        | Step::Fail
        | Step::Foreign
        | Step::Rest => step,
    }
}

/// News about a payment are never believed, they are a reason to read. Charging on is left to the charge command.
fn read_once(payment: &Payment, reference: Option<&GatewayRef>, seen: Seen) -> Step {
    match (payment.status, seen, reference) {
        (
            Status::Captured | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack,
            _,
            _,
        ) => Step::Rest,
        (_, Seen::Nothing, Some(reference)) => Step::LookUp(reference.clone()),
        (_, Seen::Nothing, None) | (_, Seen::Untouched | Seen::Answer, _) => Step::Rest,
    }
}

fn charge(known: &Known, seen: Seen, now: Moment) -> Step {
    let payment = &known.payment;
    if payment.status == Status::Failed {
        return Step::Failed;
    }
    if payment.status.is_final() {
        return Step::Rest;
    }
    if let Some(attempt) = known
        .attempts
        .iter()
        .rev()
        .find(|attempt| attempt.state.is_open())
    {
        return open_attempt(payment, attempt, seen, now);
    }
    let late = now >= payment.expires_at;
    match (payment.status, payment.reference(), seen) {
        (Status::Pending, Some(reference), Seen::Nothing) => Step::LookUp(reference.clone()),
        (Status::Pending, _, _) => Step::AwaitGateway,
        (Status::RequiresAction, _, _) if !late => Step::AwaitPayer,
        (Status::RequiresAction, Some(reference), Seen::Nothing) => Step::LookUp(reference.clone()),
        (_, Some(reference), _) if late => Step::Cancel(reference.clone()),
        (_, None, _) if late => Step::Expire,
        _ if known.attempts.len() >= MOST_ATTEMPTS => Step::Fail,
        _ if payment.order.is_none() && payment.details.is_none() => Step::ReadOrder,
        _ => Step::Begin,
    }
}

/// What to do about a request whose effect is not known, or that was surely not done.
fn open_attempt(payment: &Payment, attempt: &Attempt, seen: Seen, now: Moment) -> Step {
    match (attempt.request.stage, payment.reference()) {
        (Stage::Customer | Stage::Create, _) | (Stage::Save, None) => {
            harmless(attempt, payment, now)
        }
        (Stage::Charge | Stage::Cancel | Stage::Save, Some(reference)) => {
            readable(payment, attempt, reference, seen, now)
        }
        (Stage::Charge | Stage::Cancel, None) => unreadable(payment, attempt, now),
        // Left to the command that began it: a charge knows neither its key's end nor what it gave back.
        (Stage::Capture | Stage::Void | Stage::Refund | Stage::Remove, _) => Step::Rest,
    }
}

/// A request that moves no money: repeated under its key, or given up.
fn harmless(attempt: &Attempt, payment: &Payment, now: Moment) -> Step {
    if now >= payment.expires_at {
        // An event may have told the id that the request's own lost answer did not.
        let made = payment.reference().cloned();
        return made.map_or(Step::Expire, Step::Cancel);
    }
    let spent = attempt.state == AttemptState::Unknown(Cause::StoredError);
    if spent || now >= attempt.key_expires_at {
        Step::Reopen(attempt.id)
    } else {
        Step::Send(attempt.id)
    }
}

/// The gateway can be asked by the payment's id: always ask first, then act on what it says.
fn readable(
    payment: &Payment,
    attempt: &Attempt,
    reference: &GatewayRef,
    seen: Seen,
    now: Moment,
) -> Step {
    let late = now >= payment.expires_at && attempt.request.stage != Stage::Cancel;
    let surely_not_done = matches!(attempt.state, AttemptState::NotDone(_));
    match seen {
        Seen::Nothing if !surely_not_done => Step::LookUp(reference.clone()),
        _ if late => Step::Cancel(reference.clone()),
        _ if attempt.state == AttemptState::Unknown(Cause::StoredError) => Step::Reopen(attempt.id),
        _ if now >= attempt.key_expires_at => Step::Reopen(attempt.id),
        Seen::Nothing | Seen::Untouched | Seen::Answer => Step::Send(attempt.id),
    }
}

/// The gateway cannot be asked: the key is all there is. A replay is made even after the deadline, since only its answer can
/// tell whether the first try took the money.
fn unreadable(payment: &Payment, attempt: &Attempt, now: Moment) -> Step {
    let key_alive = now < attempt.key_expires_at;
    let surely_not_done = matches!(attempt.state, AttemptState::NotDone(_));
    if surely_not_done && now >= payment.expires_at {
        Step::Expire
    } else if surely_not_done && !key_alive {
        Step::Reopen(attempt.id)
    } else if attempt.state == AttemptState::Unknown(Cause::StoredError) {
        Step::Stuck(Doubt::StoredError)
    } else if key_alive {
        Step::Send(attempt.id)
    } else {
        Step::Stuck(Doubt::KeyExpired)
    }
}

#[cfg(test)]
mod tests;
