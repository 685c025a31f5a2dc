//! Stripe: strictness, idempotency, states, authentication.

use super::Bench;

const CONFIRM: &str = "payment_method=pm_card_visa";

#[tokio::test]
async fn a_payment_is_created_confirmed_and_read() {
    let bench = Bench::start().await;
    let id = bench.intent("&metadata[attempt_id]=a1").await;
    let form = format!("{CONFIRM}&expand[]=latest_charge");
    let confirmed = bench
        .stripe(&format!("payment_intents/{id}/confirm"), "k1", &form)
        .await;
    assert_eq!(confirmed.status, 200);
    assert_eq!(confirmed.body["status"], "succeeded");
    assert_eq!(confirmed.body["amount_received"], 999);
    let method = confirmed.body["payment_method"].as_str().unwrap();
    assert!(method.starts_with("pm_1"));
    let card = &confirmed.body["latest_charge"]["payment_method_details"]["card"];
    assert_eq!(card["last4"], "4242");
    assert!(confirmed.headers.contains_key("request-id"));
    let read = bench.stripe_get(&format!("payment_intents/{id}")).await;
    assert_eq!(read.body["metadata"]["attempt_id"], "a1");
    assert!(read.body["latest_charge"].is_string());
}

#[tokio::test]
async fn strict_about_credentials_version_and_parameters() {
    let bench = Bench::start().await;
    let url = format!("{}/stripe/v1/payment_intents", bench.base);
    let plain = bench.send(bench.http.post(&url)).await.unwrap();
    assert_eq!(plain.status, 401);
    let no_version = bench
        .http
        .post(&url)
        .header("authorization", "Bearer sk_test_1");
    assert_eq!(bench.send(no_version).await.unwrap().status, 400);
    for (form, code, param) in [
        (
            "amount=999&currency=eur&amuont=1",
            "parameter_unknown",
            "amuont",
        ),
        ("amount=999&currency=eur&metadata[a][b]=1", "", "metadata"),
        (
            "amount=9.99&currency=eur",
            "parameter_invalid_integer",
            "amount",
        ),
        (
            "amount=0&currency=eur",
            "parameter_invalid_integer",
            "amount",
        ),
        ("amount=49&currency=eur", "amount_too_small", "amount"),
        ("amount=5123&currency=kwd", "", "amount"),
        ("amount=999", "parameter_missing", "currency"),
        (
            "amount=999&currency=",
            "parameter_invalid_empty",
            "currency",
        ),
        (
            "amount=999&currency=eur&customer=cus_x",
            "resource_missing",
            "customer",
        ),
        (
            "amount=999&currency=eur&payment_method=pm_x",
            "resource_missing",
            "payment_method",
        ),
        ("amount=999&currency=eur&confirm=yes", "", "confirm"),
        (
            "amount=999&currency=eur&return_url=https://a.example",
            "",
            "return_url",
        ),
    ] {
        let answer = bench.stripe("payment_intents", "", form).await;
        let error = &answer.body["error"];
        assert_eq!(answer.status, 400, "{form}");
        assert_eq!(error["type"], "invalid_request_error", "{form}");
        assert_eq!(error["code"].as_str().unwrap_or(""), code, "{form}");
        assert_eq!(error["param"], param, "{form}");
    }
    let missing = bench.stripe_get("payment_intents/pi_x").await;
    assert_eq!(
        (missing.status, missing.body["error"]["code"].as_str()),
        (404, Some("resource_missing"))
    );
}

#[tokio::test]
async fn a_decline_is_a_402_and_replayed_under_its_key() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    let form = "payment_method=pm_card_visa_chargeDeclinedInsufficientFunds";
    let first = bench.stripe(&path, "k1", form).await;
    assert_eq!(first.status, 402);
    let error = &first.body["error"];
    assert_eq!(error["type"], "card_error");
    assert_eq!(error["decline_code"], "insufficient_funds");
    assert_eq!(error["advice_code"], "try_again_later");
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let again = bench.stripe(&path, "k1", form).await;
    assert_eq!((again.status, &again.text), (402, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = bench.stripe(&path, "k1", CONFIRM).await;
    assert_eq!(
        (other.status, other.body["error"]["type"].as_str()),
        (400, Some("idempotency_error"))
    );
    let fresh = bench.stripe(&path, "k2", CONFIRM).await;
    assert_eq!(fresh.body["status"], "succeeded");
}

#[tokio::test]
async fn a_succeeded_intent_cannot_be_confirmed_again() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    bench.stripe(&path, "k1", CONFIRM).await;
    let again = bench.stripe(&path, "k2", CONFIRM).await;
    assert_eq!(again.status, 400);
    assert_eq!(
        again.body["error"]["code"],
        "payment_intent_unexpected_state"
    );
    assert_eq!(again.body["error"]["payment_intent"]["status"], "succeeded");
    let ledger = bench.ledger().await;
    assert_eq!(ledger["moneyMoved"]["p1"], 1);
}

#[tokio::test]
async fn a_key_in_flight_is_refused() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let path = format!("payment_intents/{id}/confirm");
    let rule =
        serde_json::json!({ "operation": "stripe.confirm", "fault": "slow", "delayMs": 400 });
    bench.control("POST", "/_faults", rule).await;
    let late = async {
        bench.until_called("stripe.confirm").await;
        bench.stripe(&path, "k1", CONFIRM).await
    };
    let (first, second) = tokio::join!(bench.stripe(&path, "k1", CONFIRM), late);
    assert_eq!(first.status, 200);
    assert_eq!(second.status, 409);
    assert_eq!(second.body["error"]["code"], "idempotency_key_in_use");
}

#[tokio::test]
async fn a_saved_method_is_charged_again_only_for_its_customer() {
    let bench = Bench::start().await;
    let customer = bench.stripe("customers", "", "metadata[a]=1").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = bench
        .intent(&format!(
            "&customer={customer}&setup_future_usage=off_session"
        ))
        .await;
    let path = format!("payment_intents/{id}/confirm");
    let method = bench.stripe(&path, "k1", CONFIRM).await.body["payment_method"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = format!(
        "amount=999&currency=eur&customer={customer}&payment_method={method}&off_session=true&confirm=true"
    );
    let renewed = bench.stripe("payment_intents", "k2", &again).await;
    assert_eq!(renewed.body["status"], "succeeded", "{}", renewed.text);
    let foreign = again.replace(&format!("&customer={customer}"), "");
    assert_eq!(
        bench.stripe("payment_intents", "k3", &foreign).await.status,
        400
    );
    let list = bench
        .stripe_get(&format!(
            "payment_intents?customer={customer}&created[gte]=1"
        ))
        .await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn held_money_is_captured_in_part_and_given_back() {
    let bench = Bench::start().await;
    let id = bench.intent("&capture_method=manual").await;
    let held = bench
        .stripe(&format!("payment_intents/{id}/confirm"), "k1", CONFIRM)
        .await;
    assert_eq!(held.body["status"], "requires_capture");
    assert_eq!(held.body["amount_capturable"], 999);
    let path = format!("payment_intents/{id}/capture");
    let taken = bench.stripe(&path, "k2", "amount_to_capture=900").await;
    assert_eq!(
        (taken.status, &taken.body["amount_received"]),
        (200, &serde_json::json!(900))
    );
    let refund = format!("payment_intent={id}&amount=400");
    let back = bench.stripe("refunds", "k3", &refund).await;
    assert_eq!(back.body["status"], "succeeded", "{}", back.text);
    let too_much = bench
        .stripe("refunds", "k4", &refund.replace("400", "501"))
        .await;
    assert_eq!(too_much.status, 400);
    let cancel = bench
        .stripe(&format!("payment_intents/{id}/cancel"), "k5", "")
        .await;
    assert_eq!(
        cancel.body["error"]["code"],
        "payment_intent_unexpected_state"
    );
}
