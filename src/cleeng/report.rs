//! How a payment's news is put to Cleeng, and what Cleeng's answer means. Pure.

use super::{News, StatusNews, wire};
use crate::config::RefundFields;
use crate::domain::failure::CallError;
use crate::domain::ids::CleengPaymentId;
use crate::domain::money_back::{MoneyBack, MoneyBackKind};
use crate::domain::outcome::StoredMethod;
use crate::domain::payment::Payment;
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose, is_code, unreadable};

/// Cleeng publishes no limit for the reason; it is shown to people, so it is kept short.
const LONGEST_REASON: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Post,
    Patch,
    Put,
}

/// A call to Cleeng. The body carries the payer's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) body: Option<Secret<String>>,
}

/// The call that tells `news`: a new record, or a change of one that Cleeng has.
pub(super) fn call(payment: &Payment, news: News<'_>, fields: &RefundFields) -> Call {
    let (status, earlier) = match news {
        News::Status { status, earlier } => (status, earlier),
        News::MoneyBack { record, entry } => {
            return changed(record, &refund(payment, entry, fields));
        }
    };
    match (status, earlier) {
        // The reference has no status `authorized` for a change: an authorization is always a record of its own.
        (StatusNews::Authorized, _)
        | (StatusNews::Captured | StatusNews::Rejected | StatusNews::Cancelled, None) => Call {
            verb: Verb::Post,
            path: "/payments".to_owned(),
            body: json(&new_payment(payment, status)),
        },
        (StatusNews::Captured | StatusNews::Rejected, Some(id)) => {
            changed(id, &change(payment, status))
        }
        // A path of its own, and no body is documented.
        (StatusNews::Cancelled, Some(id)) => Call {
            verb: Verb::Patch,
            path: format!("/payments/{id}/cancel"),
            body: None,
        },
    }
}

fn changed(id: CleengPaymentId, body: &impl serde::Serialize) -> Call {
    Call {
        verb: Verb::Patch,
        path: format!("/payments/{id}"),
        body: json(body),
    }
}

/// Cleeng's id of the record.
///
/// The answer to a change is not documented, and its record is known: there, an empty body or any object that does not say
/// `"success": false` will do. The answer to a new record must show its id, or the record is in doubt.
pub(super) fn read(
    answer: &Answer,
    earlier: Option<CleengPaymentId>,
) -> Result<CleengPaymentId, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Charge));
    }
    if let (true, Some(known)) = (answer.body.is_empty(), earlier) {
        return Ok(known);
    }
    let reported: wire::Reported =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Charge))?;
    if reported.success == Some(false) {
        let code = "not_accepted".to_owned();
        return Err(CallError::Refused { code });
    }
    let named = reported
        .payment
        .and_then(|payment| payment.id)
        .or(reported.data.and_then(|data| data.id))
        .or(reported.id)
        .and_then(|id| i64::try_from(id).ok())
        .map(CleengPaymentId);
    // What was changed keeps its name, whatever else the answer names.
    earlier.or(named).ok_or(unreadable(Purpose::Charge))
}

/// The reaction to an answer that is not 2xx. Cleeng classifies by status alone; a machine's code, where there is one, is added.
pub(super) fn refusal(answer: &Answer, purpose: Purpose) -> CallError {
    let body = serde_json::from_slice::<wire::ErrorBody>(&answer.body).ok();
    let word = body.and_then(|body| body.code).filter(|code| is_code(code));
    match answer.refusal(purpose, word.as_deref()) {
        CallError::Refused { .. } if (400..=499).contains(&answer.status) => CallError::Refused {
            code: word.map_or_else(
                || answer.status.to_string(),
                |word| format!("{}:{word}", answer.status),
            ),
        },
        other @ (CallError::Refused { .. }
        | CallError::NotDone { .. }
        | CallError::Unknown { .. }
        | CallError::Broken { .. }) => other,
    }
}

fn new_payment(payment: &Payment, status: StatusNews) -> wire::NewPayment<'_> {
    let renewal = payment.renewal.as_ref();
    wire::NewPayment {
        order_id: payment.order_id.to_string(),
        status: status.label(),
        payment_operation: payment.operation.label(),
        external_payment_id: external_id(payment),
        rejected_reason: rejected_reason(payment, status),
        subscription_id: renewal.map(|renewal| renewal.subscription_id.to_string()),
        payment_details_id: renewal.map(|renewal| renewal.payment_details_id.to_string()),
        payment_details: match (status, renewal) {
            (StatusNews::Authorized | StatusNews::Captured, None) => {
                payment.stored.as_ref().map(details)
            }
            // A renewal is paid with what Cleeng keeps already; anew it would be kept twice.
            (StatusNews::Authorized | StatusNews::Captured, Some(_))
            | (StatusNews::Rejected | StatusNews::Cancelled, _) => None,
        },
    }
}

fn change(payment: &Payment, status: StatusNews) -> wire::Change<'_> {
    wire::Change {
        order_id: payment.order_id,
        status: status.label(),
        external_payment_id: external_id(payment),
        rejected_reason: rejected_reason(payment, status),
    }
}

/// The payment's id at the gateway stays what it is: a refund has one of its own, and the next refund needs the payment's.
fn refund<'a>(
    payment: &'a Payment,
    entry: &MoneyBack,
    fields: &'a RefundFields,
) -> wire::Refund<'a> {
    let kind = match entry.kind {
        MoneyBackKind::Refund | MoneyBackKind::ForeignRefund => "refund",
        MoneyBackKind::Chargeback => "chargeback",
    };
    // Cleeng requires a reason.
    let reason = match entry.reason.is_empty() {
        true => kind,
        false => &entry.reason,
    };
    wire::Refund {
        order_id: payment.order_id,
        payment_operation: payment.operation.label(),
        refunded_reason: short(reason),
        amount: wire::Decimal(entry.amount),
        kind,
        fields,
    }
}

/// Refunds are made by this id: Cleeng wants it with each record and with each change.
fn external_id(payment: &Payment) -> Option<&str> {
    payment.reference().map(|reference| reference.0.as_str())
}

/// `class: code`: stable words, since Cleeng publishes no list of reasons.
fn rejected_reason(payment: &Payment, status: StatusNews) -> Option<String> {
    if status != StatusNews::Rejected {
        return None;
    }
    let reason = payment.decline.as_ref().map_or_else(
        || "declined".to_owned(),
        |decline| format!("{}: {}", decline.class.label(), decline.code),
    );
    Some(short(&reason))
}

pub(super) fn short(reason: &str) -> String {
    reason.chars().take(LONGEST_REASON).collect()
}

fn details(stored: &StoredMethod) -> wire::PaymentDetails<'_> {
    wire::PaymentDetails {
        token: stored.token.reveal(),
        payment_method_specific_params: specific_params(stored),
    }
}

/// What may be shown of a method.
pub(super) fn specific_params(stored: &StoredMethod) -> wire::SpecificParams<'_> {
    wire::SpecificParams {
        variant: stored.variant.as_deref(),
        last_card_four_digits: stored.last_four.as_deref(),
        holder_name: stored.holder.as_ref().map(|name| name.reveal().as_str()),
        card_expiration_date: stored.expiry.as_deref(),
    }
}

/// Texts and numbers always serialise.
pub(super) fn json<T: serde::Serialize>(body: &T) -> Option<Secret<String>> {
    serde_json::to_string(body).ok().map(Secret::new)
}

#[cfg(test)]
mod tests;
