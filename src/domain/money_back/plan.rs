//! What to do next about one refund that we make: a pure decision, as for a charge. A refund is found by our own id in the
//! gateway's list; so a lost answer is read, and never guessed at.

use super::super::attempt::{Attempt, AttemptState};
use super::super::failure::Cause;
use super::super::ids::AttemptId;
use super::super::moment::Moment;
use super::super::payment::Known;
use super::{MoneyBack, MoneyBackState};

/// More requests than this for one payment are a loop, not progress.
const MOST_ATTEMPTS: usize = 200;

/// Why a worker looks at what goes back of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// The command to make this refund.
    Refund(super::super::ids::RefundId),
    /// The gateway says that something happened to the payment's refunds.
    ReadRefunds,
    /// The same of its disputes.
    ReadDisputes,
}

/// One thing to do; afterwards the plan is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write down the request, then send it.
    Begin,
    /// Send this attempt's bytes under its key.
    Send(AttemptId),
    /// Read the payment's refunds at the gateway.
    Read,
    /// The key is spent and surely did nothing: close the attempt; the next one gets a new key.
    Reopen(AttemptId),
    /// Come back after a while: the gateway works on it.
    Await,
    /// Too many requests: something loops.
    Fail,
    /// There is nothing to do.
    Rest,
}

/// The next step for `entry`; `listed`: this run has read the gateway's list, and what it says is part of the entry.
pub(crate) fn next(entry: &MoneyBack, known: &Known, listed: bool, now: Moment) -> Step {
    match entry.state {
        MoneyBackState::Done | MoneyBackState::Failed | MoneyBackState::Reversed => Step::Rest,
        MoneyBackState::Pending if listed => Step::Await,
        MoneyBackState::Pending => Step::Read,
        MoneyBackState::Wanted => match own_attempt(entry, known) {
            Some(attempt) if attempt.state.is_open() => open(attempt, listed, now),
            // Answered, and yet wanted: it came to nothing that is known. The list tells.
            Some(attempt) if attempt.state == AttemptState::Answered && !listed => Step::Read,
            Some(attempt) if attempt.state == AttemptState::Answered => Step::Fail,
            Some(_) | None if known.attempts.len() >= MOST_ATTEMPTS => Step::Fail,
            Some(_) | None => Step::Begin,
        },
    }
}

fn own_attempt<'a>(entry: &MoneyBack, known: &'a Known) -> Option<&'a Attempt> {
    let number = entry.attempt?;
    known.attempts.iter().find(|one| one.number == number)
}

fn open(attempt: &Attempt, listed: bool, now: Moment) -> Step {
    let surely_not_done = matches!(attempt.state, AttemptState::NotDone(_));
    let spent = attempt.state == AttemptState::Unknown(Cause::StoredError);
    if !surely_not_done && !listed {
        Step::Read
    } else if spent || now >= attempt.key_expires_at {
        Step::Reopen(attempt.id)
    } else {
        Step::Send(attempt.id)
    }
}
