//! Twelve months of one subscription: a scripted connector answers the webhooks and reports, and both books agree to the cent.

use serde_json::{Value, json};

use super::Bench;
use super::connector::Connector;

const OFFER: &str = "S900000001_US";
const PRICE: i64 = 1_299;

async fn statement(bench: &Bench) -> Value {
    bench.control("GET", "/_statement", json!({})).await
}

/// Goes from one thing that is due to the next, until the statement says so.
async fn until(bench: &Bench, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..60 {
        let found = statement(bench).await;
        if is_so(&found["subscriptions"][0]) && is_idle(bench).await {
            return found;
        }
        let next = json!({ "advance": "next", "waitMs": 5_000 });
        bench.control("POST", "/_clock", next).await;
    }
    panic!("it never came: {}", statement(bench).await);
}

/// Is the subscription the only thing on the agenda, or nothing at all?
async fn is_idle(bench: &Bench) -> bool {
    let clock = bench.control("GET", "/_clock", json!({})).await;
    clock["next"]["what"] != "webhook"
}

/// The trial's order is reported as paid without money.
async fn begin(bench: &Bench) -> Value {
    let offer = json!({ "offerId": OFFER, "priceMinor": PRICE, "cycle": "monthly", "trial": "7d" });
    bench.control("POST", "/_offers", offer).await;
    let order = json!({ "customerId": 5, "offerId": OFFER, "currency": "EUR" });
    let order = bench.control("POST", "/_orders", order).await;
    assert_eq!(order["totalPrice"], 0);
    assert_eq!(order["discount"]["type"], "trial");
    let payment = json!({
        "orderId": order["id"], "status": "captured", "paymentOperation": "initial-free-transaction",
        "externalPaymentId": "seti_1", "paymentDetails": { "token": "cus_1|pm_1" },
    });
    let answer = bench.cleeng("POST", "payments", Some(payment)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let subscription = statement(bench).await["subscriptions"][0].clone();
    assert_eq!(subscription["inTrial"], true);
    let days = subscription["to"].as_i64().unwrap() - subscription["from"].as_i64().unwrap();
    assert_eq!(days, 7 * 86_400);
    subscription
}

/// New details for the customer's only subscription; the old ones are switched off. Returns the new ones' id.
async fn new_details(bench: &Bench, old: &Value, token: &str) -> Value {
    let new = json!({ "customerId": 5, "token": token, "paymentMethodId": 123_876_432 });
    let new = bench.cleeng("POST", "payment_details", Some(new)).await;
    assert_eq!(new.status, 200, "{}", new.text);
    let off = json!({ "active": false });
    let path = format!("payment_details/{old}");
    let answer = bench.cleeng("PATCH", &path, Some(off)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    new.body["data"]["id"].clone()
}

#[tokio::test]
async fn a_year_of_a_subscription_is_the_same_in_both_books() {
    let bench = Bench::start().await;
    let connector = Connector::start(&bench).await;
    let begun = begin(&bench).await;
    let completed = |months: u64| move |found: &Value| found["completed"] == months;
    // Two plain months; one webhook of the second is answered with 500 and sent again.
    until(&bench, completed(1)).await;
    connector.told.lock().unwrap().refuse = 1;
    until(&bench, completed(2)).await;
    assert_eq!(connector.count("Authorisation"), 2);
    // A decline or two, and the third try succeeds.
    connector.told.lock().unwrap().decline = 2;
    let found = until(&bench, completed(3)).await;
    assert_eq!(connector.count("Authorisation"), 5);
    // The payer changes the details while a payment is authorised with the old ones: it is cancelled and made again.
    let next = json!({ "advance": "next", "waitMs": 5_000 });
    bench.control("POST", "/_clock", next).await;
    let old = &found["subscriptions"][0]["paymentDetailsId"];
    let second = new_details(&bench, old, "cus_1|pm_2").await;
    let found = until(&bench, completed(4)).await;
    assert_eq!(found["subscriptions"][0]["paymentDetailsId"], second);
    assert_eq!(connector.told.lock().unwrap().cancelled, 1);
    // The bank renews the card: a new token, nothing under way.
    new_details(&bench, &second, "cus_1|pm_3").await;
    let found = until(&bench, completed(12)).await;
    let payments = found["payments"].as_array().unwrap();
    let captured: Vec<&Value> = payments
        .iter()
        .filter(|payment| payment["status"] == "captured" && payment["amountMinor"] == PRICE)
        .collect();
    assert_eq!(captured.len(), 12);
    let (refunded, disputed) = (&captured[10]["id"], captured[11]);
    // A refund in two parts, asked for at Cleeng; a chargeback, told by the connector.
    for (minor, sum) in [(500, 500), (799, PRICE)] {
        let wish = json!({ "paymentId": refunded, "amountMinor": minor });
        bench.control("POST", "/_refunds", wish).await;
        connector.until(|told| told.refunded == sum).await;
    }
    let chargeback = json!({
        "status": "refunded", "orderId": disputed["orderId"], "paymentOperation": "recurring-payment",
        "refundedReason": "fraudulent", "type": "chargeback",
    });
    let path = format!("payments/{}", disputed["id"]);
    connector.core("PATCH", &path, chargeback).await;
    // No try succeeds any more.
    connector.told.lock().unwrap().decline = 4;
    let found = until(&bench, |found| found["status"] == "terminated").await;
    let subscription = &found["subscriptions"][0];
    assert_eq!(subscription["termination"], "paymentCancel");
    let told = connector.told.lock().unwrap();
    assert_eq!(told.captured, 12 * PRICE);
    assert_eq!(told.refunded, PRICE);
    assert_eq!(
        found["totals"]["EUR"],
        json!({ "capturedMinor": told.captured, "refundedMinor": told.refunded, "chargedBackMinor": PRICE })
    );
    assert_eq!(found["refunds"].as_array().unwrap().len(), 3);
    // 12 renewals, 2 declined and 1 cancelled tries, and the 4 that came to nothing.
    assert_eq!(told.tokens.len(), 12 + 2 + 1 + 4);
    assert_eq!(told.tokens[5..=6], ["cus_1|pm_1", "cus_1|pm_2"]);
    assert_eq!(told.tokens.last().unwrap(), "cus_1|pm_3");
    let from = begun["from"].as_i64().unwrap();
    let lived = subscription["to"].as_i64().unwrap() - from;
    assert!((370 * 86_400..376 * 86_400).contains(&lived), "{lived}");
}
