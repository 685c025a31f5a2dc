//! What is put in a topic's list, and what is left alone.

use super::*;
use crate::domain::failure::Cause;
use axum::http::HeaderMap;

const CAPTURE: &str = "subscriptionReadyForPaymentCapture";
const SECRET: &str = "a secret of thirty-two bytes ...";

fn url() -> Url {
    "https://connector.example/v1/webhooks/cleeng"
        .parse()
        .unwrap()
}

fn merged(
    topic: &str,
    current: &[Value],
    payment_method_id: Option<u64>,
) -> Result<Merged, HiddenSecret> {
    let secret = Secret::new(SECRET.to_owned());
    let wanted = Wanted {
        url: &url(),
        payment_method_id,
        secret: &secret,
    };
    merge(topic, current, &wanted)
}

fn ours() -> Value {
    json!({
        "url": url().as_str(), "retryPolicy": {},
        "verification": {"name": "HMAC", "options": {"hashAlg": "SHA256", "sharedSecret": SECRET}},
    })
}

fn theirs(number: u32) -> Value {
    json!({
        "url": format!("https://crm.example/{number}"), "unknown": {"kept": [1, null]},
        "verification": {"name": "HMAC", "options": {"sharedSecret": "their secret, not ours"}},
    })
}

#[test]
fn ours_is_added_and_theirs_stay_as_they_are() {
    let bare = json!({"url": "https://old.example"});
    let current = [theirs(1), bare.clone()];
    let merged = merged("refundPayment", &current, Some(7)).unwrap();
    assert_eq!(merged.list, [theirs(1), bare, ours()]);
    assert_eq!((merged.change, merged.others), (Change::Added, 2));
}

#[test]
fn ours_is_replaced_in_its_place_and_only_when_it_differs() {
    let mut shown = ours();
    shown["id"] = json!(5);
    shown["filters"] = json!([]);
    shown["retryPolicy"] = json!({"attempts": 3});
    let current = [shown, theirs(1)];
    let same = merged("refundPayment", &current, None).unwrap();
    assert_eq!((same.change, same.others), (Change::Nothing, 1));
    for (field, value) in [
        (
            "filters",
            json!([{"name": "paymentMethodId", "options": {"value": 8}}]),
        ),
        ("verification", Value::Null),
        ("retryPolicy", Value::Null),
    ] {
        let mut shown = ours();
        shown[field] = value;
        let merged = merged("refundPayment", &[shown, theirs(1)], None).unwrap();
        assert_eq!(merged.list, [ours(), theirs(1)]);
        assert_eq!(merged.change, Change::Replaced(vec![field]));
    }
    let twice = merged("refundPayment", &[ours(), theirs(1), ours()], None).unwrap();
    assert_eq!(twice.list, [ours(), theirs(1)]);
    assert!(matches!(twice.change, Change::Replaced(_)));
}

#[test]
fn only_the_topics_that_name_the_payment_method_are_filtered() {
    let filter = |topic| {
        let merged = merged(topic, &[], Some(7)).unwrap();
        merged.list[0].get("filters").cloned()
    };
    let by_method = json!([{"name": "paymentMethodId", "options": {"value": 7}}]);
    for topic in FILTERED {
        assert_eq!(filter(topic), Some(by_method.clone()));
    }
    for topic in [
        "refundPayment",
        "capturePayment",
        "paymentDetailsDeactivated",
        "subscriptionReadyForTermination",
    ] {
        assert_eq!(filter(topic), None, "{topic}");
    }
    let all = merged(CAPTURE, &[], None).unwrap();
    assert_eq!(all.list, [ours()]);
}

#[test]
fn nothing_is_put_where_anothers_secret_is_hidden() {
    for options in [
        json!({}),
        json!({"sharedSecret": null}),
        json!({"sharedSecret": "********************"}),
        json!({"sharedSecret": "short"}),
    ] {
        let mut hidden = theirs(1);
        hidden["verification"]["options"] = options;
        let refused = merged(CAPTURE, &[hidden.clone()], None);
        assert_eq!(refused, Err(HiddenSecret));
        let untouched = merged(CAPTURE, &[hidden, ours()], None).unwrap();
        assert_eq!(untouched.change, Change::Nothing);
    }
}

#[test]
fn what_is_printed_shows_no_secret_and_no_address() {
    let mut shown = ours();
    shown["verification"]["options"]["sharedSecret"] = json!("the secret that was before");
    let merged = merged(CAPTURE, &[shown, theirs(1)], Some(7)).unwrap();
    let text = merged.to_string();
    assert_eq!(
        text,
        "ours is changed (filters, verification); of others: 1"
    );
    let lists = WebhookSubscriptions([(CAPTURE.to_owned(), merged.list.clone())].into());
    for text in [format!("{merged:?}"), format!("{lists:?}")] {
        assert!(
            !text.contains("secret") && !text.contains("example"),
            "{text}"
        );
    }
}

#[test]
fn the_lists_are_read_in_a_shape_that_can_hide_nobody() {
    let read_ = |status: u16, body: &str| {
        read(&Answer::new(
            status,
            HeaderMap::new(),
            body.as_bytes().to_vec(),
        ))
    };
    for body in [
        r#"{"success":true,"message":"","data":{"RefundPayment":[{"url":"https://a.example"}],"capturePayment":[]}}"#,
        r#"{"RefundPayment":[{"url":"https://a.example"}],"capturePayment":[]}"#,
    ] {
        let lists = read_(200, body).unwrap();
        let expected = [json!({"url": "https://a.example"})];
        assert_eq!(lists.of("refundPayment"), expected, "{body}");
        assert!(lists.of("capturePayment").is_empty() && lists.of("other").is_empty());
    }
    for body in ["[]", "{}", r#"{"data":[]}"#, r#"{"data":{}}"#] {
        assert!(read_(200, body).unwrap().of("refundPayment").is_empty());
    }
    let refused = |code: &str| CallError::Refused { code: code.into() };
    let not_done = |cause| CallError::NotDone {
        cause,
        retry_after: None,
    };
    let broken = CallError::Broken {
        code: "http_401".to_owned(),
    };
    for (status, body, reaction) in [
        (200, "", refused("unreadable")),
        (200, "[1]", refused("unreadable")),
        (200, r#"{"success":true}"#, refused("unreadable")),
        (200, r#"{"data":[{}]}"#, refused("unreadable")),
        (200, r#"{"data":null}"#, refused("unreadable")),
        (
            200,
            r#"{"data":{"refundPayment":{"url":"x"}}}"#,
            refused("unreadable"),
        ),
        (404, "", refused("404")),
        (401, "", broken),
        (429, "", not_done(Cause::RateLimited)),
        (503, "", not_done(Cause::ServerError)),
    ] {
        assert_eq!(read_(status, body), Err(reaction), "{status} {body}");
    }
}
