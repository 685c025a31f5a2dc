//! The payer's bank asks: what follows from either answer, and from nobody being there to answer.

use super::Bench;

#[tokio::test]
async fn authentication_off_session_is_a_decline() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let form = "payment_method=pm_card_authenticationRequired&off_session=true";
    let answer = bench
        .stripe(&format!("payment_intents/{id}/confirm"), "k1", form)
        .await;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.body["error"]["code"], "authentication_required");
}

#[tokio::test]
async fn the_challenge_page_settles_and_sends_the_payer_back() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let form =
        "payment_method=pm_card_threeDSecure2Required&return_url=https://shop.example/back?o=1";
    let asked = bench
        .stripe(&format!("payment_intents/{id}/confirm"), "k1", form)
        .await;
    assert_eq!(asked.body["status"], "requires_action");
    let url = asked.body["next_action"]["redirect_to_url"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = bench.send(bench.http.get(&url)).await.unwrap();
    assert!(page.text.contains("Approve") && page.text.contains("Decline"));
    let sent = bench.http.post(&url).body("choice=approve");
    let back = bench.send(sent).await.unwrap();
    assert_eq!(back.status, 303);
    let location = back.headers["location"].to_str().unwrap();
    assert!(location.starts_with("https://shop.example/back?o=1&payment_intent=pi_3"));
    assert!(location.ends_with("redirect_status=succeeded"));
    let read = bench.stripe_get(&format!("payment_intents/{id}")).await;
    assert_eq!(read.body["status"], "succeeded");
}

#[tokio::test]
async fn a_failed_challenge_asks_for_another_method() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    let form = "payment_method=pm_card_threeDSecure2Required";
    let asked = bench
        .stripe(&format!("payment_intents/{id}/confirm"), "k1", form)
        .await;
    assert_eq!(asked.body["next_action"]["type"], "use_stripe_sdk");
    let url = format!("{}/stripe/3ds/{id}/decline", bench.base);
    let answer = bench.send(bench.http.post(&url)).await.unwrap();
    assert_eq!(answer.body["status"], "requires_payment_method");
    let read = bench.stripe_get(&format!("payment_intents/{id}")).await;
    let error = &read.body["last_payment_error"];
    assert_eq!(error["code"], "payment_intent_authentication_failure");
    let twice = bench.send(bench.http.post(&url)).await.unwrap();
    assert_eq!(twice.status, 409);
}

#[tokio::test]
async fn a_method_is_saved_without_a_payment() {
    let bench = Bench::start().await;
    let customer = bench.stripe("customers", "", "").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!("customer={customer}&confirm=true&payment_method=pm_card_visa");
    let saved = bench.stripe("setup_intents", "k1", &form).await;
    assert_eq!(saved.body["status"], "succeeded", "{}", saved.text);
    let method = saved.body["payment_method"].as_str().unwrap().to_owned();
    let read = bench.stripe_get(&format!("payment_methods/{method}")).await;
    assert_eq!(read.body["customer"], customer.as_str());
    let detach = bench
        .stripe(&format!("payment_methods/{method}/detach"), "k2", "")
        .await;
    assert_eq!(detach.body["customer"], serde_json::Value::Null);
    let hard = form.replace("pm_card_visa", "pm_card_threeDSecure2Required");
    let asked = bench.stripe("setup_intents", "k3", &hard).await;
    assert_eq!(asked.body["status"], "requires_action");
    let id = asked.body["id"].as_str().unwrap();
    let url = format!("{}/stripe/3ds/{id}/decline", bench.base);
    bench.send(bench.http.post(&url)).await.unwrap();
    let read = bench.stripe_get(&format!("setup_intents/{id}")).await;
    assert_eq!(
        read.body["last_setup_error"]["code"],
        "setup_intent_authentication_failure"
    );
    let declined = form.replace("pm_card_visa", "pm_card_chargeDeclinedLostCard");
    let refused = bench.stripe("setup_intents", "k4", &declined).await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.body["error"]["decline_code"], "lost_card");
    assert_eq!(
        refused.body["error"]["setup_intent"]["status"],
        "requires_payment_method"
    );
}
