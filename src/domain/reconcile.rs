//! Gateway, ledger and Cleeng held against each other: three views of one payment, and the verdict on them. Pure.
//!
//! A verdict never asks for money to be moved: what may follow from it is to read the gateway anew, or to tell Cleeng again.

mod judge;
mod kind;
mod went_back;

use super::confirmation::{Confirmation, ConfirmationId, Delivery, Report};
use super::ids::{GatewayRef, PaymentId};
use super::message::About;
use super::moment::Moment;
use super::money::Money;
use super::payment::Known;

pub(crate) use judge::{Views, judge};
pub(crate) use kind::Kind;
pub(crate) use went_back::{dispute, missing, refund};

/// A charge as the gateway shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) reference: GatewayRef,
    /// Our payment, where the gateway carries its id along.
    pub(crate) carries: Option<PaymentId>,
    pub(crate) state: ChargeState,
}

/// How far a charge is, as far as money is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChargeState {
    /// Begun; nothing was asked of the bank yet, or the payer has to act.
    Open,
    /// The gateway works on it.
    Pending,
    Held(Money),
    Taken(Money),
    /// Declined, cancelled or run out: no money is with us.
    Ended,
}

/// What is known of the gateway's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtGateway<'a> {
    Shows(&'a Charge),
    /// It was asked for the ledger's id, and has nothing of that name.
    Lacks,
    /// It was not asked: there is no id to ask by, nothing was to be charged, or it could not be read.
    NotAsked,
}

/// What Cleeng's reads say of the news that it is believed to have. Most payments have no read that could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Evidence {
    /// A read shows the record.
    Proved,
    /// A read shows that there is none.
    Contradicted,
    /// A read shows that somebody else's payment, unknown to the ledger, stands where ours should.
    PaidByOthers,
    /// Cleeng offers no read that could tell.
    CannotBeRead,
    /// Cleeng is not believed to have anything of it.
    NothingTold,
    /// The read failed: nothing was found out.
    Unread,
}

/// What came of holding the views against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing contradicts: all that can be compared is the same.
    Agreed,
    /// It changes right now, or has time left: no difference counts yet.
    UnderWay,
    /// Nothing of ours: no money, or another application's.
    NotOurs,
    Disagreed {
        kind: Kind,
        repair: Option<Repair>,
    },
}

/// What can be done about a disagreement without a person. None of it moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Queue what the gateway's lost webhook would have queued: it is read anew.
    ReadAnew(About),
    /// Queue the confirmation's message again; the confirmer looks before it sends.
    TellAgain(ConfirmationId),
    /// Take a confirmation up that was given up, as a replay of its dead letter does.
    TakeUp(ConfirmationId),
}

impl Evidence {
    pub(crate) const ALL: [Evidence; 6] = [
        Evidence::Proved,
        Evidence::Contradicted,
        Evidence::PaidByOthers,
        Evidence::CannotBeRead,
        Evidence::NothingTold,
        Evidence::Unread,
    ];

    /// As reports and a metric's label spell it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Evidence::Proved => "proved",
            Evidence::Contradicted => "contradicted",
            Evidence::PaidByOthers => "paid_by_others",
            Evidence::CannotBeRead => "cannot_be_read",
            Evidence::NothingTold => "nothing_told",
            Evidence::Unread => "unread",
        }
    }
}

impl Verdict {
    fn operator(kind: Kind) -> Verdict {
        Verdict::Disagreed { kind, repair: None }
    }

    fn repairable(kind: Kind, repair: Repair) -> Verdict {
        Verdict::Disagreed {
            kind,
            repair: Some(repair),
        }
    }

    /// While something changes no difference counts.
    fn unless(self, under_way: bool) -> Verdict {
        match self {
            Verdict::Disagreed { .. } if under_way => Verdict::UnderWay,
            Verdict::Agreed | Verdict::UnderWay | Verdict::NotOurs | Verdict::Disagreed { .. } => {
                self
            }
        }
    }
}

impl ChargeState {
    /// The money that is taken or held.
    pub(crate) fn money(self) -> Option<Money> {
        match self {
            ChargeState::Held(money) | ChargeState::Taken(money) => Some(money),
            ChargeState::Open | ChargeState::Pending | ChargeState::Ended => None,
        }
    }
}

/// The news that Cleeng can be asked about: the last that says what became of the payment, delivered or given up. None while
/// such news are on their way, or when there are none.
pub(crate) fn subject(known: &Known) -> Option<&Confirmation> {
    let last = known
        .confirmations
        .iter()
        .rev()
        .find(|one| is_status(one.report))?;
    match last.delivery {
        Delivery::Delivered { .. } | Delivery::DeadLettered => Some(last),
        Delivery::Queued | Delivery::Sending { .. } => None,
    }
}

/// Whether the report says what became of the payment itself.
fn is_status(report: Report) -> bool {
    match report {
        Report::Authorized | Report::Captured | Report::Rejected | Report::Cancelled => true,
        Report::Refunded
        | Report::ChargedBack
        | Report::DetailsMade
        | Report::DetailsAttached
        | Report::DetailsReplaced => false,
    }
}

/// Whether the payment changed within `patience`: its messages may still be on their way.
fn is_young(known: &Known, now: Moment, patience: std::time::Duration) -> bool {
    now.since(known.payment.updated_at) < patience
}

#[cfg(test)]
mod tests;
