//! A gateway's adapter that talks to its simulator, and the requests that the tests make with it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{CaptureMode, GatewayConfig, SimulatedConfig, StripeConfig};
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef, RefundId};
use crate::domain::money::Money;
use crate::domain::outcome::Outcome;
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::gateway::billing::{Refunding, Saving};
use crate::gateway::{self, Gateway, sample};
use crate::http;
use crate::simulator::tests::Bench;

/// One gateway's adapter, its test tokens, and where it stands in the faults' names.
pub(super) struct Side {
    pub(super) gateway: Arc<dyn Gateway>,
    pub(super) name: &'static str,
    pub(super) good: &'static str,
    pub(super) challenged: &'static str,
}

pub(super) fn sides(bench: &Bench) -> [Side; 2] {
    let url = |path: &str| format!("{}/{path}", bench.base).parse().unwrap();
    let timeout = Duration::from_secs(5);
    let stripe = GatewayConfig::Stripe(StripeConfig {
        base_url: url("stripe"),
        secret_key: "sk_test_1".into(),
        publishable_key: "pk_test_1".to_owned(),
        webhook_secrets: Vec::new(),
        payment_method_id: 1,
        external_payment_method_id: None,
        capture: CaptureMode::Automatic,
        timeout,
        key_lifetime: Duration::from_secs(72_000),
        limits: sample::LIMITS,
    });
    let simulated = GatewayConfig::Simulated(SimulatedConfig {
        base_url: url("simulated"),
        secret_key: "sim_1".into(),
        webhook_secrets: Vec::new(),
        payment_method_id: 2,
        external_payment_method_id: None,
        capture: CaptureMode::Automatic,
        timeout,
        key_lifetime: Duration::from_secs(72_000),
        limits: sample::LIMITS,
    });
    let configs = [("stripe", stripe), ("simulated", simulated)]
        .map(|(name, config)| (name.parse().unwrap(), config))
        .into();
    let client = http::client().unwrap();
    let gateways = gateway::from_config(&configs, &client, &CancellationToken::new()).unwrap();
    [
        ("stripe", "pm_card_visa", "pm_card_threeDSecure2Required"),
        ("simulated", "tok_ok", "tok_3ds"),
    ]
    .map(|(name, good, challenged)| Side {
        gateway: Arc::clone(&gateways[&name.parse().unwrap()]),
        name,
        good,
        challenged,
    })
}

impl Side {
    pub(super) async fn send(&self, request: &Prepared) -> Result<Outcome, CallError> {
        self.gateway.send(AttemptId(Uuid::new_v4()), request).await
    }

    /// What keeping that token comes to, with a customer made first where one is needed.
    pub(super) async fn save(&self, token: &str) -> Outcome {
        let method = Secret::new(json!({ "token": token }));
        let mut customer = None;
        loop {
            let saving = Saving {
                payment_id: sample::PAYMENT_ID.parse().unwrap(),
                method: &method,
                customer: customer.as_deref(),
                return_url: Some("https://shop.example/back"),
            };
            let request = self.gateway.prepare_save(&saving).unwrap();
            let outcome = self.send(&request).await.unwrap();
            let Outcome::Opened { progress } = &outcome else {
                return outcome;
            };
            customer.clone_from(&progress.customer);
        }
    }

    pub(super) async fn stored(&self) -> Secret<String> {
        let outcome = self.save(self.good).await;
        let Outcome::Saved { stored, .. } = outcome else {
            panic!("{}: {}", self.name, outcome.label());
        };
        stored.token
    }

    /// What a charge of 9.99 euro with a stored method comes to, request by request.
    pub(super) async fn renew(&self, token: &Secret<String>, capture: CaptureMode) -> Outcome {
        let token = token.clone();
        let mut payment: Payment = sample::payment(999, "EUR", Method::Stored { token });
        loop {
            let request = self.gateway.prepare_stored(&payment, capture).unwrap();
            match self.send(&request).await {
                Ok(Outcome::Opened { progress }) => payment.progress = progress,
                Ok(outcome) => return outcome,
                Err(error) => panic!("{}: {error}", self.name),
            }
        }
    }

    pub(super) async fn charged(&self, capture: CaptureMode) -> GatewayRef {
        let token = self.stored().await;
        let outcome = self.renew(&token, capture).await;
        outcome.reference().unwrap().clone()
    }

    pub(super) fn refund(&self, reference: &GatewayRef, id: u128, minor: i64) -> Prepared {
        let refunding = Refunding {
            payment_id: sample::PAYMENT_ID.parse().unwrap(),
            reference,
            id: RefundId(Uuid::from_u128(id)),
            amount: euro(minor),
        };
        self.gateway.prepare_refund(&refunding).unwrap()
    }
}

pub(super) fn euro(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}
