//! The verdict on one payment: the gateway's side first, then what Cleeng is owed, then what Cleeng's reads say.

use std::time::Duration;

use super::super::confirmation::{Confirmation, Delivery, Report};
use super::super::message::About;
use super::super::moment::Moment;
use super::super::payment::{Known, Payment, Status};
use super::{AtGateway, Charge, ChargeState, Evidence, Kind, Repair, Verdict};
use super::{is_status, is_young, subject};

/// Three views of one payment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Views<'a> {
    pub(crate) gateway: AtGateway<'a>,
    pub(crate) ledger: Option<&'a Known>,
    pub(crate) cleeng: Evidence,
    /// The gateway bills subscriptions itself: charges that carry no id of ours are expected there.
    pub(crate) bills_itself: bool,
}

/// What the ledger believes of a payment, as far as money is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    Unsettled,
    Held,
    Taken,
    NoMoney,
    Failed,
}

/// The verdict at `now`. A payment that changed within `patience` is under way, whatever differs: the views were not read at
/// one moment.
pub(crate) fn judge(views: &Views<'_>, now: Moment, patience: Duration) -> Verdict {
    let Some(known) = views.ledger else {
        return of_no_payment(views);
    };
    let at_gateway = match views.gateway {
        AtGateway::Shows(charge) => charged(&known.payment, charge, now),
        AtGateway::Lacks => lacking(&known.payment, now),
        AtGateway::NotAsked => not_asked(&known.payment, now),
    };
    let verdict = match at_gateway {
        Verdict::Agreed => told(known, views.cleeng),
        Verdict::UnderWay | Verdict::NotOurs | Verdict::Disagreed { .. } => at_gateway,
    };
    verdict.unless(is_young(known, now, patience))
}

/// The ledger is written before anything is sent, so what it does not know did not come from here, or it has lost it.
fn of_no_payment(views: &Views<'_>) -> Verdict {
    let AtGateway::Shows(charge) = views.gateway else {
        return Verdict::NotOurs;
    };
    let is_expected = charge.carries.is_none() && views.bills_itself;
    match charge.state.money() {
        Some(_) if !is_expected => Verdict::operator(Kind::UnknownCharge),
        Some(_) | None => Verdict::NotOurs,
    }
}

fn charged(payment: &Payment, charge: &Charge, now: Moment) -> Verdict {
    let is_other = payment
        .reference()
        .is_some_and(|own| *own != charge.reference);
    if is_other {
        return match charge.state.money() {
            Some(_) => Verdict::operator(Kind::SecondCharge),
            None => Verdict::NotOurs,
        };
    }
    if let Some(money) = charge.state.money()
        && payment
            .order
            .as_ref()
            .is_some_and(|order| order.amount != money)
    {
        return Verdict::operator(Kind::AmountDiffers);
    }
    let behind = Verdict::repairable(Kind::EventMissed, Repair::ReadAnew(About::Payment));
    match (belief(payment.status), charge.state) {
        (Belief::Taken, ChargeState::Taken(_)) | (Belief::Held, ChargeState::Held(_)) => {
            Verdict::Agreed
        }
        (Belief::NoMoney, ChargeState::Open | ChargeState::Ended) => Verdict::Agreed,
        (Belief::Held, ChargeState::Taken(_) | ChargeState::Ended)
        | (Belief::NoMoney | Belief::Failed, ChargeState::Held(_) | ChargeState::Taken(_))
        | (Belief::Unsettled, ChargeState::Held(_) | ChargeState::Taken(_) | ChargeState::Ended) => {
            behind
        }
        (
            Belief::Taken,
            ChargeState::Open | ChargeState::Pending | ChargeState::Held(_) | ChargeState::Ended,
        )
        | (Belief::Held, ChargeState::Open | ChargeState::Pending) => {
            Verdict::operator(Kind::ChargeMissing)
        }
        (Belief::Failed, ChargeState::Open | ChargeState::Pending | ChargeState::Ended) => {
            Verdict::operator(Kind::Unresolved)
        }
        // The gateway works on it: money may come yet, and its event will tell.
        (Belief::NoMoney | Belief::Unsettled, ChargeState::Pending) => Verdict::UnderWay,
        (Belief::Unsettled, ChargeState::Open) => unsettled(payment, now),
    }
}

fn lacking(payment: &Payment, now: Moment) -> Verdict {
    match belief(payment.status) {
        Belief::Held | Belief::Taken => Verdict::operator(Kind::ChargeMissing),
        Belief::NoMoney => Verdict::Agreed,
        Belief::Failed => Verdict::operator(Kind::Unresolved),
        Belief::Unsettled => unsettled(payment, now),
    }
}

fn not_asked(payment: &Payment, now: Moment) -> Verdict {
    match belief(payment.status) {
        Belief::Held | Belief::Taken | Belief::NoMoney => Verdict::Agreed,
        Belief::Failed => Verdict::operator(Kind::Unresolved),
        Belief::Unsettled => unsettled(payment, now),
    }
}

/// Until its deadline a payment may be anywhere.
fn unsettled(payment: &Payment, now: Moment) -> Verdict {
    match now < payment.expires_at {
        true => Verdict::UnderWay,
        false => Verdict::operator(Kind::Unresolved),
    }
}

/// Where gateway and ledger agree: does Cleeng have what follows?
fn told(known: &Known, cleeng: Evidence) -> Verdict {
    let is_there = |report: Report| known.confirmations.iter().any(|one| one.report == report);
    if let Some(report) = expected(&known.payment)
        && !is_there(report)
    {
        return Verdict::operator(Kind::NeverOwed);
    }
    let undelivered = known
        .confirmations
        .iter()
        .find_map(|one| undelivered(known, one, cleeng));
    undelivered.unwrap_or(match cleeng {
        Evidence::Contradicted => Verdict::operator(Kind::RecordMissing),
        Evidence::PaidByOthers => Verdict::operator(Kind::PaidByOthers),
        Evidence::Proved | Evidence::CannotBeRead | Evidence::NothingTold | Evidence::Unread => {
            Verdict::Agreed
        }
    })
}

/// What Cleeng must have been told of money that is with us.
fn expected(payment: &Payment) -> Option<Report> {
    match belief(payment.status) {
        Belief::Taken => payment.told(Report::Captured),
        Belief::Held => payment.told(Report::Authorized),
        Belief::Unsettled | Belief::NoMoney | Belief::Failed => None,
    }
}

fn undelivered(known: &Known, one: &Confirmation, cleeng: Evidence) -> Option<Verdict> {
    match one.delivery {
        Delivery::Delivered { .. } => None,
        Delivery::Queued | Delivery::Sending { .. } => Some(Verdict::repairable(
            Kind::ConfirmationOwed,
            Repair::TellAgain(one.id),
        )),
        Delivery::DeadLettered => {
            let is_proved = cleeng == Evidence::Proved
                && subject(known).is_some_and(|subject| subject.id == one.id);
            let is_settled = is_proved || is_superseded(known, one);
            (!is_settled)
                .then(|| Verdict::repairable(Kind::ConfirmationDead, Repair::TakeUp(one.id)))
        }
    }
}

/// A payment has one state at a time: who knows the later one need not be told the earlier. Of what went back each counts.
fn is_superseded(known: &Known, dead: &Confirmation) -> bool {
    let later = known
        .confirmations
        .iter()
        .filter(|one| one.sequence > dead.sequence);
    is_status(dead.report)
        && later
            .filter(|one| is_status(one.report))
            .any(|one| matches!(one.delivery, Delivery::Delivered { .. }))
}

fn belief(status: Status) -> Belief {
    match status {
        Status::Accepted
        | Status::Processing
        | Status::RequiresAction
        | Status::Pending
        | Status::InDoubt => Belief::Unsettled,
        Status::Authorized => Belief::Held,
        Status::Captured | Status::PartiallyRefunded | Status::Refunded | Status::ChargedBack => {
            Belief::Taken
        }
        Status::Rejected | Status::Cancelled | Status::Expired => Belief::NoMoney,
        Status::Failed => Belief::Failed,
    }
}
