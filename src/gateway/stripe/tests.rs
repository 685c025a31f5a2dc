//! Stripe over a socket: what is sent, every way in which a call fails, and webhooks.

use super::*;
use crate::domain::attempt::Stage;
use crate::domain::failure::Cause;
use crate::domain::secret::Secret;
use crate::gateway::sample::{Ending, LIMITS, PAYMENT_ID, TIMEOUT, answering, key, nobody};
use hmac::{Hmac, KeyInit, Mac};

const SECRET: &str = "whsec_test_secret";
const AT: i64 = 1_700_000_000;

fn stripe(base_url: Url) -> Stripe {
    let config = StripeConfig {
        base_url,
        secret_key: "sk_test_1".into(),
        publishable_key: "pk_test_1".to_owned(),
        webhook_secrets: vec![SECRET.into()],
        payment_method_id: 123_876_432,
        external_payment_method_id: Some(100_000_003),
        capture: CaptureMode::Automatic,
        timeout: TIMEOUT,
        key_lifetime: Duration::from_secs(72_000),
        limits: LIMITS,
    };
    Stripe::new(&config, http::client().unwrap()).unwrap()
}

/// One that nobody answers.
pub(super) fn offline() -> Stripe {
    stripe("http://127.0.0.1:1".parse().unwrap())
}

fn confirm() -> Prepared {
    Prepared {
        stage: Stage::Charge,
        path: "/v1/payment_intents/pi_1/confirm".to_owned(),
        content_type: "application/x-www-form-urlencoded",
        body: Secret::new("payment_method=pm_1".to_owned()),
    }
}

async fn charge(ending: Ending) -> (Result<Outcome, CallError>, String) {
    answering(ending, async |url| {
        stripe(url).send(key(), &confirm()).await
    })
    .await
}

async fn look_up(ending: Ending) -> (Result<Outcome, CallError>, String) {
    let reference = GatewayRef("pi_1".to_owned());
    answering(ending, async |url| stripe(url).look_up(&reference).await).await
}

const PROCESSING: &str = r#"{"id":"pi_1","livemode":false,"status":"processing","currency":"eur"}"#;

#[tokio::test]
async fn the_prepared_bytes_are_sent_under_the_attempts_key() {
    let (meaning, request) = charge(Ending::Answer("200 OK", PROCESSING)).await;
    assert_eq!(meaning.unwrap().label(), "pending");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert_eq!(body, "payment_method=pm_1");
    for line in [
        "post /v1/payment_intents/pi_1/confirm http/1.1",
        "authorization: bearer sk_test_1",
        "stripe-version: 2026-06-24.dahlia",
        "idempotency-key: 00000000-0000-0000-0000-000000000000",
        "content-type: application/x-www-form-urlencoded",
        concat!("user-agent: cleeng-connector/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
}

#[tokio::test]
async fn a_read_asks_for_the_charge_as_well() {
    let (meaning, request) = look_up(Ending::Answer("200 OK", PROCESSING)).await;
    assert_eq!(meaning.unwrap().label(), "pending");
    assert!(
        request.starts_with("GET /v1/payment_intents/pi_1?expand[]=latest_charge HTTP/1.1\r\n")
    );
    assert!(!request.to_lowercase().contains("idempotency-key"));
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_on_a_charge_and_not_done_on_a_read() {
    for (ending, cause) in [
        (Ending::Drop, Cause::Reset),
        (Ending::Hang, Cause::TimedOut),
    ] {
        assert_eq!(charge(ending).await.0, Err(CallError::Unknown { cause }));
        let retry_after = None;
        let not_done = Err(CallError::NotDone { cause, retry_after });
        assert_eq!(look_up(ending).await.0, not_done);
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let stripe = stripe(nobody().await);
    let not_done = Err(CallError::NotDone {
        cause: Cause::Connect,
        retry_after: None,
    });
    assert_eq!(stripe.send(key(), &confirm()).await, not_done);
    let reference = GatewayRef("pi_1".to_owned());
    assert_eq!(stripe.look_up(&reference).await, not_done);
}

#[tokio::test]
async fn an_unsafe_reference_is_not_even_asked_for() {
    let stripe = stripe(nobody().await);
    let found = stripe.look_up(&GatewayRef("..".to_owned())).await;
    assert_eq!(found.unwrap_err().label(), "refused");
}

#[test]
fn a_key_tells_its_mode() {
    for (key, live) in [
        ("sk_live_1", Some(true)),
        ("rk_live_1", Some(true)),
        ("sk_test_1", Some(false)),
        ("rk_test_1", Some(false)),
        ("sk_org_1", None),
    ] {
        assert_eq!(is_live(key), live, "{key}");
    }
}

#[test]
fn a_key_that_no_header_can_carry_is_found_at_the_start() {
    assert!(bearer(&"sk_test\n".into()).is_err());
    assert!(bearer(&"sk_test_1".into()).unwrap().is_sensitive());
}

fn verify(body: &str) -> Result<Verified, BadEvent> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{AT}.{body}").as_bytes());
    let tag = hex::encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert(
        "stripe-signature",
        format!("t={AT},v1={tag}").parse().unwrap(),
    );
    let stripe = offline();
    stripe.verify(&headers, body.as_bytes(), Moment::from_unix_seconds(AT))
}

fn event(kind: &str, live: bool, object: &str) -> String {
    format!(
        r#"{{"id":"evt_1","object":"event","type":"{kind}","livemode":{live},"data":{{"object":{object}}}}}"#
    )
}

#[test]
fn an_event_of_an_intent_names_the_intent_and_our_payment() {
    let ours = format!(r#"{{"id":"pi_1","metadata":{{"payment_id":"{PAYMENT_ID}","x":"y"}}}}"#);
    for (object, payment_id) in [
        (ours.as_str(), Some(PAYMENT_ID.parse().unwrap())),
        (r#"{"id":"pi_1","metadata":{"payment_id":"theirs"}}"#, None),
        (r#"{"id":"pi_1","metadata":{}}"#, None),
        (r#"{"id":"pi_1"}"#, None),
    ] {
        let expected = super::super::Event {
            id: "evt_1".to_owned(),
            kind: "payment_intent.succeeded".to_owned(),
            about: super::super::About::Payment,
            reference: GatewayRef("pi_1".to_owned()),
            payment_id,
        };
        let verified = verify(&event("payment_intent.succeeded", false, object));
        assert_eq!(verified, Ok(Verified::Event(expected)));
    }
}

#[test]
fn an_event_of_what_hangs_on_an_intent_names_the_intent_and_what_to_read() {
    use super::super::About;
    let hanging = format!(
        r#"{{"id":"re_1","payment_intent":"pi_1","metadata":{{"payment_id":"{PAYMENT_ID}"}}}}"#
    );
    let setup = format!(r#"{{"id":"pi_1","metadata":{{"payment_id":"{PAYMENT_ID}"}}}}"#);
    for (kind, object, about) in [
        ("charge.refunded", &hanging, About::Refunds),
        ("charge.refund.updated", &hanging, About::Refunds),
        ("refund.created", &hanging, About::Refunds),
        ("refund.updated", &hanging, About::Refunds),
        ("refund.failed", &hanging, About::Refunds),
        ("charge.dispute.created", &hanging, About::Disputes),
        ("charge.dispute.closed", &hanging, About::Disputes),
        ("charge.dispute.funds_withdrawn", &hanging, About::Disputes),
        ("charge.expired", &hanging, About::Payment),
        ("setup_intent.succeeded", &setup, About::Saving),
    ] {
        let expected = super::super::Event {
            id: "evt_1".to_owned(),
            kind: kind.to_owned(),
            about,
            reference: GatewayRef("pi_1".to_owned()),
            payment_id: Some(PAYMENT_ID.parse().unwrap()),
        };
        let verified = verify(&event(kind, false, object));
        assert_eq!(verified, Ok(Verified::Event(expected)), "{kind}");
    }
    let not_ours = |kind: &str| {
        let kind = kind.to_owned();
        Ok(Verified::NotOurs { kind })
    };
    for kind in ["refund.created", "charge.dispute.created"] {
        for object in [
            r#"{"id":"re_1","payment_intent":null,"metadata":null}"#,
            r#"{"id":"re_1"}"#,
        ] {
            assert_eq!(verify(&event(kind, false, object)), not_ours(kind));
        }
        let odd = event(kind, false, r#"{"id":"re_1","payment_intent":"../x"}"#);
        assert_eq!(verify(&odd), Err(BadEvent::Unreadable));
    }
    for kind in [
        "charge.succeeded",
        "charge.captured",
        "payment_method.detached",
    ] {
        assert_eq!(verify(&event(kind, false, &hanging)), not_ours(kind));
    }
}

async fn refunds(ending: Ending) -> (Result<usize, CallError>, String) {
    use super::super::billing::Billing;
    let reference = GatewayRef("pi_1".to_owned());
    let (found, request) = answering(ending, async |url| {
        stripe(url).look_up_refunds(&reference).await
    })
    .await;
    (found.map(|list| list.len()), request)
}

#[tokio::test]
async fn refunds_and_disputes_are_read_by_the_intent() {
    use super::super::billing::Billing;
    let empty = Ending::Answer("200 OK", r#"{"data":[],"has_more":false}"#);
    let (found, request) = refunds(empty).await;
    assert_eq!(found, Ok(0));
    assert!(request.starts_with("GET /v1/refunds?payment_intent=pi_1&limit=100 HTTP/1.1\r\n"));
    let reference = GatewayRef("pi_1".to_owned());
    let (found, request) = answering(empty, async |url| {
        stripe(url).look_up_disputes(&reference).await
    })
    .await;
    assert_eq!(found, Ok(Vec::new()));
    assert!(request.starts_with("GET /v1/disputes?payment_intent=pi_1&limit=100 HTTP/1.1\r\n"));
    let unsafe_one = offline()
        .look_up_refunds(&GatewayRef("..".to_owned()))
        .await;
    assert_eq!(unsafe_one.unwrap_err().label(), "refused");
}

#[tokio::test]
async fn a_timed_out_refund_is_unknown_and_a_timed_out_list_is_not_done() {
    let refund = Prepared {
        stage: Stage::Refund,
        path: "/v1/refunds".to_owned(),
        ..confirm()
    };
    for (ending, cause) in [
        (Ending::Drop, Cause::Reset),
        (Ending::Hang, Cause::TimedOut),
    ] {
        let send = async |url| stripe(url).send(key(), &refund).await;
        let (sent, _) = answering(ending, send).await;
        assert_eq!(sent, Err(CallError::Unknown { cause }));
        let retry_after = None;
        let not_done = Err(CallError::NotDone { cause, retry_after });
        assert_eq!(refunds(ending).await.0, not_done);
    }
}

#[tokio::test]
async fn a_saving_is_read_with_its_method() {
    let reference = GatewayRef("seti_1".to_owned());
    let answer = Ending::Answer(
        "200 OK",
        r#"{"id":"seti_1","object":"setup_intent","livemode":false,"status":"processing"}"#,
    );
    let (meaning, request) =
        answering(answer, async |url| stripe(url).look_up(&reference).await).await;
    assert_eq!(meaning.unwrap().label(), "pending");
    assert!(
        request.starts_with("GET /v1/setup_intents/seti_1?expand[]=payment_method HTTP/1.1\r\n")
    );
}

#[test]
fn other_events_and_broken_ones_are_told_apart() {
    let kind = "customer.created".to_owned();
    let verified = verify(&event("customer.created", false, "[1]"));
    assert_eq!(verified, Ok(Verified::NotOurs { kind }));
    for (body, why) in [
        (
            event("payment_intent.succeeded", true, r#"{"id":"pi_1"}"#),
            BadEvent::WrongMode,
        ),
        (
            event("payment_intent.succeeded", false, r#"{"id":"../x"}"#),
            BadEvent::Unreadable,
        ),
        (
            event("payment_intent.succeeded", false, "[]"),
            BadEvent::Unreadable,
        ),
        (
            r#"{"id":"evt_test_webhook","object":"event"}"#.to_owned(),
            BadEvent::Unreadable,
        ),
        ("<xml>".to_owned(), BadEvent::Unreadable),
    ] {
        assert_eq!(verify(&body), Err(why), "{body}");
    }
}

#[test]
fn a_body_that_was_touched_is_refused_before_it_is_read() {
    let stripe = offline();
    let mut headers = HeaderMap::new();
    let now = Moment::from_unix_seconds(AT);
    assert_eq!(
        stripe.verify(&headers, b"{", now),
        Err(BadEvent::NoSignature)
    );
    let header = format!("t={AT},v1={}", "0".repeat(64));
    headers.insert("stripe-signature", header.parse().unwrap());
    assert_eq!(
        stripe.verify(&headers, b"{", now),
        Err(BadEvent::WrongSignature)
    );
}
