//! What to do about an authorisation: take what it holds, or give it up. Pure.

use super::super::attempt::{Attempt, AttemptState, Stage};
use super::super::failure::Cause;
use super::super::ids::GatewayRef;
use super::super::moment::Moment;
use super::super::payment::{Known, Status};
use super::{MOST_ATTEMPTS, Seen, Step};

/// What is done about an authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FollowUp {
    Capture,
    Void,
}

impl FollowUp {
    fn stage(self) -> Stage {
        match self {
            FollowUp::Capture => Stage::Capture,
            FollowUp::Void => Stage::Void,
        }
    }
}

/// The next step. A payment that is no authorisation any more has had its end, whoever made it; one that is none yet is
/// waited for.
pub(super) fn next(wanted: FollowUp, known: &Known, seen: Seen, now: Moment) -> Step {
    match (known.payment.status, known.payment.reference()) {
        (Status::Authorized, Some(reference)) => held(wanted, known, reference, seen, now),
        (Status::Authorized, None) | (Status::Failed, _) => Step::Failed,
        (
            Status::Accepted
            | Status::Processing
            | Status::RequiresAction
            | Status::Pending
            | Status::InDoubt,
            _,
        ) => Step::AwaitGateway,
        (
            Status::Captured
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::Rejected
            | Status::Cancelled
            | Status::Expired,
            _,
        ) => Step::Rest,
    }
}

fn held(wanted: FollowUp, known: &Known, reference: &GatewayRef, seen: Seen, now: Moment) -> Step {
    let is_open = |one: &&Attempt| one.state.is_open() && one.request.stage == wanted.stage();
    match known.attempts.iter().rev().find(is_open) {
        Some(attempt) => open(attempt, reference, seen, now),
        None if known.attempts.len() >= MOST_ATTEMPTS => Step::Fail,
        None => Step::Follow(wanted),
    }
}

/// The payment itself tells whether the request was done: it is read before anything is sent again.
fn open(attempt: &Attempt, reference: &GatewayRef, seen: Seen, now: Moment) -> Step {
    let surely_not_done = matches!(attempt.state, AttemptState::NotDone(_));
    let spent = attempt.state == AttemptState::Unknown(Cause::StoredError);
    match seen {
        Seen::Nothing if !surely_not_done => Step::LookUp(reference.clone()),
        Seen::Nothing | Seen::Untouched | Seen::Answer
            if spent || now >= attempt.key_expires_at =>
        {
            Step::Reopen(attempt.id)
        }
        Seen::Nothing | Seen::Untouched | Seen::Answer => Step::Send(attempt.id),
    }
}

#[cfg(test)]
mod tests;
