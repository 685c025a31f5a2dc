//! The next step about an event of a subscription that its gateway bills: a pure decision over what is stored, so that a
//! process that dies between two of Cleeng's calls is taken up where it was.

use std::time::Duration;

use super::{
    Access, AccessKind, Bill, Case, Cause, ExternalEvent, Happened, Held, Linked, Progress,
    Standing, Turn,
};
use crate::domain::ids::CleengPaymentId;
use crate::domain::moment::Moment;

/// What is known when a step is chosen. What is read of Cleeng is of this run only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) event: &'a ExternalEvent,
    pub(crate) case: &'a Case,
    /// The search for the access by the gateway's id of the subscription. The outer `None`: not asked yet.
    pub(crate) found: Option<&'a Option<Held>>,
    /// The read of the access that is linked.
    pub(crate) seen: Option<&'a Option<Held>>,
    /// Cleeng refused what this run asked it to do.
    pub(crate) is_refused: bool,
    pub(crate) now: Moment,
    /// A lost answer is read back only after this.
    pub(crate) settle_time: Duration,
}

/// One thing to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write down that the payment's record is being sent, then send it.
    Record,
    /// An answer may have been lost, and Cleeng may still be working on it.
    Settle {
        left: Duration,
    },
    /// Search Cleeng for the access.
    Find,
    /// Write down which access it is, and how far Cleeng has it paid.
    Link(Held),
    /// Give the access, paid by this record.
    Create {
        payment: CleengPaymentId,
    },
    /// Read the access that is linked.
    Look(Access),
    Act(Access, Act),
    Wait(&'static str),
    Done(&'static str),
    /// An operator has to look.
    Keep(Kept),
}

/// A change of an access. Each may be asked for twice without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Renew {
        payment: CleengPaymentId,
        until: Option<Moment>,
    },
    /// It ran out before its renewal was known here.
    Revive {
        until: Moment,
    },
    Cancel,
    Terminate(Cause),
    Transfer,
}

/// Why nothing more is done by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The answer to the payment's record was lost, and no read shows it.
    AnswerLost,
    Refused,
    /// Neither a subscription nor a pass.
    OtherOffer,
    /// The gateway took money for what it had ended.
    PaidAfterItsEnd,
    /// Cleeng, or somebody there, ended it before it ran out.
    EndedAtCleeng,
    UnknownAtCleeng,
}

impl Kept {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Kept::AnswerLost => "payment_answer_lost",
            Kept::Refused => "refused",
            Kept::OtherOffer => "other_offer",
            Kept::PaidAfterItsEnd => "paid_after_its_end",
            Kept::EndedAtCleeng => "ended_at_cleeng",
            Kept::UnknownAtCleeng => "unknown_at_cleeng",
        }
    }
}

pub(crate) fn next(facts: &Facts<'_>) -> Step {
    match &facts.event.happened {
        Happened::Paid { bill, paid_until } => paid(facts, bill, *paid_until),
        Happened::Unpaid { bill, .. } => unpaid(facts, bill),
        Happened::Cancelled => changed(facts, Act::Cancel),
        Happened::Ended(cause) => changed(facts, Act::Terminate(*cause)),
        Happened::Transferred => changed(facts, Act::Transfer),
    }
}

/// Its record, then the access. The first bill waits for nothing: all others wait for it.
fn paid(facts: &Facts<'_>, bill: &Bill, until: Option<Moment>) -> Step {
    if AccessKind::of_offer(&facts.event.offer_id).is_none() {
        return Step::Keep(Kept::OtherOffer);
    }
    match (bill.turn, &facts.case.linked) {
        (Turn::Later, _) if facts.case.is_earlier_open => return Step::Wait(EARLIER),
        (Turn::Later, None) => return beginning(facts),
        (Turn::Later, Some(_)) | (Turn::First, _) => {}
    }
    let payment = match recorded(facts, bill) {
        Ok(payment) => payment,
        Err(step) => return step,
    };
    match (&facts.case.linked, facts.found) {
        (Some(linked), _) => lengthen(facts, linked, payment, bill, until),
        (None, None) => Step::Find,
        // The answer that it was made was lost; Cleeng makes no second one with the same external id.
        (None, Some(Some(held))) => Step::Link(held.clone()),
        (None, Some(None)) if facts.is_refused => Step::Keep(Kept::Refused),
        (None, Some(None)) => Step::Create { payment },
    }
}

/// A record only. That of a later bill names the subscription where there is one.
fn unpaid(facts: &Facts<'_>, bill: &Bill) -> Step {
    let wants_link = bill.turn == Turn::Later && facts.case.linked.is_none();
    match (facts.case.progress, facts.found) {
        (Some(Progress::Recorded { .. }), _) => Step::Done("rejection_recorded"),
        (Some(Progress::Sending { since }), _) => match left(facts, since) {
            Some(left) => Step::Settle { left },
            // A rejection leaves nothing that can be read.
            None => Step::Keep(Kept::AnswerLost),
        },
        (None, None) if wants_link => Step::Find,
        (None, Some(Some(held))) if wants_link => Step::Link(held.clone()),
        (None, _) => Step::Record,
    }
}

fn recorded(facts: &Facts<'_>, bill: &Bill) -> Result<CleengPaymentId, Step> {
    let since = match facts.case.progress {
        Some(Progress::Recorded { payment }) => return Ok(payment),
        None => return Err(Step::Record),
        Some(Progress::Sending { since }) => since,
    };
    if let Some(left) = left(facts, since) {
        return Err(Step::Settle { left });
    }
    // Cleeng shows no payment by itself, only the latest one of an access.
    Err(match (&facts.case.linked, facts.seen, facts.found) {
        (Some(linked), None, _) => Step::Look(linked.access),
        (Some(_), Some(Some(held)), _) if is_paid_by(held, bill) => Step::Done("found_recorded"),
        (Some(_), Some(_), _) | (None, _, Some(None)) => Step::Keep(Kept::AnswerLost),
        (None, _, None) => Step::Find,
        (None, _, Some(Some(held))) => Step::Link(held.clone()),
    })
}

fn lengthen(
    facts: &Facts<'_>,
    linked: &Linked,
    payment: CleengPaymentId,
    bill: &Bill,
    until: Option<Moment>,
) -> Step {
    if linked.last_payment.as_deref() == Some(&bill.payment.0) {
        return Step::Done("access_given");
    }
    match linked.ended_at {
        Some(ended) if facts.event.happened_at <= ended => {
            return Step::Done("paid_before_its_end");
        }
        Some(_) => return Step::Keep(Kept::PaidAfterItsEnd),
        None => {}
    }
    // A later renewal was faster: it is never made shorter again.
    if until.is_some() && is_not_before(linked.paid_until, until) {
        return Step::Done("paid_for_already");
    }
    let held = match facts.seen {
        None => return Step::Look(linked.access),
        Some(None) => return Step::Keep(Kept::UnknownAtCleeng),
        Some(Some(held)) if is_paid_by(held, bill) => return Step::Link(held.clone()),
        Some(Some(_)) if facts.is_refused => return Step::Keep(Kept::Refused),
        Some(Some(held)) => held,
    };
    let is_over =
        held.standing == Standing::Ended && linked.access.kind == AccessKind::Subscription;
    match (is_over, until) {
        (false, _) => Step::Act(linked.access, Act::Renew { payment, until }),
        // It ran out by itself; who ends it sooner means it.
        (true, Some(until)) if is_not_before(held.paid_until, linked.paid_until) => {
            Step::Act(linked.access, Act::Revive { until })
        }
        (true, _) => Step::Keep(Kept::EndedAtCleeng),
    }
}

fn changed(facts: &Facts<'_>, act: Act) -> Step {
    if facts.case.is_earlier_open {
        return Step::Wait(EARLIER);
    }
    let Some(linked) = &facts.case.linked else {
        return beginning(facts);
    };
    if linked.ended_at.is_some() {
        return Step::Done("ended_before");
    }
    if linked.access.kind == AccessKind::Pass && act == Act::Cancel {
        return Step::Done("runs_out_by_itself");
    }
    if !facts.is_refused {
        return Step::Act(linked.access, act);
    }
    match (facts.seen, act) {
        (None, _) => Step::Look(linked.access),
        (Some(None), _) => Step::Keep(Kept::UnknownAtCleeng),
        (Some(Some(held)), _) if held.standing == Standing::Ended => Step::Done("ended_already"),
        (Some(Some(held)), Act::Cancel) if held.standing == Standing::Stopped => {
            Step::Done("cancelled_already")
        }
        (Some(Some(_)), _) => Step::Keep(Kept::Refused),
    }
}

const EARLIER: &str = "an earlier event of the subscription comes first";

/// What is not linked may have begun before this connector was there.
fn beginning(facts: &Facts<'_>) -> Step {
    match facts.found {
        None => Step::Find,
        Some(Some(held)) => Step::Link(held.clone()),
        Some(None) => Step::Wait("the subscription's beginning is not known yet"),
    }
}

fn left(facts: &Facts<'_>, since: Moment) -> Option<Duration> {
    facts
        .settle_time
        .checked_sub(facts.now.since(since))
        .filter(|left| !left.is_zero())
}

fn is_paid_by(held: &Held, bill: &Bill) -> bool {
    held.last_payment.as_deref() == Some(&bill.payment.0)
}

/// Cleeng counts in seconds. What is not known is before everything.
fn is_not_before(one: Option<Moment>, other: Option<Moment>) -> bool {
    one.map(Moment::unix_seconds) >= other.map(Moment::unix_seconds)
}

#[cfg(test)]
mod tests;
