//! `/v1/webhooks/cleeng`: what Cleeng asks for, verified over the raw bytes, kept in the ledger, queued, and only then answered.
//!
//! Nothing is done about it here. Cleeng sends a webhook again until the answer is 200, so anything else is safe.

mod fields;
mod keep;
#[cfg(test)]
mod sample;
mod signature;
mod whose;
mod wire;

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use self::wire::{Envelope, Letter};
use super::problem::Problem;
use super::webhooks::Received;
use super::{ANSWER_WITHIN, Ingest, Shared, body};
use crate::config::CleengWebhooksConfig;
use crate::telemetry::labels::{DemandKind, DemandResult};

/// Why a webhook of Cleeng's was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum BadLetter {
    #[error("the signature header is missing or unreadable")]
    NoSignature,
    #[error("no signature matches the body")]
    WrongSignature,
    #[error("the body is not an envelope of broadcasterId, topic and data")]
    Unreadable,
    #[error("the webhook is another publisher's")]
    OtherPublisher,
}

#[utoipa::path(
    post,
    path = "/v1/webhooks/cleeng",
    operation_id = "takeCleengWebhook",
    tag = "webhooks",
    summary = "Take what Cleeng asks for",
    description = "Known by an HMAC-SHA256 of the raw body, in the header that `cleeng.webhook_signature_header` names. \
                   Anything but 200 makes Cleeng send it again.",
    request_body(content = Object, description = "Cleeng's envelope of `broadcasterId`, `topic` and `data`"),
    responses((status = 200, description = "What is asked for is in the ledger and in its queue", body = Received)),
)]
pub(super) async fn take(
    State(ingest): State<Shared>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    let count = |kind, result| ingest.metrics.demand(kind, result, None, None);
    if ingest.cleeng.secrets.is_empty() {
        count(DemandKind::Unread, DemandResult::SwitchedOff);
        return Err(Problem::CleengOff);
    }
    let raw = body::read(http_body, ingest.http.webhook_body_bytes).await?;
    let letter = open(&headers, &raw, &ingest.cleeng).map_err(|why| {
        count(DemandKind::Unread, refused(why));
        Problem::BadWebhook(why.to_string())
    })?;
    let kind = DemandKind::of(&letter.asked);
    let kept = match tokio::time::timeout(ANSWER_WITHIN, ingest.keep_demand(letter)).await {
        Ok(kept) => kept,
        Err(_) => Err(Problem::Unavailable(
            "The ledger or the broker did not answer in time",
        )),
    };
    kept.inspect_err(|_| count(kind, DemandResult::Unavailable))?;
    Ok(Received::answer())
}

/// Authenticates the bytes, then reads them.
fn open(
    headers: &HeaderMap,
    raw: &[u8],
    config: &CleengWebhooksConfig,
) -> Result<Letter, BadLetter> {
    signature::check(headers, raw, config)?;
    let text = std::str::from_utf8(raw).map_err(|_| BadLetter::Unreadable)?;
    let envelope = Envelope::open(text).ok_or(BadLetter::Unreadable)?;
    if envelope.broadcaster_id != config.publisher_id {
        return Err(BadLetter::OtherPublisher);
    }
    Ok(envelope.read(text, &config.refund_fields))
}

fn refused(why: BadLetter) -> DemandResult {
    match why {
        BadLetter::NoSignature => DemandResult::NoSignature,
        BadLetter::WrongSignature => DemandResult::WrongSignature,
        BadLetter::Unreadable => DemandResult::Unreadable,
        BadLetter::OtherPublisher => DemandResult::OtherPublisher,
    }
}
