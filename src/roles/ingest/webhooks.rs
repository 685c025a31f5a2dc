//! `/v1/webhooks/{gateway}`: verified over the raw bytes, queued, and only then answered.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};
use tracing::debug;
use uuid::Uuid;

use super::problem::Problem;
use super::{ANSWER_WITHIN, Shared, body};
use crate::broker::{Outgoing, Queue};
use crate::clock;
use crate::domain::ids::GatewayName;
use crate::domain::message::{Body, Envelope};
use crate::gateway::{BadEvent, Event, Verified};
use crate::telemetry::labels::WebhookResult;

pub(super) async fn take(
    State(ingest): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
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
    Ok(Json(json!({ "received": true })).into_response())
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
