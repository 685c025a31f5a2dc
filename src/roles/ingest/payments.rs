//! `/v1/payments` and `/v1/payment-details`: take one, show one, go on with one. A change of payment details is a payment of nothing.

use std::str::FromStr;

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::accept::ledger_away;
use super::body::Purchase;
use super::problem::Problem;
use super::{ANSWER_WITHIN, Ingest, Shared, body};
use crate::broker::{Lane, Outgoing, Queue};
use crate::clock;
use crate::domain::ids::{IdempotencyKey, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::payment::{Known, Payment, Status};
use crate::domain::view::PaymentView;
use crate::gateway::Gateways;
use crate::telemetry::trace::TraceContext;

static IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(super) async fn create(
    State(ingest): State<Shared>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    take(&ingest, &headers, http_body, body::purchase).await
}

pub(super) async fn change_details(
    State(ingest): State<Shared>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    take(&ingest, &headers, http_body, body::details_change).await
}

async fn take(
    ingest: &Ingest,
    headers: &HeaderMap,
    http_body: HttpBody,
    read: fn(&[u8], &Gateways) -> Result<Purchase, Problem>,
) -> Result<Response, Problem> {
    // A repeated key is refused with the rest: to know it, the ledger would have to be asked for each that is refused.
    ingest.intakes.any()?;
    let key = idempotency_key(headers)?;
    let bytes = body::read(http_body, ingest.http.body_bytes).await?;
    let purchase = read(&bytes, &ingest.gateways)?;
    let _under_way = ingest.intakes.enter(&purchase.gateway)?;
    let taken = ingest.accept(key, purchase, trace(headers)).await?;
    let mut response = accepted(&taken.known);
    if taken.replayed {
        ingest.metrics.replayed(taken.known.payment.id);
        response.headers_mut().insert(
            IDEMPOTENT_REPLAYED.clone(),
            HeaderValue::from_static("true"),
        );
    }
    Ok(response)
}

pub(super) async fn read(
    State(ingest): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let known = ingest.find(&id).await?;
    Ok(Json(PaymentView::of_known(&known)).into_response())
}

/// The payer has done what was asked. The gateway is read for what came of it; the browser is not believed.
pub(super) async fn go_on(
    State(ingest): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    let bytes = body::read(http_body, ingest.http.body_bytes).await?;
    body::continuation(&bytes)?;
    let known = ingest.find(&id).await?;
    if known.payment.status != Status::RequiresAction {
        return Err(Problem::NothingAwaited {
            status: known.payment.status.label(),
        });
    }
    let published = ingest
        .publisher
        .publish(continue_command(&known.payment, trace(&headers)));
    match tokio::time::timeout(ANSWER_WITHIN, published).await {
        Ok(Ok(())) => Ok(accepted(&known)),
        Ok(Err(_)) | Err(_) => Err(Problem::Unavailable("The broker cannot take messages now")),
    }
}

impl Ingest {
    /// The payment of an id from a path.
    pub(super) async fn find(&self, id: &str) -> Result<Known, Problem> {
        let id = PaymentId::from_str(id).map_err(|_| Problem::UnknownPayment)?;
        match tokio::time::timeout(ANSWER_WITHIN, self.ledger.known(id)).await {
            Ok(Ok(Some(known))) => Ok(known),
            Ok(Ok(None)) => Err(Problem::UnknownPayment),
            Ok(Err(cause)) => Err(ledger_away(&cause)),
            Err(_) => Err(Problem::Unavailable("The ledger did not answer in time")),
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(Problem::BadKey),
        (None, _) | (Some(_), Some(_)) => Err(Problem::BadKey),
    }
}

fn accepted(known: &Known) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(PaymentView::of_known(known))).into_response();
    let kind = match known.payment.details {
        None => "payments",
        Some(_) => "payment-details",
    };
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/{kind}/{}", known.payment.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn continue_command(payment: &Payment, trace: TraceContext) -> Outgoing {
    let message_id = Uuid::now_v7();
    let envelope = Envelope::new(
        message_id,
        clock::now(),
        None,
        Body::Continue {
            payment_id: payment.id,
        },
    );
    let queue = Queue::Commands {
        gateway: payment.gateway.clone(),
        lane: Lane::Checkout,
    };
    Outgoing::new(queue, &envelope, Some(trace.to_string()))
}

/// The trace that the caller is in, continued; a new one where it has none.
fn trace(headers: &HeaderMap) -> TraceContext {
    let given = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    match given.and_then(|text| text.parse::<TraceContext>().ok()) {
        Some(caller) => caller.child(rand::random()),
        None => TraceContext::root(rand::random(), rand::random()),
    }
}
