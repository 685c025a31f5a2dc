//! What a gateway's list of refunds or disputes says that is not known yet. Pure; whatever order and repetition the lists come
//! in, each piece of news comes once.

use super::super::confirmation::Report;
use super::super::ids::{ObjectRef, RefundId};
use super::super::moment::Moment;
use super::super::money::Money;
use super::{Dispute, DisputeState, MoneyBack, MoneyBackKind, MoneyBackState, Refund, RefundState};

/// One entry that is new or has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) entry: MoneyBack,
    /// What Cleeng has to be told of it.
    pub(crate) report: Option<Report>,
    /// What a person has to know of it, as a short fixed word.
    pub(crate) alarm: Option<&'static str>,
}

/// `name` gives what others made an id of ours; the same for the same object, always.
pub(crate) fn of_refunds(
    known: &[MoneyBack],
    listed: &[Refund],
    name: impl Fn(&ObjectRef) -> RefundId,
    now: Moment,
) -> Vec<News> {
    listed
        .iter()
        .filter_map(|refund| {
            let ours = |entry: &&MoneyBack| {
                refund.id == Some(entry.id) || entry.reference.as_ref() == Some(&refund.reference)
            };
            match known.iter().find(ours) {
                Some(entry) => changed(entry, refund),
                None => foreign(refund, &name, now),
            }
        })
        .collect()
}

fn changed(entry: &MoneyBack, refund: &Refund) -> Option<News> {
    let mut entry = entry.clone();
    let before = entry.state;
    entry.reference = Some(refund.reference.clone());
    entry.state = match (&refund.state, before) {
        (RefundState::Done, MoneyBackState::Wanted | MoneyBackState::Pending) => {
            MoneyBackState::Done
        }
        (RefundState::Pending, MoneyBackState::Wanted) => MoneyBackState::Pending,
        // It was given up as refused, and was made all the same.
        (RefundState::Done, MoneyBackState::Failed) if entry.told.is_none() => MoneyBackState::Done,
        (RefundState::Failed { .. }, _) => MoneyBackState::Failed,
        // An older answer than what is known, or nothing new.
        (RefundState::Done | RefundState::Pending, _) => before,
    };
    if entry.state == before {
        return None;
    }
    let done = entry.state == MoneyBackState::Done;
    Some(News {
        report: (done && entry.told.is_none()).then_some(Report::Refunded),
        alarm: match (entry.state, entry.told) {
            (MoneyBackState::Failed, Some(_)) => Some("refund_came_back_after_it_was_reported"),
            (MoneyBackState::Failed, None) => Some("refund_failed"),
            (MoneyBackState::Done, _) if before == MoneyBackState::Failed => {
                Some("refund_made_after_it_counted_as_failed")
            }
            _ => None,
        },
        entry,
    })
}

/// One that was made in the gateway's own dashboard. Until it is done there is nothing to tell.
fn foreign(refund: &Refund, name: &impl Fn(&ObjectRef) -> RefundId, now: Moment) -> Option<News> {
    if refund.state != RefundState::Done {
        return None;
    }
    Some(News {
        entry: MoneyBack {
            kind: MoneyBackKind::ForeignRefund,
            reason: "refunded at the payment gateway".to_owned(),
            ..new_entry(
                refund.id.unwrap_or_else(|| name(&refund.reference)),
                &refund.reference,
                refund.amount,
                now,
            )
        },
        report: Some(Report::Refunded),
        alarm: None,
    })
}

/// A dispute counts from the moment that the money is withdrawn. Cleeng has no way back: one that is won later is told to a
/// person.
pub(crate) fn of_disputes(
    known: &[MoneyBack],
    listed: &[Dispute],
    name: impl Fn(&ObjectRef) -> RefundId,
    now: Moment,
) -> Vec<News> {
    listed
        .iter()
        .filter_map(|dispute| {
            let ours = |entry: &&MoneyBack| entry.reference.as_ref() == Some(&dispute.reference);
            match (known.iter().find(ours), dispute.state) {
                (None, DisputeState::Open | DisputeState::Lost) => Some(News {
                    entry: MoneyBack {
                        kind: MoneyBackKind::Chargeback,
                        reason: "chargeback".to_owned(),
                        ..new_entry(
                            name(&dispute.reference),
                            &dispute.reference,
                            dispute.amount,
                            now,
                        )
                    },
                    report: Some(Report::ChargedBack),
                    alarm: Some("chargeback"),
                }),
                (Some(entry), DisputeState::Won) if entry.state == MoneyBackState::Done => {
                    Some(News {
                        entry: MoneyBack {
                            state: MoneyBackState::Reversed,
                            ..entry.clone()
                        },
                        report: None,
                        alarm: Some("dispute_won_after_it_was_reported"),
                    })
                }
                (None, DisputeState::Inquiry | DisputeState::Won) | (Some(_), _) => None,
            }
        })
        .collect()
}

fn new_entry(id: RefundId, reference: &ObjectRef, amount: Money, now: Moment) -> MoneyBack {
    MoneyBack {
        id,
        kind: MoneyBackKind::ForeignRefund,
        amount,
        state: MoneyBackState::Done,
        reference: Some(reference.clone()),
        reason: String::new(),
        cleeng_payment_id: None,
        attempt: None,
        told: None,
        created_at: now,
    }
}
