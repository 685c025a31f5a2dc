//! Cleeng: a subscription's states, its payment details, and what a publisher sets up.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Bench;

async fn subscribe(bench: &Bench) -> u64 {
    let order = bench
        .control("POST", "/_orders", json!({ "customerId": 5 }))
        .await;
    let payment = json!({
        "orderId": order["id"], "status": "captured", "paymentOperation": "initial-payment",
        "externalPaymentId": "pi_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    bench.cleeng("POST", "payments", Some(payment)).await;
    let list = bench
        .cleeng("GET", "subscriptions?customerId=5", None)
        .await;
    list.body["data"][0]["subscriptionId"].as_u64().unwrap()
}

#[tokio::test]
async fn a_subscription_goes_through_its_states() {
    let bench = Bench::start().await;
    let id = subscribe(&bench).await;
    for (verb, body, status, state) in [
        ("activate", json!({}), 422, "active"),
        ("cancel", json!({ "cancellationReason": "" }), 400, "active"),
        (
            "cancel",
            json!({ "cancellationReason": "dear" }),
            200,
            "stopped",
        ),
        ("pause", json!({}), 422, "stopped"),
        ("activate", json!({}), 200, "active"),
        ("pause", json!({}), 200, "paused"),
        ("resume", json!({}), 202, "active"),
        (
            "terminate",
            json!({ "terminationType": "boredom" }),
            400,
            "active",
        ),
        (
            "terminate",
            json!({ "terminationType": "userCancel" }),
            200,
            "terminated",
        ),
        (
            "terminate",
            json!({ "terminationType": "userCancel" }),
            422,
            "terminated",
        ),
        ("transfer", json!({ "customerId": 6 }), 422, "terminated"),
        ("revive", json!({ "expirationDate": 1 }), 400, "terminated"),
        (
            "revive",
            json!({ "expirationDate": 4_000_000_000_i64 }),
            200,
            "active",
        ),
        ("transfer", json!({ "customerId": 6 }), 200, "active"),
        ("explode", json!({}), 404, "active"),
    ] {
        let path = format!("subscriptions/{id}/{verb}");
        let answer = bench.cleeng("POST", &path, Some(body)).await;
        assert_eq!(answer.status, status, "{verb}: {}", answer.text);
        let read = bench
            .cleeng("GET", &format!("subscriptions/{id}"), None)
            .await;
        assert_eq!(read.body["status"], state, "{verb}");
    }
}

#[tokio::test]
async fn a_subscription_is_changed_one_parameter_at_a_time() {
    let bench = Bench::start().await;
    let id = subscribe(&bench).await;
    let path = format!("subscriptions/{id}");
    for (body, status) in [
        (json!({}), 400),
        (json!({ "status": "active", "couponCode": "x" }), 400),
        (json!({ "status": "gone" }), 400),
        (json!({ "expiresAt": 1_000_000 }), 422),
        (json!({ "expiresAt": 4_000_000_000_i64 }), 200),
        (json!({ "paymentDetailsId": 1 }), 422),
        (json!({ "externalId": "e" }), 422),
        (json!({ "couponCode": "x" }), 200),
        (json!({ "inTrial": true }), 200),
        (json!({ "status": "terminated" }), 200),
        (json!({ "status": "active" }), 422),
    ] {
        let answer = bench.cleeng("PATCH", &path, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert_eq!(answer.body["success"], status == 200);
        assert_eq!(answer.body["subscription"].is_object(), status == 200);
    }
    let missing = bench
        .cleeng("PATCH", "subscriptions/1", Some(json!({ "inTrial": true })))
        .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn payment_details_are_restricted_listed_and_taken_over() {
    let bench = Bench::start().await;
    let id = subscribe(&bench).await;
    let read = |path: String| {
        let bench = &bench;
        async move { bench.cleeng("GET", &path, None).await.body }
    };
    let old = read(format!("subscriptions/{id}")).await["paymentDetailsId"].clone();
    let path = format!("payment_details/{old}/attemptRestrictions");
    for (body, status) in [
        (json!({}), 400),
        (
            json!({ "attemptRestrictedTo": 5, "attemptRejections": {} }),
            400,
        ),
        (json!({ "attemptRestrictedTo": -1 }), 400),
        (json!({ "attemptRejections": { "March": 1 } }), 400),
        (json!({ "attemptRestrictedTo": null }), 200),
        (json!({ "attemptRejections": { "2026-03": 1 } }), 200),
    ] {
        let answer = bench.cleeng("PATCH", &path, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let new = json!({ "customerId": 5, "token": "cus_1|pm_2", "paymentMethodId": 123_876_432 });
    let new = bench.cleeng("POST", "payment_details", Some(new)).await;
    let new = new.body["data"]["id"].clone();
    let details = read(format!("subscriptions/{id}")).await["paymentDetailsId"].clone();
    assert_eq!(
        details, new,
        "the only subscription takes the new details over"
    );
    let list = read("customers/5/payment_details".to_owned()).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let missing = bench.cleeng("GET", "customers/99", None).await;
    assert_eq!((missing.status, &missing.body["data"]), (404, &Value::Null));
    bench
        .cleeng("DELETE", &format!("payment_details/{new}"), None)
        .await;
    let details = read(format!("subscriptions/{id}")).await["paymentDetailsId"].clone();
    assert_eq!(details, Value::Null);
}

#[tokio::test]
async fn dunning_actions_and_payment_methods_are_checked() {
    let bench = Bench::start().await;
    let rule = |attempts: Value, grace: i64| {
        json!({
            "authorizedFirst": true, "paymentAttempts": attempts, "gracePeriod": grace,
            "paymentMethodId": 123_876_432,
        })
    };
    for (cycle, body, status) in [
        ("monthly", rule(json!([0, 24]), 2), 200),
        ("fortnightly", rule(json!([0]), 2), 400),
        ("monthly", rule(json!([]), 2), 400),
        ("monthly", rule(json!([0, -3]), 2), 400),
        ("monthly", rule(json!([1.5]), 2), 400),
        ("monthly", json!({ "authorizedFirst": true }), 400),
    ] {
        let path = format!("dunning_actions/{cycle}");
        let answer = bench.cleeng("PUT", &path, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let method = json!({
        "source": "x", "methodName": "card", "paymentGateway": "stripe", "isExternalPayment": true,
        "paymentSupport": "all", "paymentAmountAccuracy": 2,
    });
    let made = bench
        .cleeng("POST", "payment_methods", Some(method.clone()))
        .await;
    assert_eq!(made.body["handler"], "external");
    let mut short = method;
    short.as_object_mut().unwrap().remove("source");
    let refused = bench.cleeng("POST", "payment_methods", Some(short)).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn webhook_subscriptions_are_read_and_replaced_as_a_whole() {
    let bench = Bench::start().await;
    let url = "https://connector.example/webhooks/cleeng";
    let hmac = |secret: &str| json!({ "name": "HMAC", "options": { "hashAlg": "SHA256", "sharedSecret": secret } });
    for (topic, body, status) in [
        ("refundPayment", json!([{ "url": url }]), 200),
        ("refundPayment", json!({ "url": url }), 400),
        ("refundPayment", json!([{ "url": "nowhere" }]), 400),
        (
            "refundPayment",
            json!([{ "url": "ftp://connector.example" }]),
            400,
        ),
        (
            "refundPayment",
            json!([{ "url": url, "filters": [{ "name": "offerId", "options": { "value": 1 } }] }]),
            400,
        ),
        (
            "refundPayment",
            json!([{ "url": url, "verification": hmac("short") }]),
            400,
        ),
        (
            "refundPayment",
            json!([{ "url": url, "colour": "red" }]),
            400,
        ),
        ("noSuchTopic", json!([]), 404),
        (
            "refundPayment",
            json!([{
                "url": url, "verification": hmac("0123456789abcdef0123456789abcdef"), "retryPolicy": {},
                "filters": [{ "name": "paymentMethodId", "options": { "value": 320_113_641 } }],
            }]),
            200,
        ),
    ] {
        let path = format!("webhook_subscriptions/{topic}");
        let answer = bench.cleeng("PUT", &path, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let read = bench.cleeng("GET", "webhook_subscriptions", None).await;
    let list = read.body["data"]["refundPayment"].as_array().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["filters"][0]["options"]["value"], 320_113_641);
    let given = &read.body["data"]["capturePayment"][0]["url"];
    assert!(
        given.as_str().unwrap().ends_with("/hooks/cleeng"),
        "{given}"
    );
}

#[tokio::test]
async fn a_subscription_is_copied_with_its_details_each_for_a_customer_of_its_own() {
    let bench = Bench::start().await;
    let like = subscribe(&bench).await;
    let wanted = json!({ "like": like, "count": 3 });
    let made = bench.control("POST", "/_subscriptions", wanted).await;
    let copies = made["subscriptions"].as_array().unwrap();
    assert_eq!(copies.len(), 3);
    for name in ["subscriptionId", "customerId", "paymentDetailsId"] {
        let ids: BTreeSet<u64> = copies
            .iter()
            .map(|copy| copy[name].as_u64().unwrap())
            .collect();
        assert_eq!(ids.len(), 3, "{name}");
    }
    for copy in copies {
        assert_eq!(copy["token"], "cus_1|pm_1");
        let path = format!("subscriptions/{}", copy["subscriptionId"]);
        let read = bench.cleeng("GET", &path, None).await;
        assert_eq!(read.body["status"], "active");
        assert_eq!(read.body["customerId"], copy["customerId"]);
        let order = json!({
            "customerId": copy["customerId"], "offerId": copy["offerId"], "currency": "EUR", "country": "US",
            "paymentOperation": "recurring-payment", "subscriptionId": copy["subscriptionId"],
        });
        let order = bench.cleeng("POST", "orders", Some(order)).await;
        assert_eq!(order.body["order"]["totalPrice"], 9.99, "{}", order.text);
    }
    for (wanted, status) in [
        (json!({ "like": like, "count": 0 }), 400),
        (json!({ "like": like }), 400),
        (json!({ "like": 1, "count": 3 }), 404),
    ] {
        let url = format!("{}/_subscriptions", bench.base);
        let request = bench.http.post(url).body(wanted.to_string());
        assert_eq!(
            bench.send(request).await.unwrap().status,
            status,
            "{wanted}"
        );
    }
}
