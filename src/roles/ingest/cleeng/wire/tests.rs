//! Every topic: what is read of it, what it cannot do without, and what counts as the same demand.

use serde_json::{Value, json};

use super::super::sample::{payment, refund_fields, renewal};
use super::*;

const AUTHORISE: &str = "subscriptionReadyForPaymentAuthorisation";
const CAPTURE: &str = "subscriptionReadyForPaymentCapture";
const TERMINATE: &str = "subscriptionReadyForTermination";
const RELEASE: &str = "paymentDetailsDeactivated";

fn body(topic: &str, data: &Value) -> String {
    json!({ "broadcasterId": 558_186_818, "topic": topic, "data": data }).to_string()
}

fn read(topic: &str, data: &Value) -> Letter {
    let body = body(topic, data);
    let envelope = Envelope::open(&body).unwrap();
    envelope.read(&body, &refund_fields(&[]))
}

fn with(data: &Value, field: &str, value: Value) -> Value {
    let mut data = data.clone();
    data[field] = value;
    data
}

fn without(data: &Value, field: &str) -> Value {
    let mut data = data.clone();
    data.as_object_mut().unwrap().remove(field);
    data
}

/// The field for which a webhook is only kept.
fn lacking(letter: &Letter) -> Option<&str> {
    match &letter.unread {
        Some(Unread::Lacking(Lacking(field))) => {
            assert!(matches!(letter.asked, Asked::Unknown { .. }));
            Some(field)
        }
        Some(Unread::OtherTopic) => panic!("the topic is known"),
        None => None,
    }
}

#[test]
fn an_envelope_has_a_publisher_a_topic_and_data() {
    for (text, publisher) in [
        (r#"{"broadcasterId":5,"topic":"a","data":{}}"#, Some(5)),
        (
            r#"{"broadcasterId":"5","topic":"a","data":{},"more":1}"#,
            Some(5),
        ),
        (r#"{"broadcasterId":-5,"topic":"a","data":{}}"#, None),
        (r#"{"broadcasterId":"","topic":"a","data":{}}"#, None),
        (r#"{"topic":"a","data":{}}"#, None),
        (r#"{"broadcasterId":5,"data":{}}"#, None),
        (r#"{"broadcasterId":5,"topic":"a"}"#, None),
        (r#"[1]"#, None),
        ("", None),
    ] {
        let read = Envelope::open(text).map(|envelope| envelope.broadcaster_id);
        assert_eq!(read, publisher, "{text}");
    }
}

#[test]
fn the_published_sample_of_a_renewal_is_read_whole() {
    let letter = read(AUTHORISE, &renewal());
    let due = Due {
        subscription_id: SubscriptionId(332_332_332),
        offer_id: "S123123123_US".to_owned(),
        customer_id: 123_321_123,
        payment_details_id: PaymentDetailsId(665_665_665),
        payment_method_id: Some(123_123_123),
        token: Secret::new("tok_en".to_owned()),
        attempt_at: crate::domain::moment::Moment(1_572_897_341_000),
        due_at: Some(crate::domain::moment::Moment(1_573_156_541_000)),
        currency: "USD".to_owned(),
        country: "BY".to_owned(),
    };
    assert_eq!(letter.asked, Asked::Authorise(due.clone()));
    assert_eq!(letter.payment_method_id, Some(123_123_123));
    assert_eq!(letter.unread, None);
    // The other topic, its id as a number, and nothing that it can do without.
    let data = [
        "dunningAttemptDate",
        "dunningStatus",
        "customerEmail",
        "active",
        "paymentGateway",
        "paymentMethodId",
    ]
    .iter()
    .fold(renewal(), |data, field| without(&data, field));
    let bare = read(CAPTURE, &with(&data, "subscriptionId", json!(332_332_332)));
    let Asked::Capture(capture) = bare.asked else {
        panic!("{:?}", bare.asked)
    };
    assert_eq!(Some(capture.attempt_at), due.due_at);
    assert_eq!(capture.payment_method_id, None);
}

#[test]
fn a_renewal_without_what_it_needs_is_kept_with_its_body() {
    for field in [
        "subscriptionId",
        "offerId",
        "customerId",
        "paymentDetailsId",
        "token",
        "currency",
        "paymentCountry",
    ] {
        for data in [
            without(&renewal(), field),
            with(&renewal(), field, Value::Null),
            with(&renewal(), field, json!({})),
        ] {
            for topic in [AUTHORISE, CAPTURE] {
                assert_eq!(lacking(&read(topic, &data)), Some(field), "{data}");
            }
        }
    }
    let data = with(&renewal(), "dunningAttemptDate", json!("soon"));
    let letter = read(AUTHORISE, &data);
    assert_eq!(lacking(&letter), Some("dunningAttemptDate"));
    let Asked::Unknown { topic, body: kept } = letter.asked else {
        panic!()
    };
    assert_eq!(topic, AUTHORISE);
    assert!(kept.reveal().contains("subscriptionId"));
    for secret in ["tok_en", "customerEmail"] {
        assert!(!kept.reveal().contains(secret), "{secret}");
    }
    assert!(!format!("{kept:?}").contains("tok_en"));
}

#[test]
fn a_refund_is_read_by_the_configured_paths() {
    let letter = read("refundPayment", &payment());
    let asked = OnePayment {
        cleeng_payment_id: CleengPaymentId(77),
        order_id: Some(OrderId(123_456_789)),
        reference: Some(GatewayRef("pi_1".to_owned())),
    };
    let refund = |amount: Option<i64>, id: Option<&str>| {
        Asked::Refund(RefundAsked {
            payment: asked.clone(),
            amount: amount.map(|minor| crate::domain::money::Money {
                minor,
                currency: "EUR".parse().unwrap(),
            }),
            refund_id: id.map(str::to_owned),
            reason: None,
        })
    };
    assert_eq!(letter.asked, refund(Some(450), None));
    assert_eq!(letter.payment_method_id, Some(7));
    let all = read("refundPayment", &without(&payment(), "amount"));
    assert_eq!(all.asked, refund(None, None));
    let nested = json!({
        "payment": { "id": "77", "order": 123_456_789, "external": "pi_1" },
        "refund": { "id": 5, "sum": 4.5, "unit": "EUR" }, "amount": "99.00"
    });
    let paths = refund_fields(&[
        ("payment_id", "payment.id"),
        ("order_id", "payment.order"),
        ("external_payment_id", "payment.external"),
        ("amount", "refund.sum"),
        ("currency", "refund.unit"),
        ("refund_id", "refund.id"),
    ]);
    let text = body("refundPayment", &nested);
    let letter = Envelope::open(&text).unwrap().read(&text, &paths);
    assert_eq!(letter.asked, refund(Some(450), Some("5")));
}

#[test]
fn a_refund_whose_amount_cannot_be_read_is_not_taken_for_a_whole_one() {
    for (data, field) in [
        (with(&payment(), "amount", json!("4.505")), "amount"),
        (with(&payment(), "amount", json!("")), "amount"),
        (with(&payment(), "amount", json!({ "value": 4 })), "amount"),
        (without(&payment(), "currency"), "currency"),
        (without(&payment(), "paymentId"), "paymentId"),
        (with(&payment(), "orderId", json!("x")), "orderId"),
        (with(&payment(), "refundId", json!([1])), "refundId"),
    ] {
        assert_eq!(
            lacking(&read("refundPayment", &data)),
            Some(field),
            "{data}"
        );
    }
}

#[test]
fn the_other_topics_need_little() {
    let capture = read("capturePayment", &json!({ "paymentId": 77 }));
    let one = OnePayment {
        cleeng_payment_id: CleengPaymentId(77),
        order_id: None,
        reference: None,
    };
    assert_eq!(capture.asked, Asked::CaptureOne(one));
    let ending = read(TERMINATE, &json!({ "subscriptionId": "5" }));
    let expected = Ending {
        subscription_id: SubscriptionId(5),
        payment_method_id: None,
    };
    assert_eq!(ending.asked, Asked::Terminate(expected));
    let released = read(RELEASE, &json!({ "paymentDetailsId": 5, "token": "tok" }));
    let expected = Released {
        payment_details_id: PaymentDetailsId(5),
        customer_id: None,
        payment_method_id: None,
        token: Some(Secret::new("tok".to_owned())),
    };
    assert_eq!(released.asked, Asked::Release(expected));
    for (topic, field) in [
        ("capturePayment", "paymentId"),
        (TERMINATE, "subscriptionId"),
        (RELEASE, "paymentDetailsId"),
    ] {
        assert_eq!(lacking(&read(topic, &json!({}))), Some(field));
        assert_eq!(lacking(&read(topic, &json!("text"))), Some("data"));
    }
}

#[test]
fn a_topic_is_compared_without_case_and_one_that_asks_for_nothing_is_kept() {
    let data = json!({ "paymentDetailsId": 5 });
    let one = read(RELEASE, &data);
    let other = read("PaymentDetailsDeactivated", &data);
    assert_eq!((&one.id, &one.asked), (&other.id, &other.asked));
    for topic in ["transactionCreated", "subscriptionRenewed", "", "refund"] {
        let letter = read(topic, &payment());
        assert_eq!(letter.unread, Some(Unread::OtherTopic), "{topic}");
        assert_eq!(letter.asked.label(), "unknown");
    }
}

#[test]
fn what_is_the_same_demand_has_the_same_id() {
    let renewal = renewal();
    let payment = payment();
    let refund = |data: &Value| read("refundPayment", data).id;
    let named = with(&payment, "refundId", json!("r1"));
    for (what, one, other, same) in [
        (
            "a renewal's other fields",
            read(AUTHORISE, &renewal).id,
            read(AUTHORISE, &with(&renewal, "token", json!("new"))).id,
            true,
        ),
        (
            "the same moment, written differently",
            read(AUTHORISE, &renewal).id,
            read(
                AUTHORISE,
                &with(
                    &renewal,
                    "dunningAttemptDate",
                    json!("2019-11-04T20:55:41+01:00"),
                ),
            )
            .id,
            true,
        ),
        (
            "the next try",
            read(AUTHORISE, &renewal).id,
            read(
                AUTHORISE,
                &with(
                    &renewal,
                    "dunningAttemptDate",
                    json!("2019-11-05T19:55:41Z"),
                ),
            )
            .id,
            false,
        ),
        (
            "authorisation and capture",
            read(AUTHORISE, &renewal).id,
            read(CAPTURE, &renewal).id,
            false,
        ),
        (
            "a refund with its amount as text or number",
            refund(&payment),
            refund(&with(&payment, "amount", json!(4.5))),
            true,
        ),
        (
            "refunds of two amounts",
            refund(&payment),
            refund(&with(&payment, "amount", json!("4.51"))),
            false,
        ),
        (
            "a refund of all that is left",
            refund(&payment),
            refund(&without(&payment, "amount")),
            false,
        ),
        (
            "two refunds of one amount",
            refund(&named),
            refund(&with(&payment, "refundId", json!("r2"))),
            false,
        ),
        (
            "one refund id, whatever else",
            refund(&named),
            refund(&with(&named, "amount", json!("1.00"))),
            true,
        ),
        (
            "the end of two cycles",
            read(TERMINATE, &renewal).id,
            read(
                TERMINATE,
                &with(&renewal, "expirationDate", json!("2020-01-01T00:00:00Z")),
            )
            .id,
            false,
        ),
        (
            "two bodies of one unknown topic",
            read("other", &json!({ "a": 1 })).id,
            read("other", &json!({ "a": 2 })).id,
            false,
        ),
        (
            "one body of an unknown topic",
            read("other", &json!({ "a": 1 })).id,
            read("other", &json!({ "a": 1 })).id,
            true,
        ),
    ] {
        assert_eq!(one == other, same, "{what}");
    }
}
