//! Callers that have to show who they are: customers with tokens of the simulated Cleeng, and a server with its key.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Http, Pair, Setup, World};

/// The key of the server that `World::http` is then.
pub(crate) const SERVER_KEY: &str = "the-key-of-the-server";

/// A hash as the configuration takes it.
pub(crate) fn hash_of(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

impl World {
    /// Everything but the connector, which will ask its callers for a token or a key. Cleeng has made its keys already.
    pub(crate) async fn prepare_asking(pair: Pair, setup: Setup) -> World {
        let mut world = World::prepare(pair, setup).await;
        world.http = Http::bearing(SERVER_KEY);
        let jwks = format!("{}/.well-known/jwks.json", world.simulator);
        for (name, value) in [
            ("CONNECTOR_AUTH__MODE", "customer_or_api_key".to_owned()),
            ("CONNECTOR_AUTH__API_KEY_HASHES", hash_of(SERVER_KEY)),
            ("CONNECTOR_AUTH__JWKS_URL", jwks),
            // Builds for tests are slow, and so is a machine with many of them at once.
            ("CONNECTOR_AUTH__JWKS_TIMEOUT", "1400ms".to_owned()),
        ] {
            world.env.entry(name.to_owned()).or_insert(value);
        }
        world.token(1, json!({})).await;
        world
    }

    /// As `prepare_asking`, and started.
    pub(crate) async fn start_asking(pair: Pair, setup: Setup) -> World {
        let mut world = World::prepare_asking(pair, setup).await;
        world.run("all", &[]);
        world.ready(&world.ops.clone()).await;
        world
    }

    /// The value of a customer's `Authorization`; `more` makes the token special.
    pub(crate) async fn token(&self, customer: u64, more: Value) -> String {
        let mut wanted = json!({ "customerId": customer });
        let fields = wanted.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let answer = self.at_cleeng("_tokens", wanted).await;
        format!("Bearer {}", answer["token"].as_str().unwrap())
    }

    /// Sends a payment with this `Authorization`.
    pub(crate) async fn submit_as(&self, authorization: &str, key: &str, body: &Value) -> Answer {
        self.send_as(authorization, "/v1/payments", key, body).await
    }

    pub(crate) async fn send_as(
        &self,
        authorization: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Answer {
        let headers = [("Idempotency-Key", key), ("Authorization", authorization)];
        let url = format!("{}{path}", self.base);
        self.http.post_with(&url, &headers, body).await
    }

    pub(crate) async fn get_as(&self, authorization: &str, path: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        let headers = [("Authorization", authorization)];
        self.http.get_with(&url, &headers).await
    }

    /// An order of this customer's.
    pub(crate) async fn order_of(&self, customer: u64, gateway: &str) -> u64 {
        let whose = json!({ "customerId": customer });
        self.order_with(gateway, whose).await
    }

    /// How often Cleeng's keys were fetched.
    pub(crate) async fn fetches(&self) -> u64 {
        self.requests("cleeng.keys").await
    }

    /// The value of a counter or gauge.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|line| {
            line.strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(' '))
        });
        line.unwrap_or_else(|| panic!("{name} is not in {text}"))
            .parse()
            .unwrap()
    }
}
