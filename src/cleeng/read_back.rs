//! Which of Cleeng's reads can tell whether a report was recorded, and what it tells. Pure.
//!
//! There is no read of a payment, and no search by the gateway's id. What there is, and what it can tell:
//!
//! * *Captured, initial, a subscription offer* (also for nothing: a trial): a recorded capture makes a subscription, and the
//!   search for subscriptions of the customer and the offer shows the gateway's id of the latest payment of each (named in an
//!   interface description of Cleeng's, not in the guides).
//! * *Captured, initial, a pass or a single item*: passes can be listed, but neither parameters nor a payment's id are
//!   documented; single items have no read at all. Cannot tell.
//! * *Captured, recurring, a record of its own*: the subscription shows the gateway's id of its latest payment. If that is
//!   another one, ours may be missing, or a later renewal may have hidden it. A later one, and ours too, would have moved the
//!   subscription's end beyond the cycle that ours pays for: only where the end has not moved, and the subscription goes on,
//!   ours is surely missing. (An ended or paused subscription may have been given another end.)
//! * *Authorized, recurring*: the authorised payments of the payment details show the gateway's id. Ours leaves that list only
//!   by a later report of ours, and reports go in order.
//! * *Captured, rejected or cancelled, recurring, where Cleeng has the authorized record*: while the record is listed as
//!   authorized nothing was changed. When it is not, it was changed by us: nobody else changes it.
//! * *Authorized, initial*: the payment's details are made by the very report that is in doubt, so their id is unknown. Cannot
//!   tell.
//! * *Rejected, cancelled, as a record of its own*: they leave nothing that can be read. Cannot tell.
//! * *Money that went back*: no read shows a refund. Cannot tell.

use super::authorised::RecordStatus;
use super::subscription::{Subscription, SubscriptionStatus};
use super::{
    AuthorisedPayment, News, ReadBack, StatusNews, authorised, report, subscription, wire,
};
use crate::domain::failure::CallError;
use crate::domain::ids::{CleengPaymentId, PaymentDetailsId, SubscriptionId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Operation, Payment, Renewal};
use crate::http::{Answer, Purpose, unreadable};

/// A read that can tell, and what to look for in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// Did the customer get a subscription by a payment that the gateway calls so?
    NewSubscription {
        path: String,
        external_id: String,
        since: Moment,
    },
    /// Was the cycle after `due_at` paid by a payment that the gateway calls so?
    Renewed {
        subscription: SubscriptionId,
        external_id: String,
        due_at: Moment,
        /// The record that was to be changed, where there is one.
        record: Option<CleengPaymentId>,
    },
    /// Is a payment reserved that the gateway calls so?
    Reserved {
        details: PaymentDetailsId,
        external_id: String,
    },
    /// Is this record still authorized?
    Unchanged {
        details: PaymentDetailsId,
        record: CleengPaymentId,
    },
}

impl Question {
    pub(super) fn path(&self) -> String {
        match self {
            Question::NewSubscription { path, .. } => path.clone(),
            Question::Renewed { subscription, .. } => format!("/subscriptions/{subscription}"),
            Question::Reserved { details, .. } | Question::Unchanged { details, .. } => {
                authorised::path(*details)
            }
        }
    }
}

/// The read that can tell; none where Cleeng offers none.
pub(super) fn question(payment: &Payment, news: News<'_>) -> Option<Question> {
    let (status, changed) = match news {
        News::Status { status, .. } => (status, news.changed()),
        News::MoneyBack { .. } => return None,
    };
    match (payment.operation, &payment.renewal) {
        (Operation::RecurringPayment, Some(renewal)) => {
            of_renewal(payment, renewal, status, changed)
        }
        (Operation::RecurringPayment, None) | (Operation::PaymentDetails, _) => None,
        (Operation::InitialPayment | Operation::InitialFreeTransaction, _) => {
            of_purchase(payment, status)
        }
    }
}

fn of_renewal(
    payment: &Payment,
    renewal: &Renewal,
    status: StatusNews,
    changed: Option<CleengPaymentId>,
) -> Option<Question> {
    let details = renewal.payment_details_id;
    let external_id = || Some(payment.reference()?.0.clone());
    match (status, changed) {
        (StatusNews::Rejected | StatusNews::Cancelled, Some(record)) => {
            Some(Question::Unchanged { details, record })
        }
        (StatusNews::Authorized, _) => Some(Question::Reserved {
            details,
            external_id: external_id()?,
        }),
        (StatusNews::Captured, record) => Some(Question::Renewed {
            subscription: renewal.subscription_id,
            external_id: external_id()?,
            due_at: renewal.due_at,
            record,
        }),
        (StatusNews::Rejected | StatusNews::Cancelled, None) => None,
    }
}

fn of_purchase(payment: &Payment, status: StatusNews) -> Option<Question> {
    match status {
        StatusNews::Captured => {}
        StatusNews::Authorized | StatusNews::Rejected | StatusNews::Cancelled => return None,
    }
    let order = payment.order.as_ref()?;
    if !order.offer_id.starts_with('S') {
        return None;
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("customerId", &order.customer_id.to_string())
        .append_pair("offerId", &order.offer_id)
        .append_pair("limit", "100")
        .finish();
    Some(Question::NewSubscription {
        path: format!("/subscriptions?{query}"),
        external_id: payment.reference()?.0.clone(),
        since: payment.created_at,
    })
}

/// What the answer says.
pub(super) fn read(answer: &Answer, question: &Question) -> Result<ReadBack, CallError> {
    match question {
        Question::NewSubscription {
            external_id, since, ..
        } => searched(answer, external_id, *since),
        Question::Renewed {
            subscription,
            external_id,
            due_at,
            record,
        } => match subscription::read(answer, *subscription)? {
            Some(found) => Ok(renewed(&found, external_id, *due_at, *record)),
            None => Ok(ReadBack::CannotTell),
        },
        Question::Reserved { external_id, .. } => {
            authorised::read(answer).map(|list| reserved(&list, external_id))
        }
        Question::Unchanged { record, .. } => {
            let is_it = |one: &AuthorisedPayment| {
                one.id == *record && one.status == RecordStatus::Authorized
            };
            authorised::read(answer).map(|list| match list.iter().any(is_it) {
                true => ReadBack::NotRecorded,
                false => ReadBack::Recorded(Some(*record)),
            })
        }
    }
}

fn searched(answer: &Answer, external_id: &str, since: Moment) -> Result<ReadBack, CallError> {
    if !answer.is_success() {
        return Err(report::refusal(answer, Purpose::Read));
    }
    let found: wire::Subscriptions =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    let is_ours =
        |one: &wire::Found| one.latest_payment_external_id.as_deref() == Some(external_id);
    if found.data.iter().any(is_ours) {
        return Ok(ReadBack::Recorded(None));
    }
    if found.data.iter().any(|one| may_be_ours(one, since)) {
        return Ok(ReadBack::CannotTell);
    }
    Ok(ReadBack::NotRecorded)
}

/// A subscription that shows no payment, or that began after ours was asked for and has been renewed since, may be ours.
fn may_be_ours(subscription: &wire::Found, since: Moment) -> bool {
    let began = subscription
        .date_from
        .and_then(|seconds| i64::try_from(seconds).ok())
        .map(Moment::from_unix_seconds);
    subscription.latest_payment_external_id.is_none() || began.is_some_and(|began| began >= since)
}

/// A capture moves the end of the cycle. That alone tells of a record that was to be changed, since the authorisation may have
/// named its payment before; where there was no record, the payment's name tells.
fn renewed(
    found: &Subscription,
    external_id: &str,
    due_at: Moment,
    record: Option<CleengPaymentId>,
) -> ReadBack {
    let is_paid = found.date_to.is_some_and(|end| end > due_at);
    let is_ours = found.latest_payment.as_deref() == Some(external_id);
    match record {
        Some(record) if is_paid && is_ours => return ReadBack::Recorded(Some(record)),
        None if is_ours => return ReadBack::Recorded(None),
        Some(_) | None => {}
    }
    let goes_on = match found.status {
        SubscriptionStatus::Active | SubscriptionStatus::Stopped => true,
        SubscriptionStatus::Terminated | SubscriptionStatus::Paused | SubscriptionStatus::Other => {
            false
        }
    };
    let is_unpaid = found.date_to.is_some_and(|end| end <= due_at);
    match goes_on && is_unpaid && found.latest_payment.is_some() {
        true => ReadBack::NotRecorded,
        false => ReadBack::CannotTell,
    }
}

/// An entry that does not say what the gateway calls it may be ours.
fn reserved(list: &[AuthorisedPayment], external_id: &str) -> ReadBack {
    let ours = list
        .iter()
        .find(|one| one.external_id.as_deref() == Some(external_id));
    match ours {
        Some(ours) => ReadBack::Recorded(Some(ours.id)),
        None if list.iter().any(|one| one.external_id.is_none()) => ReadBack::CannotTell,
        None => ReadBack::NotRecorded,
    }
}

#[cfg(test)]
mod tests;
