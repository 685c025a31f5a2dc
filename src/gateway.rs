//! What every payment gateway must be able to do for us, and the table of those that are configured.
//!
//! An adapter is pure where it can be: [`Gateway::prepare`] makes the bytes that are written down before they are sent,
//! [`Gateway::send`] sends exactly those once. It never retries and never decides what is next: that is `domain` and `roles/worker`.

pub(crate) mod billing;
mod limited;
pub(crate) mod listing;
mod method;
#[cfg(test)]
pub(crate) mod sample;
mod signature;
mod simulated;
mod stripe;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::billing::Billing;
use self::limited::Limited;
use self::listing::Lists;
use self::simulated::Simulated;
use self::stripe::Stripe;
use crate::config::GatewayConfig;
use crate::domain::attempt::Prepared;
use crate::domain::external::ExternalEvent;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayName, GatewayRef, PaymentId};
use crate::domain::message::About;
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::Payment;
use crate::http::Pace;

pub(crate) use method::{bare, is_card_field};

/// What a verified webhook tells us to look at. Its content is a hint only: the worker reads the gateway's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// The gateway's own name of what happened, such as `payment_intent.succeeded`.
    pub(crate) kind: String,
    pub(crate) about: About,
    /// The payment that it is about, by the gateway's own id.
    pub(crate) reference: GatewayRef,
    /// Our payment, where the gateway carries it along.
    pub(crate) payment_id: Option<PaymentId>,
}

/// Why a webhook was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEvent {
    #[error("the signature header is missing or unreadable")]
    NoSignature,
    #[error("no signature matches the body")]
    WrongSignature,
    #[error("the signature is older or newer than 300 seconds")]
    OutOfTime,
    #[error("the body is not an event of this gateway")]
    Unreadable,
    #[error("the event is of the other mode (live or test) than the configured key")]
    WrongMode,
}

/// What verification of a webhook gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    Event(Event),
    /// Of a subscription that the gateway bills itself. It is believed: what it says is not read again.
    External {
        id: String,
        event: Box<ExternalEvent>,
    },
    /// Genuine, and of a kind that says nothing about a payment of ours.
    NotOurs {
        kind: String,
    },
}

/// A payment gateway. To add one: implement this, and name it in [`crate::config`] and in [`from_config`].
#[async_trait]
pub(crate) trait Gateway: Billing + Send + Sync {
    /// How long after the first send a key may be replayed, well inside the gateway's own promise.
    fn key_lifetime(&self) -> Duration;

    /// Cleeng's id of the payment method that stands for this gateway: an order must carry it.
    fn payment_method_id(&self) -> u64;

    /// Whether a front end's `paymentMethod` has the shape of this gateway's tokenised object.
    ///
    /// # Errors
    /// The name of the field that is wrong, missing or raw card data, and what is expected; never its value.
    fn check_method(&self, method: &Value) -> Result<(), MethodFault>;

    /// Pure: the next request of the payment's charge, given its progress. The same payment gives the same bytes.
    ///
    /// # Errors
    /// When this gateway cannot charge such a payment at all (currency, amount): a decline, nothing was sent.
    fn prepare(&self, payment: &Payment) -> Result<Prepared, Decline>;

    /// Pure: the request that ends the payment at the gateway, so that it can never be charged any more.
    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared;

    /// Sends exactly the prepared bytes, once, under `key`.
    ///
    /// # Errors
    /// See [`CallError`]; a decline is an `Ok`.
    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError>;

    /// Reads the state of a payment at the gateway; strongly consistent. `Outcome::Opened` means that no money has moved.
    ///
    /// # Errors
    /// `NotDone` when it could not be read now; never `Unknown`.
    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError>;

    /// A read that changes nothing, for whoever wants to know whether the credential is taken.
    ///
    /// # Errors
    /// `Broken` for a credential that is not, and for one of the other mode (live or test) where that can be seen.
    async fn probe(&self) -> Result<Probe, CallError>;

    /// The gateway's own lists of what happened; none where it offers none. Whoever compares has to say so then.
    fn lists(&self) -> Option<&dyn Lists>;

    /// Whether subscriptions are billed there as well, whose charges carry no id of ours.
    fn bills_itself(&self) -> bool;

    /// Pure: authenticates the raw bytes of a webhook, then reads them.
    ///
    /// # Errors
    /// See [`BadEvent`]; none of them is ever taken.
    fn verify(&self, headers: &HeaderMap, raw: &[u8], now: Moment) -> Result<Verified, BadEvent>;
}

/// What a harmless read tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The gateway's time, in whole seconds.
    pub(crate) date: Option<Moment>,
}

/// What is wrong with a front end's `paymentMethod`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodFault {
    /// Path of the field, such as `paymentMethod.token`.
    pub(crate) field: String,
    pub(crate) expected: String,
    /// Raw card data: worth a different, louder answer.
    pub(crate) card_data: bool,
}

/// The configured gateways by name.
pub(crate) type Gateways = BTreeMap<GatewayName, Arc<dyn Gateway>>;

/// A gateway that cannot be used as it is configured. The value is not repeated: it is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret key has a character that no header may have")]
pub(crate) struct BadGateway;

/// The configured gateways, ready to be called through `http` within their limits. After `stop` no call waits its turn.
///
/// # Errors
/// The name of the first that cannot be used as it is configured.
pub(crate) fn from_config(
    configs: &BTreeMap<GatewayName, GatewayConfig>,
    http: &reqwest::Client,
    stop: &CancellationToken,
) -> Result<Gateways, (GatewayName, BadGateway)> {
    configs
        .iter()
        .map(|(name, config)| match build(config, http.clone()) {
            Ok(inner) => {
                let pace = Pace::new(config.limits(), stop.clone());
                Ok((name.clone(), Arc::new(Limited { inner, pace }) as _))
            }
            Err(fault) => Err((name.clone(), fault)),
        })
        .collect()
}

fn build(config: &GatewayConfig, http: reqwest::Client) -> Result<Arc<dyn Gateway>, BadGateway> {
    Ok(match config {
        GatewayConfig::Stripe(stripe) => Arc::new(Stripe::new(stripe, http)?),
        GatewayConfig::Simulated(simulated) => Arc::new(Simulated::new(simulated, http)?),
    })
}

/// `Authorization: Bearer …`, marked so that nothing prints it.
fn bearer(key: &SecretString) -> Result<HeaderValue, BadGateway> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
        .map_err(|_| BadGateway)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CaptureMode, SimulatedConfig, StripeConfig};

    fn configs(key: &str) -> BTreeMap<GatewayName, GatewayConfig> {
        let stripe = GatewayConfig::Stripe(StripeConfig {
            base_url: "https://api.stripe.com".parse().unwrap(),
            secret_key: key.into(),
            publishable_key: "pk_test_1".to_owned(),
            webhook_secrets: Vec::new(),
            payment_method_id: 1,
            external_payment_method_id: None,
            capture: CaptureMode::Automatic,
            timeout: sample::TIMEOUT,
            key_lifetime: Duration::from_secs(72_000),
            limits: sample::LIMITS,
        });
        let simulated = GatewayConfig::Simulated(SimulatedConfig {
            base_url: "http://127.0.0.1:1/simulated".parse().unwrap(),
            secret_key: "sim_key".into(),
            webhook_secrets: Vec::new(),
            payment_method_id: 2,
            external_payment_method_id: None,
            capture: CaptureMode::Manual,
            timeout: sample::TIMEOUT,
            key_lifetime: Duration::from_secs(3600),
            limits: sample::LIMITS,
        });
        [("stripe", stripe), ("simulated", simulated)]
            .map(|(name, config)| (name.parse().unwrap(), config))
            .into()
    }

    #[test]
    fn each_configured_gateway_is_found_by_its_name() {
        let http = crate::http::client().unwrap();
        let gateways =
            from_config(&configs("sk_test_1"), &http, &CancellationToken::new()).unwrap();
        let found: Vec<(&str, u64)> = gateways
            .iter()
            .map(|(name, gateway)| (name.as_str(), gateway.payment_method_id()))
            .collect();
        assert_eq!(found, [("simulated", 2), ("stripe", 1)]);
    }

    #[test]
    fn a_gateway_that_cannot_be_used_is_named_without_its_secret() {
        let http = crate::http::client().unwrap();
        let fault = from_config(&configs("sk_test\n1"), &http, &CancellationToken::new())
            .err()
            .unwrap();
        assert_eq!(fault.0.as_str(), "stripe");
        assert!(!format!("{fault:?} {}", fault.1).contains("sk_test"));
    }
}
