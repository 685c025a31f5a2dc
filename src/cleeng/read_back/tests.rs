//! Which reports can be read back, and what each answer says of them.

use super::*;
use crate::cleeng::sample::{money_back, renewal};
use crate::domain::failure::Cause;
use crate::domain::ids::GatewayRef;
use crate::domain::money_back::MoneyBackKind;
use crate::gateway::sample::{new_method, payment};
use axum::http::HeaderMap;
use serde_json::{Value, json};

const RECORD: CleengPaymentId = CleengPaymentId(77);
const DUE: i64 = 1_700_000_000;

fn news(status: StatusNews, earlier: Option<CleengPaymentId>) -> News<'static> {
    News::Status { status, earlier }
}

fn captured(offer: &str) -> Payment {
    let mut payment = payment(999, "EUR", new_method(json!({}), false));
    payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    payment.order.as_mut().unwrap().offer_id = offer.to_owned();
    payment
}

fn path(payment: &Payment, status: StatusNews, earlier: Option<CleengPaymentId>) -> Option<String> {
    question(payment, news(status, earlier)).map(|question| question.path())
}

fn told(payment: &Payment, news: News<'_>, body: &Value) -> Result<ReadBack, CallError> {
    let answer = Answer::new(200, HeaderMap::new(), body.to_string().into_bytes());
    read(&answer, &question(payment, news).unwrap())
}

#[test]
fn of_a_purchase_only_the_capture_of_a_new_subscription_can_be_read_back() {
    let search = "/subscriptions?customerId=123321123&offerId=S619117184_US&limit=100";
    let mut subscription = captured("S619117184_US");
    for operation in [Operation::InitialPayment, Operation::InitialFreeTransaction] {
        subscription.operation = operation;
        let found = path(&subscription, StatusNews::Captured, None);
        assert_eq!(found.as_deref(), Some(search));
    }
    for status in [
        StatusNews::Authorized,
        StatusNews::Rejected,
        StatusNews::Cancelled,
    ] {
        assert_eq!(path(&subscription, status, None), None);
        assert_eq!(path(&subscription, status, Some(RECORD)), None);
    }
    for offer in ["P619117184_US", "A619117184_US", "E619117184_US", ""] {
        assert_eq!(path(&captured(offer), StatusNews::Captured, None), None);
    }
    let mut nameless = captured("S619117184_US");
    nameless.progress.reference = None;
    assert_eq!(path(&nameless, StatusNews::Captured, None), None);
}

#[test]
fn of_a_renewal_all_can_be_read_back_but_an_end_without_an_authorized_record() {
    let one = Some("/subscriptions/332332332".to_owned());
    let list = Some("/payment_details/665665665/authorised_payments".to_owned());
    for (status, earlier, expected) in [
        (StatusNews::Authorized, None, list.clone()),
        (StatusNews::Captured, None, one.clone()),
        (StatusNews::Rejected, None, None),
        (StatusNews::Cancelled, None, None),
        (StatusNews::Authorized, Some(RECORD), list.clone()),
        (StatusNews::Captured, Some(RECORD), one),
        (StatusNews::Rejected, Some(RECORD), list.clone()),
        (StatusNews::Cancelled, Some(RECORD), list),
    ] {
        let found = path(&renewal(), status, earlier);
        assert_eq!(found, expected, "{status:?} {earlier:?}");
    }
    let mut nameless = renewal();
    nameless.progress.reference = None;
    assert_eq!(path(&nameless, StatusNews::Captured, None), None);
    assert_eq!(path(&nameless, StatusNews::Authorized, None), None);
    let mut lost = renewal();
    lost.renewal = None;
    assert_eq!(path(&lost, StatusNews::Captured, None), None);
}

#[test]
fn money_that_went_back_cannot_be_read_back() {
    let entry = &money_back(MoneyBackKind::Refund, 1, "EUR");
    let record = RECORD;
    for payment in [renewal(), captured("S619117184_US")] {
        let asked = question(&payment, News::MoneyBack { record, entry });
        assert_eq!(asked, None);
    }
}

#[test]
fn a_new_subscription_tells_by_the_gateways_id_of_its_latest_payment() {
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
        let body = json!({"success": true, "data": data, "message": ""});
        let paid = captured("S619117184_US");
        let found = told(&paid, news(StatusNews::Captured, None), &body);
        assert_eq!(found, Ok(verdict), "{data}");
    }
}

#[test]
fn a_direct_renewal_is_missing_only_where_the_end_of_a_living_subscription_has_not_moved() {
    let next = DUE + 30 * 86_400;
    for (status, latest, date_to, verdict) in [
        ("active", Some("pi_2"), Some(next), ReadBack::Recorded(None)),
        ("terminated", Some("pi_2"), None, ReadBack::Recorded(None)),
        ("active", Some("pi_1"), Some(DUE), ReadBack::NotRecorded),
        ("stopped", Some("pi_1"), Some(DUE), ReadBack::NotRecorded),
        // A later renewal, or an end that was moved by hand, may hide ours.
        ("active", Some("pi_3"), Some(next), ReadBack::CannotTell),
        ("active", Some("pi_1"), Some(DUE + 1), ReadBack::CannotTell),
        ("active", Some("pi_1"), None, ReadBack::CannotTell),
        ("active", None, Some(DUE), ReadBack::CannotTell),
        // Its end is that of its life.
        ("terminated", Some("pi_1"), Some(DUE), ReadBack::CannotTell),
        ("paused", Some("pi_1"), Some(DUE), ReadBack::CannotTell),
        ("dreaming", Some("pi_1"), Some(DUE), ReadBack::CannotTell),
    ] {
        let body = json!({"status": status, "latestPaymentExternalId": latest, "dateTo": date_to});
        let found = told(&renewal(), news(StatusNews::Captured, None), &body);
        assert_eq!(found, Ok(verdict), "{body}");
    }
}

#[test]
fn a_reservation_is_found_by_the_gateways_id() {
    let authorized = |body: Value| told(&renewal(), news(StatusNews::Authorized, None), &body);
    for (list, verdict) in [
        (json!([]), ReadBack::NotRecorded),
        (
            json!([{"id": 76, "externalPaymentId": "pi_1"}]),
            ReadBack::NotRecorded,
        ),
        (
            json!([{"id": 76, "externalPaymentId": "pi_1"}, {"id": 77, "externalPaymentId": "pi_2"}]),
            ReadBack::Recorded(Some(RECORD)),
        ),
        (json!([{"id": 76}]), ReadBack::CannotTell),
    ] {
        assert_eq!(authorized(json!({ "data": list })), Ok(verdict), "{list}");
    }
    let unreadable = CallError::Refused {
        code: "unreadable".to_owned(),
    };
    assert_eq!(authorized(json!({})), Err(unreadable));
}

#[test]
fn a_capture_of_an_authorized_record_is_done_when_the_end_of_the_cycle_has_moved() {
    let asked = |ends: i64, latest: Value, status: &str| {
        let found = json!({
            "subscriptionId": 332_332_332, "status": status, "dateTo": ends, "latestPaymentExternalId": latest
        });
        let news = news(StatusNews::Captured, Some(RECORD));
        told(&renewal(), news, &found)
    };
    let due = renewal().renewal.unwrap().due_at.unix_seconds();
    let ours = json!(renewal().reference().unwrap().0);
    let later = due + 86_400;
    let recorded = ReadBack::Recorded(Some(RECORD));
    for (ends, latest, status, verdict) in [
        (later, ours.clone(), "active", recorded),
        // The authorisation may have named the payment before.
        (due, ours.clone(), "active", ReadBack::NotRecorded),
        (due, json!("pi_0"), "active", ReadBack::NotRecorded),
        (due, ours, "terminated", ReadBack::CannotTell),
        (later, json!("pi_0"), "active", ReadBack::CannotTell),
    ] {
        let found = asked(ends, latest.clone(), status);
        assert_eq!(found, Ok(verdict), "{ends} {latest} {status}");
    }
}

#[test]
fn an_end_of_an_authorized_record_is_done_when_it_is_no_longer_listed() {
    for status in [StatusNews::Rejected, StatusNews::Cancelled] {
        let changed = |list: Value| told(&renewal(), news(status, Some(RECORD)), &list);
        for (list, verdict) in [
            (json!([{"id": 77}]), ReadBack::NotRecorded),
            (json!([{"id": 76}]), ReadBack::Recorded(Some(RECORD))),
            (
                json!([{"id": 77, "status": "captured"}]),
                ReadBack::Recorded(Some(RECORD)),
            ),
            (json!([]), ReadBack::Recorded(Some(RECORD))),
        ] {
            assert_eq!(changed(list.clone()), Ok(verdict), "{list}");
        }
    }
}

#[test]
fn a_read_that_fails_tells_nothing() {
    for (payment, status) in [
        (captured("S619117184_US"), StatusNews::Captured),
        (renewal(), StatusNews::Captured),
        (renewal(), StatusNews::Authorized),
    ] {
        let question = question(&payment, news(status, None)).unwrap();
        let answered = |status| {
            read(
                &Answer::new(status, HeaderMap::new(), Vec::new()),
                &question,
            )
        };
        let not_done = CallError::NotDone {
            cause: Cause::ServerError,
            retry_after: None,
        };
        assert_eq!(answered(503), Err(not_done));
        assert_eq!(answered(404).unwrap_err().label(), "refused");
        assert_eq!(answered(401).unwrap_err().label(), "broken");
        assert_eq!(answered(200).unwrap_err().label(), "refused");
    }
}

#[test]
fn a_subscription_that_cleeng_does_not_know_says_nothing_of_its_payments() {
    let question = question(&renewal(), news(StatusNews::Captured, None)).unwrap();
    let body = br#"{"message":"Subscription not found"}"#.to_vec();
    let answer = Answer::new(404, HeaderMap::new(), body);
    assert_eq!(read(&answer, &question), Ok(ReadBack::CannotTell));
}
