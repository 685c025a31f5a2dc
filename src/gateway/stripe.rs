//! Stripe, by PaymentIntents: create, then confirm.
//!
//! `request` decides what is sent, `classify` and `intent` what an answer means; both are pure. This file only sends.

mod amount;
mod billing;
mod classify;
mod declines;
mod external;
mod follow_up;
mod form;
mod intent;
mod listing;
mod money_back;
mod request;
mod setup;
mod webhook;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::listing::Lists;
use super::method::check_token;
use super::{BadEvent, BadGateway, Gateway, MethodFault, Probe, Verified, bearer, signature};
use crate::config::{CaptureMode, StripeConfig};
use crate::domain::attempt::Prepared;
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, Outcome};
use crate::domain::payment::Payment;
use crate::http::{self, Purpose, Sent, is_path_segment, join, unanswered, unreadable};

/// The version that `wire` and `request` are written for; the webhook endpoint has to be set to the same.
const API_VERSION: &str = "2026-06-24.dahlia";
const TOKEN_KINDS: [&str; 2] = ["pm_", "ctoken_"];

/// A Stripe account.
pub(crate) struct Stripe {
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
    webhook_secrets: Vec<SecretString>,
    payment_method_id: u64,
    external_payment_method_id: Option<u64>,
    capture: CaptureMode,
    timeout: Duration,
    key_lifetime: Duration,
    account: Account,
}

/// What reading an answer needs to know of our own side.
struct Account {
    /// Unknown for keys that do not tell.
    live: Option<bool>,
    publishable_key: String,
}

/// Why a 2xx is no answer to our question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfit {
    Unreadable,
    /// A live object at a test key, or the other way round.
    WrongMode,
    /// A list that goes on: what is not on it is not known.
    Cut,
}

impl Stripe {
    /// # Errors
    /// When the secret key cannot stand in a header.
    pub(crate) fn new(config: &StripeConfig, http: reqwest::Client) -> Result<Stripe, BadGateway> {
        Ok(Stripe {
            http,
            base_url: config.base_url.clone(),
            authorization: bearer(&config.secret_key)?,
            webhook_secrets: config.webhook_secrets.clone(),
            payment_method_id: config.payment_method_id,
            external_payment_method_id: config.external_payment_method_id,
            capture: config.capture,
            timeout: config.timeout,
            key_lifetime: config.key_lifetime,
            account: Account {
                live: is_live(config.secret_key.expose_secret()),
                publishable_key: config.publishable_key.clone(),
            },
        })
    }

    async fn call(&self, request: RequestBuilder) -> Sent {
        let request = request
            .header(AUTHORIZATION, self.authorization.clone())
            .header("Stripe-Version", API_VERSION);
        http::send(request, self.timeout).await
    }
}

#[async_trait]
impl Gateway for Stripe {
    fn key_lifetime(&self) -> Duration {
        self.key_lifetime
    }

    fn payment_method_id(&self) -> u64 {
        self.payment_method_id
    }

    fn check_method(&self, method: &Value) -> Result<(), MethodFault> {
        check_token(method, &TOKEN_KINDS)
    }

    fn prepare(&self, payment: &Payment) -> Result<Prepared, Decline> {
        request::prepare(payment, self.capture)
    }

    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared {
        request::cancel(reference)
    }

    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError> {
        let post = self
            .http
            .post(join(&self.base_url, &request.path))
            .header(CONTENT_TYPE, request.content_type)
            .header("Idempotency-Key", key.to_string())
            .body(request.body.reveal().clone());
        match self.call(post).await {
            Sent::Answered(answer) => classify::sent(request.stage, &answer, &self.account),
            Sent::Failed(cause) => Err(unanswered(cause, Purpose::Charge)),
        }
    }

    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError> {
        if !is_path_segment(&reference.0) {
            let code = "unsafe_reference".to_owned();
            return Err(CallError::Refused { code });
        }
        let expanded = if request::is_setup(reference) {
            "payment_method"
        } else {
            "latest_charge"
        };
        let path = request::intent_path(reference, &format!("?expand[]={expanded}"));
        match self.call(self.http.get(join(&self.base_url, &path))).await {
            Sent::Answered(answer) => classify::read(&answer, &self.account),
            Sent::Failed(cause) => Err(unanswered(cause, Purpose::Read)),
        }
    }

    async fn probe(&self) -> Result<Probe, CallError> {
        listing::probe(self).await
    }

    fn lists(&self) -> Option<&dyn Lists> {
        Some(self)
    }

    fn bills_itself(&self) -> bool {
        self.external_payment_method_id.is_some()
    }

    fn verify(&self, headers: &HeaderMap, raw: &[u8], now: Moment) -> Result<Verified, BadEvent> {
        let header = headers
            .get("stripe-signature")
            .and_then(|value| value.to_str().ok());
        signature::check(header, raw, &self.webhook_secrets, now)?;
        webhook::read(raw, &self.account, self.external_payment_method_id)
    }
}

impl Account {
    fn check_mode(&self, livemode: bool) -> Result<(), Misfit> {
        match self.live {
            Some(live) if live != livemode => Err(Misfit::WrongMode),
            _ => Ok(()),
        }
    }
}

impl Misfit {
    /// A wrong mode is a wrong set-up for every payment alike: nothing more may be charged until somebody has looked.
    /// The attempt stays open, so nothing is guessed about the one that showed it.
    fn reaction(self, purpose: Purpose) -> CallError {
        match self {
            Misfit::Unreadable => unreadable(purpose),
            Misfit::WrongMode => CallError::Broken {
                code: "wrong_mode".to_owned(),
            },
            Misfit::Cut => CallError::Refused {
                code: "list_not_whole".to_owned(),
            },
        }
    }
}

/// Secret and restricted keys tell their mode by their prefix; organisation keys do not.
fn is_live(key: &str) -> Option<bool> {
    let is = |prefixes: [&str; 2]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    if is(["sk_live_", "rk_live_"]) {
        Some(true)
    } else if is(["sk_test_", "rk_test_"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
