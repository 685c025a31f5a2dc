//! `/v1/webhooks/{gateway}`: verified over the raw bytes, queued, and only then answered.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::debug;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use super::{ANSWER_WITHIN, Shared, body};
use crate::broker::{Outgoing, Queue};
use crate::clock;
use crate::domain::ids::GatewayName;
use crate::domain::message::{Body, Envelope};
use crate::gateway::{BadEvent, Event, Verified};
use crate::telemetry::labels::WebhookResult;

/// What whoever sent a webhook is told.
#[derive(Serialize, ToSchema)]
pub(super) struct Received {
    /// Always true.
    received: bool,
}

impl Received {
    pub(super) fn answer() -> Response {
        Json(Received { received: true }).into_response()
    }
}

#[utoipa::path(
    post,
    path = "/v1/webhooks/{gateway}",
    operation_id = "takeGatewayWebhook",
    tag = "webhooks",
    summary = "Take a gateway's event",
    description = "Known by the gateway's own signature over the raw body, in the gateway's own header (Stripe: `Stripe-Signature`). \
                   Anything but 200 makes the gateway send it again.",
    params(("gateway" = String, Path, pattern = "^[a-z][a-z0-9_]{0,31}$", description = "The name of a configured gateway")),
    request_body(content = Object, description = "The gateway's own event"),
    responses((status = 200, description = "The event is in its queue, or says nothing about a payment", body = Received)),
)]
pub(super) async fn take(
    State(ingest): State<Shared>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| Problem::UnknownGateway)?;
    let name: GatewayName = name.parse().map_err(|_| Problem::UnknownGateway)?;
    let gateway = ingest.gateways.get(&name).ok_or(Problem::UnknownGateway)?;
    let raw = body::read(http_body, ingest.http.webhook_body_bytes).await?;
    let verified = gateway
        .verify(&headers, &raw, clock::now())
        .map_err(|why| {
            ingest.metrics.webhook(&name, refused(why));
            Problem::BadWebhook(why.to_string())
        })?;
    match verified {
        Verified::NotOurs { kind } => {
            debug!(gateway = %name, kind, "a webhook says nothing about a payment");
            ingest.metrics.webhook(&name, WebhookResult::NotOurs);
        }
        Verified::External { id, event } => {
            let kept = ingest.keep_external(&name, &id, *event);
            match tokio::time::timeout(ANSWER_WITHIN, kept).await {
                Ok(Ok(())) => ingest.metrics.webhook(&name, WebhookResult::Taken),
                // The gateway sends it again, and what was written is found then.
                Ok(Err(problem)) => {
                    ingest.metrics.webhook(&name, WebhookResult::Unavailable);
                    return Err(problem);
                }
                Err(_) => {
                    ingest.metrics.webhook(&name, WebhookResult::Unavailable);
                    return Err(Problem::Unavailable("The event cannot be kept now"));
                }
            }
        }
        Verified::Event(event) => {
            let message = event_message(&name, event);
            match tokio::time::timeout(ANSWER_WITHIN, ingest.publisher.publish(message)).await {
                Ok(Ok(())) => ingest.metrics.webhook(&name, WebhookResult::Taken),
                // The gateway sends it again.
                Ok(Err(_)) | Err(_) => {
                    ingest.metrics.webhook(&name, WebhookResult::Unavailable);
                    return Err(Problem::Unavailable("The broker cannot take messages now"));
                }
            }
        }
    }
    Ok(Received::answer())
}

fn event_message(gateway: &GatewayName, event: Event) -> Outgoing {
    let message_id = id_of(gateway, &event.id);
    let body = Body::GatewayEvent {
        gateway: gateway.clone(),
        event_id: event.id,
        event_type: event.kind,
        about: event.about,
        reference: event.reference,
        payment_id: event.payment_id,
    };
    let envelope = Envelope::new(message_id, clock::now(), None, body);
    Outgoing::new(Queue::GatewayEvents, &envelope, None)
}

/// The same event always gives the same message id, however often the gateway sends it.
fn id_of(gateway: &GatewayName, event_id: &str) -> Uuid {
    let digest = Sha256::digest(format!("{gateway} {event_id}"));
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn refused(why: BadEvent) -> WebhookResult {
    match why {
        BadEvent::NoSignature => WebhookResult::NoSignature,
        BadEvent::WrongSignature => WebhookResult::WrongSignature,
        BadEvent::OutOfTime => WebhookResult::OutOfTime,
        BadEvent::Unreadable => WebhookResult::Unreadable,
        BadEvent::WrongMode => WebhookResult::WrongMode,
    }
}
