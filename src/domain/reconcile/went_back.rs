//! The verdict on one refund or dispute that the gateway lists, and on those that it does not.

use std::time::Duration;

use uuid::Uuid;

use super::super::ids::RefundId;
use super::super::message::About;
use super::super::moment::Moment;
use super::super::money_back::{
    Dispute, MoneyBack, MoneyBackState, News, Refund, of_disputes, of_refunds,
};
use super::super::payment::Known;
use super::{Kind, Repair, Verdict, is_young};

/// A refund is missed exactly when reading it would bring news.
pub(crate) fn refund(
    known: Option<&Known>,
    entries: &[MoneyBack],
    listed: &Refund,
    now: Moment,
    patience: Duration,
) -> Verdict {
    let news = of_refunds(entries, std::slice::from_ref(listed), |_| nobody(), now);
    verdict(known, &news, Kind::RefundMissed, About::Refunds).unless(young(known, now, patience))
}

/// The same of a dispute.
pub(crate) fn dispute(
    known: Option<&Known>,
    entries: &[MoneyBack],
    listed: &Dispute,
    now: Moment,
    patience: Duration,
) -> Verdict {
    let news = of_disputes(entries, std::slice::from_ref(listed), |_| nobody(), now);
    verdict(known, &news, Kind::DisputeMissed, About::Disputes).unless(young(known, now, patience))
}

/// The ledger's money that went back, held against everything that the gateway lists for the payment.
pub(crate) fn missing(
    known: &Known,
    entries: &[MoneyBack],
    refunds: &[Refund],
    disputes: &[Dispute],
    now: Moment,
    patience: Duration,
) -> Verdict {
    let listed = |entry: &MoneyBack| {
        let named = entry.reference.as_ref();
        refunds.iter().any(|one| Some(&one.reference) == named)
            || disputes.iter().any(|one| Some(&one.reference) == named)
    };
    let gone = |entry: &&MoneyBack| entry.state == MoneyBackState::Done;
    let verdict = match entries.iter().filter(gone).all(listed) {
        true => Verdict::Agreed,
        false => Verdict::operator(Kind::ReturnMissing),
    };
    verdict.unless(is_young(known, now, patience))
}

/// Of a payment that is not ours nothing is to be told.
fn verdict(known: Option<&Known>, news: &[News], kind: Kind, about: About) -> Verdict {
    match (known, news) {
        (None, _) => Verdict::NotOurs,
        (Some(_), []) => Verdict::Agreed,
        (Some(_), [_, ..]) => Verdict::repairable(kind, Repair::ReadAnew(about)),
    }
}

fn young(known: Option<&Known>, now: Moment, patience: Duration) -> bool {
    known.is_some_and(|known| is_young(known, now, patience))
}

/// The news are only counted: nobody keeps the name.
fn nobody() -> RefundId {
    RefundId(Uuid::nil())
}
