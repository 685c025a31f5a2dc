//! Which of Cleeng's reads can tell whether a report was recorded, and what it tells. Pure.
//!
//! There is no read of a payment, and no search by the gateway's id. What there is, and what it can tell:
//!
//! * *Captured, initial, a subscription offer*: a recorded capture makes a subscription, and the search for subscriptions of
//!   the customer and the offer shows the gateway's id of the latest payment of each (named in an interface description of
//!   Cleeng's, not in the guides).
//! * *Captured, initial, a pass or a single item*: passes can be listed, but neither parameters nor a payment's id are
//!   documented; single items have no read at all. Cannot tell.
//! * *Captured, recurring*: the subscription itself would tell, but a payment does not know its subscription. Cannot tell.
//! * *Authorized*: the authorised payments of stored payment details can be listed, but an initial payment's details are made
//!   by the very report that is in doubt, so their id is unknown. Cannot tell.
//! * *Rejected, cancelled*: they leave nothing that can be read. Cannot tell.

use super::{News, ReadBack, StatusNews, report, wire};
use crate::domain::failure::CallError;
use crate::domain::moment::Moment;
use crate::domain::payment::{Operation, Payment};
use crate::http::{Answer, Purpose, unreadable};

/// A read that can tell, and what to look for in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) path: String,
    external_id: String,
    since: Moment,
}

/// The read that can tell; none where Cleeng offers none.
pub(super) fn question(payment: &Payment, news: News<'_>) -> Option<Question> {
    let News::Status { status, .. } = news else {
        return None;
    };
    let (StatusNews::Captured, Operation::InitialPayment) = (status, payment.operation) else {
        return None;
    };
    let order = payment.order.as_ref()?;
    if !order.offer_id.starts_with('S') {
        return None;
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("customerId", &order.customer_id.to_string())
        .append_pair("offerId", &order.offer_id)
        .append_pair("limit", "100")
        .finish();
    Some(Question {
        path: format!("/subscriptions?{query}"),
        external_id: payment.reference()?.0.clone(),
        since: payment.created_at,
    })
}

/// What the search says.
pub(super) fn read(answer: &Answer, question: &Question) -> Result<ReadBack, CallError> {
    if !answer.is_success() {
        return Err(report::refusal(answer, Purpose::Read));
    }
    let found: wire::Subscriptions =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(Purpose::Read))?;
    let is_ours = |one: &wire::Found| {
        one.latest_payment_external_id.as_deref() == Some(question.external_id.as_str())
    };
    if found.data.iter().any(is_ours) {
        return Ok(ReadBack::Recorded(None));
    }
    if found.data.iter().any(|one| may_be_ours(one, question)) {
        return Ok(ReadBack::CannotTell);
    }
    Ok(ReadBack::NotRecorded)
}

/// A subscription that shows no payment, or that began after ours was asked for and has been renewed since, may be ours.
fn may_be_ours(subscription: &wire::Found, question: &Question) -> bool {
    let began = subscription
        .date_from
        .and_then(|seconds| i64::try_from(seconds).ok())
        .map(Moment::from_unix_seconds);
    subscription.latest_payment_external_id.is_none()
        || began.is_some_and(|began| began >= question.since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::GatewayRef;
    use crate::gateway::sample::{new_method, payment};
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    const CAPTURED: News<'static> = News::Status {
        status: StatusNews::Captured,
        earlier: None,
    };

    fn captured(offer: &str) -> Payment {
        let mut payment = payment(999, "EUR", new_method(json!({}), false));
        payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
        payment.order.as_mut().unwrap().offer_id = offer.to_owned();
        payment
    }

    fn told(data: Value) -> ReadBack {
        let body = json!({"success": true, "data": data, "message": ""});
        let answer = Answer::new(200, HeaderMap::new(), body.to_string().into_bytes());
        let question = question(&captured("S619117184_US"), CAPTURED).unwrap();
        read(&answer, &question).unwrap()
    }

    #[test]
    fn only_the_capture_of_a_new_subscription_can_be_read_back() {
        let subscription = captured("S619117184_US");
        let found = question(&subscription, CAPTURED).unwrap();
        let path = "/subscriptions?customerId=123321123&offerId=S619117184_US&limit=100";
        assert_eq!(found.path, path);
        for status in [
            StatusNews::Authorized,
            StatusNews::Rejected,
            StatusNews::Cancelled,
        ] {
            let earlier = None;
            let news = News::Status { status, earlier };
            assert_eq!(question(&subscription, news), None);
        }
        for offer in ["P619117184_US", "A619117184_US", "E619117184_US", ""] {
            assert_eq!(question(&captured(offer), CAPTURED), None);
        }
        let mut renewal = captured("S619117184_US");
        renewal.operation = Operation::RecurringPayment;
        assert_eq!(question(&renewal, CAPTURED), None);
        let mut nameless = captured("S619117184_US");
        nameless.progress.reference = None;
        assert_eq!(question(&nameless, CAPTURED), None);
    }

    #[test]
    fn a_subscription_tells_by_the_gateways_id_of_its_latest_payment() {
        let long_ago = 1_600_000_000;
        let later = 1_700_000_100;
        for (data, verdict) in [
            (json!([]), ReadBack::NotRecorded),
            (
                json!([{"latestPaymentExternalId": "pi_0", "dateFrom": long_ago}]),
                ReadBack::NotRecorded,
            ),
            (
                json!([{"latestPaymentExternalId": "pi_0", "dateFrom": long_ago}, {"latestPaymentExternalId": "pi_1"}]),
                ReadBack::Recorded(None),
            ),
            (
                json!([{"latestPaymentExternalId": null, "dateFrom": long_ago}]),
                ReadBack::CannotTell,
            ),
            (
                json!([{"latestPaymentExternalId": "pi_2", "dateFrom": later}]),
                ReadBack::CannotTell,
            ),
        ] {
            assert_eq!(told(data.clone()), verdict, "{data}");
        }
    }
}
