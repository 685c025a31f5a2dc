//! Cleeng: orders, the rules of payments, and what can be read back.

use serde_json::{Value, json};

use super::{Bench, charge};

async fn order(bench: &Bench, wanted: Value) -> u64 {
    let order = bench.control("POST", "/_orders", wanted).await;
    order["id"].as_u64().unwrap()
}

fn captured(order: u64) -> Value {
    json!({
        "orderId": order.to_string(), "status": "captured", "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "cus_1|pm_1" },
    })
}

async fn pay(bench: &Bench, body: Value) -> (u16, Value) {
    let answer = bench.cleeng("POST", "payments", Some(body)).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn an_order_is_created_read_and_changed() {
    let bench = Bench::start().await;
    let new = json!({ "customerId": "927751142", "offerId": "S619117184_US", "currency": "USD", "country": "US" });
    let created = bench.cleeng("POST", "orders", Some(new)).await;
    assert_eq!(created.body["success"], true, "{}", created.text);
    let id = created.body["order"]["id"].as_u64().unwrap();
    let change = json!({ "paymentMethodId": 123_876_432 });
    bench
        .cleeng("PATCH", &format!("orders/{id}"), Some(change))
        .await;
    let read = bench.cleeng("GET", &format!("orders/{id}"), None).await;
    assert_eq!(read.body["order"]["paymentMethodId"], 123_876_432);
    assert!(read.text.contains("\"totalPrice\":9.99"), "{}", read.text);
    let missing = bench.cleeng("GET", "orders/1", None).await;
    assert_eq!(missing.status, 404);
    assert!(missing.body["message"].is_string());
}

#[tokio::test]
async fn the_publisher_token_is_required() {
    let bench = Bench::start().await;
    let request = bench
        .http
        .get(format!("{}/cleeng/3.1/orders/1", bench.base));
    assert_eq!(bench.send(request).await.unwrap().status, 401);
}

#[tokio::test]
async fn amounts_have_the_currencys_decimals() {
    let bench = Bench::start().await;
    for (currency, minor, written) in [
        ("EUR", 999, "9.99"),
        ("JPY", 999, "999"),
        ("KWD", 5120, "5.12"),
    ] {
        let id = order(&bench, json!({ "totalMinor": minor, "currency": currency })).await;
        let read = bench.cleeng("GET", &format!("orders/{id}"), None).await;
        assert!(
            read.text.contains(&format!("\"totalPrice\":{written}")),
            "{}",
            read.text
        );
    }
}

#[tokio::test]
async fn every_rule_of_a_new_payment_is_kept() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({})).await;
    let with = |field: &str, value: Value| {
        let mut body = captured(id);
        body[field] = value;
        body
    };
    let mut no_reason = with("status", json!("rejected"));
    no_reason.as_object_mut().unwrap().remove("paymentDetails");
    for (body, status) in [
        (with("foo", json!(1)), 400),
        (with("orderId", json!(1.5)), 400),
        (with("status", json!("authorised")), 400),
        (with("paymentOperation", json!("renewal")), 400),
        (with("paymentOperation", json!("recurring-payment")), 400),
        (with("externalPaymentId", Value::Null), 400),
        (with("externalPaymentId", json!("")), 400),
        (with("paymentDetails", Value::Null), 400),
        (
            with("paymentDetails", json!({ "token": "t", "pan": "1" })),
            400,
        ),
        (with("paymentDetailsId", json!(5)), 400),
        (no_reason, 400),
        (with("orderId", json!(1)), 422),
        (with("orderId", json!(id)), 200),
    ] {
        let (answered, answer) = pay(&bench, body.clone()).await;
        assert_eq!(answered, status, "{body} {answer}");
    }
}

#[tokio::test]
async fn an_expired_order_takes_no_payment() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({ "expiresInSeconds": -1 })).await;
    assert_eq!(pay(&bench, captured(id)).await.0, 422);
}

#[tokio::test]
async fn a_captured_payment_opens_a_subscription_that_names_it() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({ "customerId": 5 })).await;
    let (status, body) = pay(&bench, captured(id)).await;
    assert_eq!(status, 200);
    assert_eq!(body["payment"]["status"], "captured");
    assert_eq!(body["payment"]["orderId"], id);
    let list = bench
        .cleeng(
            "GET",
            "subscriptions?customerId=5&offerId=S619117184_US",
            None,
        )
        .await;
    assert_eq!(list.body["data"][0]["latestPaymentExternalId"], "pi_1");
    let pass = order(
        &bench,
        json!({ "customerId": 5, "offerId": "P619117184_US" }),
    )
    .await;
    pay(&bench, captured(pass)).await;
    let list = bench
        .cleeng("GET", "passes?customerId=5&offerId=P619117184_US", None)
        .await;
    assert_eq!(list.body["data"][0]["latestPaymentExternalId"], "pi_1");
}

#[tokio::test]
async fn a_payment_recorded_twice_is_there_twice() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({})).await;
    for _ in 0..2 {
        assert_eq!(pay(&bench, captured(id)).await.0, 200);
    }
    let path = format!("/_ledger?orderId={id}");
    let ledger = bench.control("GET", &path, json!({})).await;
    assert_eq!(ledger["cleeng"]["payments"].as_array().unwrap().len(), 2);
    assert_eq!(
        ledger["cleeng"]["subscriptions"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn an_authorized_payment_is_found_captured_and_refunded() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({})).await;
    let mut body = captured(id);
    body["status"] = json!("authorized");
    let payment = pay(&bench, body).await.1["payment"].clone();
    let list = format!(
        "payment_details/{}/authorised_payments",
        payment["paymentDetailsId"]
    );
    let found = bench.cleeng("GET", &list, None).await;
    assert_eq!(found.body["data"][0]["id"], payment["id"]);
    let path = format!("payments/{}", payment["id"]);
    let change = |body: Value| bench.cleeng("PATCH", &path, Some(body));
    assert_eq!(change(json!({ "status": "captured" })).await.status, 200);
    assert_eq!(change(json!({ "status": "captured" })).await.status, 422);
    let cancel = bench.cleeng("PATCH", &format!("{path}/cancel"), None).await;
    assert_eq!(cancel.status, 422);
    let refund = json!({
        "status": "refunded", "orderId": id, "paymentOperation": "initial-payment",
        "refundedReason": "asked", "amount": 5.0, "type": "refund",
    });
    assert_eq!(
        change(refund.clone()).await.body["payment"]["status"],
        "refunded"
    );
    assert_eq!(change(refund).await.status, 422);
    let ledger = bench.ledger().await;
    let history = &ledger["cleeng"]["payments"][0]["history"];
    assert_eq!(history, &json!(["authorized", "captured", "refunded"]));
}

#[tokio::test]
async fn the_ledger_is_narrowed_down_to_one_payment() {
    let bench = Bench::start().await;
    let id = order(&bench, json!({})).await;
    let intent = bench.intent("").await;
    bench.intent("&metadata[order_id]=5").await;
    let mut body = captured(id);
    body["externalPaymentId"] = json!(intent);
    pay(&bench, body).await;
    pay(&bench, captured(id)).await;
    let ledger = bench
        .control("GET", "/_ledger?reference=p1", json!({}))
        .await;
    assert_eq!(ledger["cleeng"]["payments"].as_array().unwrap().len(), 1);
    assert_eq!(
        ledger["stripe"]["paymentIntents"].as_array().unwrap().len(),
        2
    );
    let ledger = bench.control("GET", "/_ledger?orderId=5", json!({})).await;
    assert_eq!(
        ledger["stripe"]["paymentIntents"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ledger["cleeng"]["payments"], json!([]));
}

#[tokio::test]
async fn an_order_of_the_standing_range_exists_and_both_books_are_read_in_pages() {
    let bench = Bench::start().await;
    let order = bench.cleeng("GET", "orders/700000000003", None).await;
    assert_eq!(order.status, 200, "{}", order.text);
    let total = super::super::standing_total(700_000_000_003);
    let shown = order.body["order"]["totalPrice"].as_f64().unwrap();
    assert_eq!(format!("{:.0}", shown * 100.0), total.to_string());
    let missing = bench.cleeng("GET", "orders/700000000010", None).await;
    assert_eq!(missing.status, 404);

    for (key, id) in [("k1", 1), ("k2", 2)] {
        let charge = bench.simulated(key, &charge("tok_ok")).await;
        let payment = json!({
            "orderId": 700_000_000_000_u64 + id, "status": "captured", "paymentOperation": "initial-payment",
            "externalPaymentId": charge.body["id"],
        });
        let recorded = bench.cleeng("POST", "payments", Some(payment)).await;
        assert_eq!(recorded.status, 200, "{}", recorded.text);
    }
    bench.simulated("k3", &charge("tok_declined")).await;
    let taken = bench.control("GET", "/_book/simulated", json!({})).await;
    assert_eq!(
        (&taken["next"], taken["entries"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    let first = bench
        .control("GET", "/_book/cleeng?limit=1", json!({}))
        .await;
    assert_eq!(first["next"], 1);
    let rest = bench
        .control("GET", "/_book/cleeng?from=1", json!({}))
        .await;
    assert_eq!(rest["entries"][0]["externalId"], taken["entries"][1]["id"]);
    assert_eq!(rest["entries"][0]["orderId"], 700_000_000_002_u64);
    assert!(rest["entries"][0]["at"].as_i64() > first["entries"][0]["at"].as_i64());
}
