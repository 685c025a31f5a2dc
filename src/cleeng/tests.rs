//! Cleeng over a socket: what is sent, and every way in which a call fails.

use super::*;
use crate::config::TerminationType;
use crate::domain::failure::Cause;
use crate::domain::ids::{GatewayRef, PaymentDetailsId, SubscriptionId};
use crate::gateway::sample::{Ending, answering, new_method, nobody, payment, stored_method};
use serde_json::json;

const CAPTURED: News<'static> = News::Status {
    status: StatusNews::Captured,
    earlier: None,
};

fn cleeng(base_url: Url) -> Cleeng {
    let config = sample::config(base_url);
    Cleeng::new(&config, http::client().unwrap(), &CancellationToken::new()).unwrap()
}

fn paid() -> Payment {
    let mut payment = payment(999, "EUR", new_method(json!({}), false));
    payment.progress.reference = Some(GatewayRef("pi_1".to_owned()));
    payment
}

async fn tell(cleeng: &Cleeng, paid: &Payment) -> Result<CleengPaymentId, CallError> {
    let turn = cleeng.turn().await.unwrap();
    cleeng.report(turn, paid, CAPTURED).await
}

async fn report(ending: Ending) -> (Result<CleengPaymentId, CallError>, String) {
    let paid = paid();
    let call = async |url| tell(&cleeng(url), &paid).await;
    answering(ending, call).await
}

async fn order(ending: Ending) -> (Result<Option<Order>, CallError>, String) {
    let call = async |url| cleeng(url).order(OrderId(123_456_789)).await;
    answering(ending, call).await
}

async fn create_order(ending: Ending) -> (Result<Order, CallError>, String) {
    let new = NewOrder {
        customer_id: 123_321_123,
        offer_id: "S619117184_US",
        currency: "USD",
        country: "US",
        payment_method_id: 123_876_432,
        subscription_id: SubscriptionId(332_332_332),
    };
    let call = async |url| cleeng(url).create_order(&new).await;
    answering(ending, call).await
}

async fn read_back(ending: Ending) -> (Result<ReadBack, CallError>, String) {
    let paid = paid();
    let call = async |url| cleeng(url).read_back(&paid, CAPTURED).await;
    answering(ending, call).await
}

#[tokio::test]
async fn a_report_is_posted_with_the_publishers_token() {
    let created = r#"{"success":true,"payment":{"id":77}}"#;
    let (id, request) = report(Ending::Answer("200 OK", created)).await;
    assert_eq!(id, Ok(CleengPaymentId(77)));
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(body.starts_with(r#"{"orderId":"123456789","status":"captured""#));
    for line in [
        "post /payments http/1.1",
        "x-publisher-token: token_1",
        "content-type: application/json",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
}

#[tokio::test]
async fn the_version_in_the_base_url_stays() {
    let base = |url: Url| url.join("3.1").unwrap();
    let call = async |url| cleeng(base(url)).order(OrderId(1)).await;
    let (found, request) = answering(Ending::Answer("404 No", r#"{"message":"x"}"#), call).await;
    assert_eq!(found, Ok(None));
    assert!(request.starts_with("GET /3.1/orders/1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_on_a_report_and_not_done_on_what_may_be_repeated() {
    let endings = [
        (Ending::Drop, Cause::Reset),
        (Ending::Hang, Cause::TimedOut),
        (Ending::Answer("500 Oh", ""), Cause::ServerError),
    ];
    for (ending, cause) in endings {
        let retry_after = None;
        let not_done = CallError::NotDone { cause, retry_after };
        assert_eq!(report(ending).await.0, Err(CallError::Unknown { cause }));
        assert_eq!(order(ending).await.0, Err(not_done.clone()));
        assert_eq!(create_order(ending).await.0, Err(not_done.clone()));
        assert_eq!(read_back(ending).await.0, Err(not_done));
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let cleeng = cleeng(nobody().await);
    let not_done = CallError::NotDone {
        cause: Cause::Connect,
        retry_after: None,
    };
    let paid = paid();
    let reported = tell(&cleeng, &paid).await;
    assert_eq!(reported, Err(not_done.clone()));
    assert_eq!(cleeng.order(OrderId(1)).await, Err(not_done));
}

#[tokio::test]
async fn what_cannot_be_read_back_is_not_asked_for() {
    let cleeng = cleeng(nobody().await);
    let rejected = News::Status {
        status: StatusNews::Rejected,
        earlier: None,
    };
    let told = cleeng.read_back(&paid(), rejected).await;
    assert_eq!(told, Ok(ReadBack::CannotTell));
}

#[tokio::test]
async fn a_capture_is_read_back_by_its_subscription() {
    let found = r#"{"success":true,"data":[{"latestPaymentExternalId":"pi_1"}]}"#;
    let (told, request) = read_back(Ending::Answer("200 OK", found)).await;
    assert_eq!(told, Ok(ReadBack::Recorded(None)));
    assert!(request.starts_with("GET /subscriptions?customerId=123321123&offerId=S619117184_US&"));
    let (told, _) = read_back(Ending::Answer("200 OK", "{}")).await;
    assert_eq!(told.unwrap_err().label(), "refused");
}

#[test]
fn a_token_that_no_header_can_carry_is_found_at_the_start() {
    let mut config = sample::config("http://127.0.0.1:1".parse().unwrap());
    config.publisher_token = "to\nken".into();
    assert!(Cleeng::new(&config, http::client().unwrap(), &CancellationToken::new()).is_err());
}

/// What each call of billing comes to when its one answer ends so, in a word.
async fn billing(ending: Ending) -> [(&'static str, String, String); 6] {
    let subscription = SubscriptionId(332_332_332);
    let details = PaymentDetailsId(665_665_665);
    let stored = stored_method("cus_1|pm_1");
    let new = NewPaymentDetails {
        customer_id: 123_321_123,
        payment_method_id: 123_876_432,
        stored: &stored,
        active: true,
    };
    let kind = TerminationType::PaymentCancel;
    let read = async |url| said(cleeng(url).subscription(subscription).await);
    let list = async |url| said(cleeng(url).authorised_payments(details).await);
    let end = async |url| said(cleeng(url).terminate(subscription, kind).await);
    let tell = async |url, news| {
        let cleeng = cleeng(url);
        let turn = cleeng.turn().await.unwrap();
        said(cleeng.report_details(turn, news).await)
    };
    let make = async |url| tell(url, DetailsNews::Made(new)).await;
    let attach = async |url| {
        let news = DetailsNews::Attached {
            new: details,
            subscription,
        };
        tell(url, news).await
    };
    let off = async |url| {
        let news = DetailsNews::Replaced {
            new: details,
            old: details,
        };
        tell(url, news).await
    };
    [
        ("read", answering(ending, read).await),
        ("list", answering(ending, list).await),
        ("end", answering(ending, end).await),
        ("make", answering(ending, make).await),
        ("attach", answering(ending, attach).await),
        ("off", answering(ending, off).await),
    ]
    .map(|(name, (said, request))| (name, said, request))
}

fn said<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn only_new_payment_details_are_in_doubt_when_an_answer_is_lost() {
    for (ending, cause) in [
        (Ending::Drop, "reset"),
        (Ending::Hang, "timed_out"),
        (Ending::Answer("500 Oh", ""), "server_error"),
    ] {
        for (name, said, _) in billing(ending).await {
            let expected = match name {
                "make" => format!("outcome unknown ({cause})"),
                _ => format!("not done ({cause})"),
            };
            assert_eq!(said, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn every_call_of_billing_goes_where_the_reference_says() {
    let lines = [
        ("read", "GET /subscriptions/332332332 HTTP/1.1"),
        (
            "list",
            "GET /payment_details/665665665/authorised_payments HTTP/1.1",
        ),
        ("end", "POST /subscriptions/332332332/terminate HTTP/1.1"),
        ("make", "POST /payment_details HTTP/1.1"),
        ("attach", "PATCH /subscriptions/332332332 HTTP/1.1"),
        ("off", "PATCH /payment_details/665665665 HTTP/1.1"),
    ];
    let refused = Ending::Answer("422 No", r#"{"message":"A B"}"#);
    for ((name, said, request), (expected, line)) in billing(refused).await.into_iter().zip(lines) {
        assert_eq!((name, said.as_str()), (expected, "refused (422)"));
        assert_eq!(request.lines().next(), Some(line), "{name}");
        assert!(request.contains("x-publisher-token: token_1"), "{name}");
    }
}
