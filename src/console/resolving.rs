//! `POST /admin/payments/{id}/resolve`: an operator's word about a payment that nothing else can settle.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::bodies::{self, ResolveBody};
use super::problem::Problem;
use super::{Console, Shared};
use crate::broker::{Outgoing, Queue};
use crate::domain::confirmation::Confirmation;
use crate::domain::ids::{GatewayRef, PaymentId};
use crate::domain::message::Envelope;
use crate::operator::resolve::{self, ResolveError, Verdict, Word};
use crate::telemetry::chain::error_chain;

pub(super) async fn resolve(
    State(console): State<Shared>,
    Path(id): Path<String>,
    body: Result<Json<ResolveBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let id: PaymentId = id.parse().map_err(|_| Problem::UnknownPayment)?;
    let body = bodies::body(body)?;
    let operator = body.operator()?;
    let word = word(&body)?;
    let ledger = console.ledger()?;
    let resolved = resolve::resolve(ledger, &console.gateways, id, &word, &operator).await;
    let resolved = resolved.map_err(|cause| problem(&cause))?;
    if let Some(owed) = &resolved.owed {
        console.queue(owed).await?;
    }
    console.forget_snapshot().await;
    Ok(Json(json!({
        "id": id, "status": resolved.status.label(), "cleengIsTold": resolved.owed.is_some(),
    })))
}

impl Console {
    async fn queue(&self, owed: &Confirmation) -> Result<(), Problem> {
        let envelope = Envelope::of_confirmation(owed);
        let message = Outgoing::new(Queue::Confirmations, &envelope, None);
        let put = self.broker.publisher().publish(message).await;
        put.map_err(|cause| {
            Problem::Unavailable(format!(
                "The payment is resolved, but Cleeng could not be told ({}): replay the payment's dead letter.",
                error_chain(&cause)
            ))
        })
    }
}

fn word(body: &ResolveBody) -> Result<Word, Problem> {
    let verdict = Verdict::from_label(&body.r#as);
    let reference = body.external_id.as_deref().map(str::trim);
    Ok(Word {
        verdict: verdict
            .ok_or_else(|| Problem::Invalid("as: captured or not-charged.".to_owned()))?,
        reference: reference
            .filter(|text| !text.is_empty())
            .map(|text| GatewayRef(text.to_owned())),
        unchecked: body.unchecked,
    })
}

/// The command line's options have other names here.
fn problem(cause: &ResolveError) -> Problem {
    let text = error_chain(cause)
        .replace("--external-id", "externalId")
        .replace("--unchecked", "unchecked");
    match cause {
        ResolveError::UnknownPayment(_) => Problem::UnknownPayment,
        ResolveError::Ledger(_) => Problem::Unavailable(text),
        ResolveError::OtherReference { .. }
        | ResolveError::NeedsReference
        | ResolveError::OtherAmount(_)
        | ResolveError::Disagrees(_)
        | ResolveError::Unreadable { .. }
        | ResolveError::UnknownGateway(_)
        | ResolveError::NotResolvable(_)
        | ResolveError::Busy(_) => Problem::NotTaken(text),
    }
}
