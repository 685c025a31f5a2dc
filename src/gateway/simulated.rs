//! The simulated gateway: the shortest whole adapter, and the example to copy when another gateway is added.
//!
//! To add one: (1) its section in `config`; (2) a file like this one, with its wire structs in `wire.rs`; (3) a line in
//! `gateway::build`. What an adapter owes the worker stands at the trait [`Gateway`]; the three questions that need care:
//!
//! * *What is sent*, [`Gateway::prepare`]: pure, and the same bytes for the same payment, because they are stored before
//!   they are sent and sent again from the store. This gateway charges in one request, so there is one stage. A gateway that
//!   gives its id before money moves (Stripe) takes more stages: then a lost answer is found by reading.
//! * *What an answer means*, `meaning`: only the rows where this gateway differs from `http`'s rules by status. A decline is
//!   an `Ok`. Whoever is in doubt says `Unknown`: the worker then reads, or repeats the same bytes under the same key.
//! * *Whose webhook it is*, [`Gateway::verify`]: over the raw bytes, before anything is parsed; the content is only a hint.

mod wire;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::method::{check_token, token};
use super::{BadEvent, BadGateway, Event, Gateway, MethodFault, Verified, bearer, signature};
use crate::config::{CaptureMode, SimulatedConfig};
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, DeclineClass, NextAction, Outcome, StoredMethod};
use crate::domain::payment::{Method, Payment};
use crate::domain::secret::Secret;
use crate::http::{
    self, Answer, Purpose, Sent, is_code, is_path_segment, join, unanswered, unreadable,
};

/// The answer was kept under the idempotency key: it is what the first request got.
const REPLAYED: &str = "idempotent-replayed";

pub(crate) struct Simulated {
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
    webhook_secrets: Vec<SecretString>,
    payment_method_id: u64,
    capture: CaptureMode,
    timeout: Duration,
    key_lifetime: Duration,
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
            capture: config.capture,
            timeout: config.timeout,
            key_lifetime: config.key_lifetime,
        })
    }

    /// Sends once. Time-outs and lost connections are sorted by `http`, for every gateway alike.
    async fn call(&self, request: RequestBuilder, purpose: Purpose) -> Result<Outcome, CallError> {
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        match http::send(request, self.timeout).await {
            Sent::Answered(answer) => meaning(&answer, purpose),
            Sent::Failed(cause) => Err(unanswered(cause, purpose)),
        }
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
        let (token, save) = match &payment.method {
            Method::New { payload, save } => (token(payload.reveal()), *save),
            Method::Stored { token } => (Some(token.reveal().as_str()), false),
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
            capture: self.capture == CaptureMode::Automatic,
            save_payment_method: save,
            return_url: payment.return_url.as_deref(),
        };
        // Numbers and texts always serialise; the line is here because the lint forbids to assume it.
        let body = serde_json::to_string(&charge)
            .map_err(|_| no(DeclineClass::InvalidOrder, "not_serialisable"))?;
        Ok(prepared(Stage::Charge, "/charges".to_owned(), body))
    }

    fn prepare_cancel(&self, reference: &GatewayRef) -> Prepared {
        let path = format!("{}/cancel", charge_path(reference));
        prepared(Stage::Cancel, path, "{}".to_owned())
    }

    async fn send(&self, key: AttemptId, request: &Prepared) -> Result<Outcome, CallError> {
        let post = self
            .http
            .post(join(&self.base_url, &request.path))
            .header(CONTENT_TYPE, request.content_type)
            .header("Idempotency-Key", key.to_string())
            .body(request.body.reveal().clone());
        self.call(post, Purpose::Charge).await
    }

    async fn look_up(&self, reference: &GatewayRef) -> Result<Outcome, CallError> {
        // A reference is checked where it comes in; before it becomes a path it is checked again.
        if !is_path_segment(&reference.0) {
            let code = "unsafe_reference".to_owned();
            return Err(CallError::Refused { code });
        }
        let url = join(&self.base_url, &charge_path(reference));
        self.call(self.http.get(url), Purpose::Read).await
    }

    fn verify(&self, headers: &HeaderMap, raw: &[u8], now: Moment) -> Result<Verified, BadEvent> {
        let header = headers
            .get("simulated-signature")
            .and_then(|value| value.to_str().ok());
        signature::check(header, raw, &self.webhook_secrets, now)?;
        event(raw)
    }
}

/// What an answer means, to a charge, a cancellation and a read alike.
fn meaning(answer: &Answer, purpose: Purpose) -> Result<Outcome, CallError> {
    if answer.is_success() {
        return serde_json::from_slice(&answer.body)
            .ok()
            .and_then(outcome)
            .ok_or_else(|| unreadable(purpose));
    }
    let error = serde_json::from_slice::<wire::ErrorBody>(&answer.body);
    let word = error.as_ref().ok().map(|body| body.error.code.as_str());
    let unknown = |cause| CallError::Unknown { cause };
    let replayed = answer.header(REPLAYED) == Some("true");
    Err(match (purpose, answer.status, word) {
        // The key stands for other bytes: our fault, but what those did is not known until it is read.
        (Purpose::Charge, 422, Some("idempotency_conflict"))
        // The charge is further than we thought; its state tells how far.
        | (Purpose::Charge, 409, Some("already_settled")) => unknown(Cause::StateConflict),
        // Kept under the key, so this key will never tell more.
        (Purpose::Charge, 500.., _) if replayed => unknown(Cause::StoredError),
        // All else is as its status says, `409 in_flight` and `429` included.
        _ => answer.refusal(purpose, word),
    })
}

/// What a charge says about a payment; nothing when it lacks what its status promises.
fn outcome(charge: wire::Charge) -> Option<Outcome> {
    if !is_path_segment(&charge.id) {
        return None;
    }
    let reference = GatewayRef(charge.id);
    let stored = charge.stored_method.map(|method| StoredMethod {
        token: method.token,
        variant: method.brand,
        last_four: method.last4,
        expiry: method.expiry,
        holder: None,
    });
    Some(match charge.status {
        wire::Status::Captured => Outcome::Captured {
            reference,
            amount: charge.amount,
            stored,
        },
        wire::Status::Authorized => Outcome::Authorized {
            reference,
            amount: charge.amount,
            stored,
            capture_before: None,
        },
        wire::Status::Declined => Outcome::Rejected {
            reference: Some(reference),
            decline: decline(charge.decline?),
        },
        wire::Status::RequiresAction => match charge.action? {
            wire::Action::Redirect { url } => Outcome::RequiresAction {
                reference,
                action: NextAction::Redirect { url },
            },
        },
        wire::Status::Pending => Outcome::Pending { reference },
        wire::Status::Cancelled => Outcome::Cancelled { reference },
    })
}

/// Its classes are ours by name. One that we do not know is soft: it neither bans the method nor blames the payer.
fn decline(decline: wire::Decline) -> Decline {
    let class = [
        DeclineClass::Soft,
        DeclineClass::Technical,
        DeclineClass::NeedsCustomer,
        DeclineClass::Hard,
        DeclineClass::Fraud,
    ]
    .into_iter()
    .find(|class| class.label() == decline.class)
    .unwrap_or(DeclineClass::Soft);
    let code = Some(decline.code).filter(|code| is_code(code));
    no(class, code.as_deref().unwrap_or("unknown"))
}

fn event(raw: &[u8]) -> Result<Verified, BadEvent> {
    let event: wire::Event = serde_json::from_slice(raw).map_err(|_| BadEvent::Unreadable)?;
    if event.kind != "charge.updated" {
        return Ok(Verified::NotOurs { kind: event.kind });
    }
    let charge = event.charge.ok_or(BadEvent::Unreadable)?;
    if !is_path_segment(&charge.id) || !is_path_segment(&event.id) {
        return Err(BadEvent::Unreadable);
    }
    Ok(Verified::Event(Event {
        id: event.id,
        kind: event.kind,
        reference: GatewayRef(charge.id),
        payment_id: charge.reference.and_then(|id| id.parse().ok()),
    }))
}

fn charge_path(reference: &GatewayRef) -> String {
    let id: String = url::form_urlencoded::byte_serialize(reference.0.as_bytes()).collect();
    format!("/charges/{id}")
}

fn prepared(stage: Stage, path: String, body: String) -> Prepared {
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
