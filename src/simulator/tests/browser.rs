//! Stripe's script in a payer's browser: its files, and what its publishable key may ask.

use serde_json::Value;

use super::{Answer, Bench};

const PUBLISHABLE: &str = "pk_test_simulated";

impl Bench {
    async fn tokenise(&self, number: &str) -> Answer {
        let form = format!(
            "type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123"
        );
        let request = self
            .http
            .post(format!("{}/stripe/v1/payment_methods", self.base));
        let request = request
            .bearer_auth(PUBLISHABLE)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form)).await.unwrap()
    }

    async fn look(&self, path: &str) -> Answer {
        let request = self.http.get(format!("{}/stripe/v1/{path}", self.base));
        self.send(request.bearer_auth(PUBLISHABLE)).await.unwrap()
    }
}

#[tokio::test]
async fn a_typed_in_card_becomes_a_method_that_is_charged_as_its_number_says() {
    let bench = Bench::start().await;
    for (number, status, state) in [
        ("4242424242424242", 200, "succeeded"),
        ("4000000000009995", 402, "requires_payment_method"),
        ("4000002500003155", 200, "requires_action"),
        ("4000002760003184", 200, "requires_action"),
    ] {
        let method = bench.tokenise(number).await;
        assert_eq!(method.status, 200, "{number}");
        let last4 = method.body["card"]["last4"].as_str().unwrap();
        assert!(number.ends_with(last4) && last4.len() == 4, "{number}");
        let id = bench.intent("").await;
        let form = format!("payment_method={}", method.body["id"].as_str().unwrap());
        let path = format!("payment_intents/{id}/confirm");
        let answer = bench.stripe(&path, number, &form).await;
        assert_eq!(answer.status, status, "{number}");
        let read = bench.stripe_get(&format!("payment_intents/{id}")).await;
        assert_eq!(read.body["status"], state, "{number}");
    }
}

#[tokio::test]
async fn a_number_that_is_no_test_card_and_a_card_that_lacks_a_part_are_refused() {
    let bench = Bench::start().await;
    let declined = bench.tokenise("4000056655665556").await;
    assert_eq!(declined.status, 402);
    assert_eq!(
        declined.body["error"]["decline_code"],
        "test_mode_live_card"
    );
    let request = bench
        .http
        .post(format!("{}/stripe/v1/payment_methods", bench.base));
    let request = request
        .bearer_auth(PUBLISHABLE)
        .body("type=card&card[number]=4242424242424242");
    let lacking = bench.send(request).await.unwrap();
    assert_eq!(
        (lacking.status, &lacking.body["error"]["param"]),
        (400, &Value::from("card[exp_month]"))
    );
}

#[tokio::test]
async fn an_intent_is_shown_to_who_has_its_secret_and_only_as_far_as_a_browser_may_see() {
    let bench = Bench::start().await;
    let id = bench.intent("&metadata[note]=inside").await;
    let full = bench.stripe_get(&format!("payment_intents/{id}")).await;
    let secret = full.body["client_secret"].as_str().unwrap();
    let shown = bench
        .look(&format!("payment_intents/{id}?client_secret={secret}"))
        .await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body["amount"], full.body["amount"]);
    assert!(shown.body.get("metadata").is_none());
    for path in [
        format!("payment_intents/{id}"),
        format!("payment_intents/{id}?client_secret={id}_secret_guess"),
    ] {
        assert_eq!(bench.look(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_publishable_key_moves_no_money() {
    let bench = Bench::start().await;
    let id = bench.intent("").await;
    for path in [
        "payment_intents".to_owned(),
        format!("payment_intents/{id}/confirm"),
        "refunds".to_owned(),
    ] {
        let request = bench.http.post(format!("{}/stripe/v1/{path}", bench.base));
        let answer = bench.send(request.bearer_auth(PUBLISHABLE)).await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_scripts_frames_may_load_nothing_from_elsewhere() {
    let bench = Bench::start().await;
    for path in [
        "v3/",
        "card.html",
        "card.js",
        "challenge.html",
        "challenge.js",
        "channel.js",
        "frame.css",
    ] {
        let request = bench.http.get(format!("{}/stripe/js/{path}", bench.base));
        let file = bench.send(request).await.unwrap();
        assert_eq!(file.status, 200, "{path}");
        let policy = file.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
    }
    let request = bench.http.get(format!("{}/stripe/js/other.js", bench.base));
    assert_eq!(bench.send(request).await.unwrap().status, 404);
}
