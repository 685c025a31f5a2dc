//! The simulated gateway: the shortest whole adapter, and the example to copy when another gateway is added.
//!
//! To add one: (1) its section in `config`; (2) a file like this one, with its wire structs in `wire.rs`; (3) a line in
//! `gateway::build`. What an adapter owes the worker stands at the trait [`Gateway`]; the three questions that need care:
//!
//! * *What is sent*, [`Gateway::prepare`]: pure, and the same bytes for the same payment, because they are stored before
//!   they are sent and sent again from the store. This gateway charges in one request, so there is one stage. A gateway that
//!   gives its id before money moves (Stripe) takes more stages: then a lost answer is found by reading.
//! * *What an answer means*, `meaning` and `read`: only the rows where this gateway differs from `http`'s rules by status. A decline is
//!   an `Ok`. Whoever is in doubt says `Unknown`: the worker then reads, or repeats the same bytes under the same key.
//! * *Whose webhook it is*, [`Gateway::verify`]: over the raw bytes, before anything is parsed; the content is only a hint.

mod billing;
mod external;
mod listing;
mod read;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::listing::Lists;
use super::method::{check_token, token};
use super::{BadEvent, BadGateway, Gateway, MethodFault, Probe, Verified, bearer, signature};
use crate::config::{CaptureMode, SimulatedConfig};
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, DeclineClass, Outcome};
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::http::{self, Answer, Purpose, Sent, is_path_segment, join, unanswered, unreadable};

/// The answer was kept under the idempotency key: it is what the first request got.
const REPLAYED: &str = "idempotent-replayed";

pub(crate) struct Simulated {
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
    webhook_secrets: Vec<SecretString>,
    payment_method_id: u64,
    external_payment_method_id: Option<u64>,
    capture: CaptureMode,
    timeout: Duration,
    key_lifetime: Duration,
}

/// What an answer is an answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Sent(Stage),
    Read,
}

impl Asked {
    fn purpose(self) -> Purpose {
        match self {
            Asked::Sent(_) => Purpose::Charge,
            Asked::Read => Purpose::Read,
        }
    }
}

impl Simulated {
    /// # Errors
    /// When the secret key cannot stand in a header.
    pub(crate) fn new(
        config: &SimulatedConfig,
        http: reqwest::Client,
    ) -> Result<Simulated, BadGateway> {
        Ok(Simulated {
            http,
            base_url: config.base_url.clone(),
            authorization: bearer(&config.secret_key)?,
            webhook_secrets: config.webhook_secrets.clone(),
            payment_method_id: config.payment_method_id,
            external_payment_method_id: config.external_payment_method_id,
            capture: config.capture,
            timeout: config.timeout,
            key_lifetime: config.key_lifetime,
        })
    }

    /// Sends once. Time-outs and lost connections are sorted by `http`, for every gateway alike.
    async fn call(&self, request: RequestBuilder, asked: Asked) -> Result<Answer, CallError> {
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        match http::send(request, self.timeout).await {
            Sent::Answered(answer) => Ok(answer),
            Sent::Failed(cause) => Err(unanswered(cause, asked.purpose())),
        }
    }

    /// What there is at `path`, below an object whose reference is checked once more before it becomes a path.
    async fn get(&self, reference: &GatewayRef, below: &str) -> Result<Answer, CallError> {
        if !is_path_segment(&reference.0) {
            let code = "unsafe_reference".to_owned();
            return Err(CallError::Refused { code });
        }
        let path = format!("{}{below}", object_path(reference));
        let request = self.http.get(join(&self.base_url, &path));
        self.call(request, Asked::Read).await
    }
}

#[async_trait]
impl Gateway for Simulated {
    fn key_lifetime(&self) -> Duration {
        self.key_lifetime
    }

    fn payment_method_id(&self) -> u64 {
        self.payment_method_id
    }

    fn check_method(&self, method: &Value) -> Result<(), MethodFault> {
        check_token(method, &[])
    }

    fn prepare(&self, payment: &Payment) -> Result<Prepared, Decline> {
        charge(payment, self.capture)
    }

    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared {
        let path = format!("{}/cancel", object_path(reference));
        as_json(Stage::Cancel, path, "{}".to_owned())
    }

    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError> {
        let post = self
            .http
            .post(join(&self.base_url, &request.path))
            .header(CONTENT_TYPE, request.content_type)
            .header("Idempotency-Key", key.to_string())
            .body(request.body.reveal().clone());
        let asked = Asked::Sent(request.stage);
        meaning(&self.call(post, asked).await?, asked)
    }

    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError> {
        meaning(&self.get(reference, "").await?, Asked::Read)
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
            .get("simulated-signature")
            .and_then(|value| value.to_str().ok());
        signature::check(header, raw, &self.webhook_secrets, now)?;
        match self.external_payment_method_id {
            Some(method) if external::is_about(raw) => external::event(raw, method),
            Some(_) | None => read::event(raw),
        }
    }
}

/// The bytes of a charge, of a new method or a stored one.
fn charge(payment: &Payment, capture: CaptureMode) -> Result<Prepared, Decline> {
    let (token, save, off_session) = match &payment.method {
        Method::New { payload, save } => (token(payload.reveal()), *save, false),
        Method::Stored { token } => (Some(token.reveal().as_str()), false, true),
    };
    let token = token.ok_or_else(|| no(DeclineClass::NeedsCustomer, "no_token"))?;
    let order = payment
        .order
        .as_ref()
        .ok_or_else(|| no(DeclineClass::InvalidOrder, "order_unread"))?;
    let charge = wire::NewCharge {
        // This gateway counts as ISO 4217 does. Most do not: give yours a table of its own, and never round.
        amount: order.amount,
        reference: payment.id.to_string(),
        method: wire::Method { token },
        capture: capture == CaptureMode::Automatic,
        save_payment_method: save,
        off_session,
        return_url: payment.return_url.as_deref(),
    };
    prepared(Stage::Charge, "/charges".to_owned(), &charge)
}

/// What an answer means, to a request of each stage and to a read alike.
fn meaning(answer: &Answer, asked: Asked) -> Result<Outcome, CallError> {
    let purpose = asked.purpose();
    if answer.is_success() {
        return read::outcome(&answer.body, asked).ok_or_else(|| unreadable(purpose));
    }
    let error = serde_json::from_slice::<wire::ErrorBody>(&answer.body);
    let word = error.as_ref().ok().map(|body| body.error.code.as_str());
    let unknown = |cause| Err(CallError::Unknown { cause });
    let replayed = answer.header(REPLAYED) == Some("true");
    match (asked, answer.status, word) {
        // The key stands for other bytes: our fault, but what those did is not known until it is read.
        (Asked::Sent(_), 422, Some("idempotency_conflict"))
        // The charge is further than we thought; its state tells how far.
        | (Asked::Sent(_), 409, Some("already_settled")) => unknown(Cause::StateConflict),
        // Kept under the key, so this key will never tell more.
        (Asked::Sent(_), 500.., _) if replayed => unknown(Cause::StoredError),
        (Asked::Sent(Stage::Capture), 422, Some("authorization_expired")) => {
            Ok(Outcome::Lapsed { reference: None })
        }
        // Gone since longer: what was asked for is so.
        (Asked::Sent(Stage::Remove), 404, Some("unknown_method")) => Ok(Outcome::Removed),
        // All else is as its status says, `409 in_flight` and `429` included.
        _ => Err(answer.refusal(purpose, word)),
    }
}

/// The path of a charge, or of a method that is kept without one, by the kind of its id.
fn object_path(reference: &GatewayRef) -> String {
    let id: String = url::form_urlencoded::byte_serialize(reference.0.as_bytes()).collect();
    match reference.0.starts_with("sm_") {
        true => format!("/methods/{id}"),
        false => format!("/charges/{id}"),
    }
}

fn prepared(stage: Stage, path: String, body: &impl Serialize) -> Result<Prepared, Decline> {
    // Numbers and texts always serialise; the line is here because the lint forbids to assume it.
    let body = serde_json::to_string(body)
        .map_err(|_| no(DeclineClass::InvalidOrder, "not_serialisable"))?;
    Ok(as_json(stage, path, body))
}

fn as_json(stage: Stage, path: String, body: String) -> Prepared {
    Prepared {
        stage,
        path,
        content_type: "application/json",
        body: Secret::new(body),
    }
}

fn no(class: DeclineClass, code: &str) -> Decline {
    Decline {
        class,
        code: code.to_owned(),
    }
}

#[cfg(test)]
mod tests;
