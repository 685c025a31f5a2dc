//! Compares what was accepted with both books, payment by payment. Pure.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;

use crate::simulator::{Recorded, Taken};

/// How many violations are listed.
const LISTED: usize = 20;

/// One payment that was sent, and the answer it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) order_id: u64,
    pub(crate) amount: i64,
    pub(crate) answer: Answer,
}

/// One renewal that Cleeng asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renewal {
    pub(crate) subscription_id: u64,
    pub(crate) amount: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Uuid),
    /// Nothing may come of it.
    Refused,
    /// No answer came: it may have been accepted or not.
    Lost,
}

/// What came of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) lost: usize,
    /// Of those lost, how many both books have.
    pub(crate) lost_and_found: usize,
    /// Asked for by Cleeng.
    pub(crate) renewals: usize,
    pub(crate) taken: usize,
    pub(crate) recorded: usize,
    /// Of the connector's own ledger; nothing when it could not be asked.
    pub(crate) delivered: Option<u64>,
    pub(crate) violations: usize,
    /// The first of them.
    pub(crate) listed: Vec<String>,
}

impl Verification {
    pub(crate) fn violate(&mut self, text: String) {
        self.violations = self.violations.saturating_add(1);
        if self.listed.len() < LISTED {
            self.listed.push(text);
        }
    }

    /// The connector's own count of delivered confirmations has to be that of the books.
    pub(crate) fn compare_ledger(&mut self, delivered: u64) {
        self.delivered = Some(delivered);
        if usize::try_from(delivered) != Ok(self.recorded) {
            let recorded = self.recorded;
            self.violate(format!(
                "the connector's ledger has {delivered} delivered confirmations, Cleeng's book {recorded} records"
            ));
        }
    }
}

/// Every accepted payment has one charge of its amount at the gateway and one record of that charge at Cleeng, and neither
/// book holds anything else, but for payments whose answer was lost: those are in both books or in neither. The same holds for
/// every renewal, which is found by its subscription.
pub(crate) fn verify(
    sent: &[Sent],
    renewals: &[Renewal],
    taken: &[Taken],
    recorded: &[Recorded],
) -> Verification {
    let mut result = Verification {
        renewals: renewals.len(),
        taken: taken.len(),
        recorded: recorded.len(),
        ..Verification::default()
    };
    let of_order = |record: &&Recorded| record.subscription_id.is_none();
    let mut at_gateway = group(taken, |taken| taken.reference.clone());
    let mut at_cleeng = group(recorded.iter().filter(of_order), |record| record.order_id);
    let any_lost = sent.iter().any(|sent| sent.answer == Answer::Lost);
    let by_id: HashMap<&str, &Taken> = taken
        .iter()
        .filter(|_| any_lost || !renewals.is_empty())
        .map(|taken| (taken.id.as_str(), taken))
        .collect();
    for sent in sent {
        let records = at_cleeng.remove(&sent.order_id).unwrap_or_default();
        match sent.answer {
            Answer::Accepted(id) => {
                result.accepted = result.accepted.saturating_add(1);
                let charges = at_gateway.remove(&id.to_string()).unwrap_or_default();
                let wanted = Wanted::of(sent, id);
                compare(&mut result, &wanted, &charges, &records);
            }
            Answer::Refused => {
                result.refused = result.refused.saturating_add(1);
                for record in records {
                    result.violate(format!(
                        "order {}: refused, and Cleeng has {}",
                        sent.order_id, record.external_id
                    ));
                }
            }
            Answer::Lost => {
                result.lost = result.lost.saturating_add(1);
                let first = records.first();
                if let Some(charge) = first.and_then(|first| by_id.get(first.external_id.as_str()))
                {
                    result.lost_and_found = result.lost_and_found.saturating_add(1);
                    let charges = at_gateway.remove(&charge.reference).unwrap_or_default();
                    let wanted = Wanted::of(sent, &charge.reference);
                    compare(&mut result, &wanted, &charges, &records);
                } else if let Some(record) = records.first() {
                    result.violate(format!(
                        "order {}: Cleeng has {}, and no gateway has",
                        sent.order_id, record.external_id
                    ));
                }
            }
        }
    }
    let mut renewed = group(recorded, |record| record.subscription_id);
    for renewal in renewals {
        let records = renewed.remove(&Some(renewal.subscription_id));
        let records = records.unwrap_or_default();
        let first = records.first();
        let charge = first.and_then(|first| by_id.get(first.external_id.as_str()));
        let charges = charge.and_then(|charge| at_gateway.remove(&charge.reference));
        let wanted = Wanted {
            what: format!("renewal of subscription {}", renewal.subscription_id),
            amount: renewal.amount,
        };
        compare(&mut result, &wanted, &charges.unwrap_or_default(), &records);
    }
    renewed.remove(&None);
    let left = at_cleeng.into_values().chain(renewed.into_values());
    leftovers(&mut result, &at_gateway, left.flatten());
    result
}

/// What both books should have, once.
struct Wanted {
    what: String,
    amount: i64,
}

impl Wanted {
    fn of(sent: &Sent, id: impl std::fmt::Display) -> Wanted {
        Wanted {
            what: format!("payment {id} of order {}", sent.order_id),
            amount: sent.amount,
        }
    }
}

fn group<'a, T, K: std::hash::Hash + Eq>(
    book: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&T) -> K,
) -> HashMap<K, Vec<&'a T>> {
    let mut groups: HashMap<K, Vec<&T>> = HashMap::new();
    for entry in book {
        groups.entry(key(entry)).or_default().push(entry);
    }
    groups
}

fn compare(result: &mut Verification, wanted: &Wanted, charges: &[&Taken], records: &[&Recorded]) {
    let Wanted { what, amount } = wanted;
    let ([charge], [record]) = (charges, records) else {
        let (charged, recorded) = (charges.len(), records.len());
        result.violate(format!(
            "{what}: {charged} charges at the gateway, {recorded} records at Cleeng"
        ));
        return;
    };
    if charge.amount != *amount || record.amount != *amount {
        result.violate(format!(
            "{what}: {amount} wanted, {} charged, {} recorded",
            charge.amount, record.amount
        ));
    }
    if record.external_id != charge.id {
        result.violate(format!(
            "{what}: charged as {}, recorded as {}",
            charge.id, record.external_id
        ));
    }
    if !record.captured {
        result.violate(format!("{what}: recorded, but not as captured"));
    }
}

fn leftovers<'a>(
    result: &mut Verification,
    at_gateway: &HashMap<String, Vec<&Taken>>,
    at_cleeng: impl Iterator<Item = &'a Recorded>,
) {
    for charge in at_gateway.values().flatten() {
        result.violate(format!(
            "charge {} of {} belongs to no accepted payment",
            charge.id, charge.reference
        ));
    }
    for record in at_cleeng {
        result.violate(format!(
            "Cleeng has {} for order {}, which nobody sent",
            record.external_id, record.order_id
        ));
    }
}

#[cfg(test)]
#[path = "tests/verify.rs"]
mod tests;
