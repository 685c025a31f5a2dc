//! The simulated Cleeng's side of billing: its clock, its statement, what its operator asks for.

use serde_json::{Value, json};

use super::World;

impl World {
    /// Subscriptions, payments and refunds of one customer, as Cleeng has them.
    pub(crate) async fn statement(&self, customer: u64) -> Value {
        let url = format!("{}/_statement?customerId={customer}", self.simulator);
        self.http.get(&url).await.json()
    }

    /// What Cleeng's operator, or its clock, is told to do.
    pub(crate) async fn at_cleeng(&self, path: &str, body: Value) -> Value {
        let answer = self
            .http
            .post(&format!("{}/{path}", self.simulator), &body)
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Goes from one thing that is due at Cleeng to the next, until the customer's only subscription is so.
    pub(crate) async fn until_subscription(
        &self,
        customer: u64,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        for _ in 0..60 {
            let found = self.statement(customer).await;
            if is_so(&found["subscriptions"][0]) {
                return found;
            }
            let next = json!({ "advance": "next", "waitMs": 15_000 });
            self.at_cleeng("_clock", next).await;
        }
        self.tell_logs();
        panic!("{what} never came: {}", self.statement(customer).await);
    }

    /// From now on renewals of this gateway's payments are charged at once, at the due date.
    pub(crate) async fn charge_directly(&self, gateway: &str) {
        let rule = json!({
            "authorizedFirst": false, "paymentAttempts": [0], "gracePeriod": 2,
            "paymentMethodId": super::method(gateway),
        });
        let url = format!("{}/cleeng/3.1/dunning_actions/monthly", self.simulator);
        let answer = self
            .http
            .put_with(
                &url,
                &[("X-Publisher-Token", "simulated-publisher-token")],
                &rule,
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Buys a monthly subscription with this token; the customer. Each has an offer of its own.
    pub(crate) async fn subscribe(&self, gateway: &str, token: &str) -> u64 {
        let order = self
            .order_with(gateway, json!({ "offerId": "S900000001_US" }))
            .await;
        let request = super::body(order, gateway, token);
        let answer = self.submit(&format!("key-{order}"), &request).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        self.settled(&id, "captured", "delivered").await;
        self.customer_of(order).await
    }

    /// The token that Cleeng keeps with these payment details.
    pub(crate) async fn token_of(&self, details: &Value) -> String {
        let url = format!("{}/_ledger", self.simulator);
        let ledger = self.http.get(&url).await.json();
        let all = ledger["cleeng"]["paymentDetails"].as_array().unwrap();
        let own = all.iter().find(|one| one["id"] == *details).unwrap();
        own["token"].as_str().unwrap().to_owned()
    }

    /// Whose order it is, once Cleeng has a payment of it.
    pub(crate) async fn customer_of(&self, order: u64) -> u64 {
        let url = format!("{}/_ledger?orderId={order}", self.simulator);
        let ledger = self.http.get(&url).await.json();
        let record = &ledger["cleeng"]["payments"][0];
        record["customerId"].as_u64().unwrap()
    }

    /// All that the gateway has taken and not given back, in minor units.
    pub(crate) async fn taken_by(&self, gateway: &str) -> i64 {
        let ledger = self
            .http
            .get(&format!("{}/_ledger", self.simulator))
            .await
            .json();
        let (book, taken) = match gateway {
            "stripe" => ("paymentIntents", "amountReceived"),
            _ => ("charges", "amountCaptured"),
        };
        let sum = |field: &str| -> i64 {
            let entries = ledger[gateway][book].as_array().unwrap();
            entries
                .iter()
                .map(|entry| entry[field].as_i64().unwrap_or(0))
                .sum()
        };
        sum(taken) - sum("amountRefunded")
    }
}

/// The statement's payments with this operation, in the order of their making: their statuses.
pub(crate) fn statuses<'a>(statement: &'a Value, operation: &str) -> Vec<&'a str> {
    statement["payments"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|payment| payment["operation"] == operation)
        .map(|payment| payment["status"].as_str().unwrap())
        .collect()
}
