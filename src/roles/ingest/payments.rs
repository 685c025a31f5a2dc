//! `/v1/payments` and `/v1/payment-details`: take one, show one, go on with one. A change of payment details is a payment of nothing.

use std::str::FromStr;

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tracing::Span;
use uuid::Uuid;

use super::accept::ledger_away;
use super::auth::Visitor;
use super::body::{Purchase, Wanted};
use super::openapi::{ContinueRequest, PaymentDetailsRequest, PaymentRequest};
use super::problem::{FieldFault, Problem};
use super::{Ingest, Shared, body};
use crate::broker::{Lane, Outgoing, Queue};
use crate::clock;
use crate::domain::ids::{IdempotencyKey, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::payment::{Known, Payment, Status};
use crate::domain::view::PaymentView;
use crate::gateway::Gateways;
use crate::telemetry::labels::CallerRefusal;
use crate::telemetry::spans;
use crate::telemetry::trace::TraceContext;

/// The id in a path, which may not even be text.
pub(super) type PathId = Result<Path<String>, PathRejection>;

static IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

#[utoipa::path(
    post,
    path = "/v1/payments",
    operation_id = "createPayment",
    tag = "payments",
    summary = "Pay an order",
    description = "Answered once the payment is durably in its queue. The same request with the same key gives the same payment, \
                   so after a 503, or no answer at all, it may simply be sent again: it is paid at most once.",
    params(
        ("Idempotency-Key" = String, Header, description = "The same one for each try of the same payment: visible ASCII characters",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$", example = "try-1"),
        ("traceparent" = Option<String>, Header, description = "The trace that the caller is in (W3C)"),
    ),
    request_body = PaymentRequest,
    responses((status = 202, description = "The payment is accepted, or was before", body = PaymentView)),
)]
pub(super) async fn create(
    State(ingest): State<Shared>,
    visitor: Visitor,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    take(&ingest, &visitor, &headers, http_body, body::purchase).await
}

#[utoipa::path(
    post,
    path = "/v1/payment-details",
    operation_id = "changePaymentDetails",
    tag = "payment details",
    summary = "Take another method for renewals",
    description = "Nothing is charged. The change is a payment whose order and amount are null: `captured` when the gateway keeps the method.",
    params(
        ("Idempotency-Key" = String, Header, description = "The same one for each try of the same change: visible ASCII characters",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$", example = "change-1"),
        ("traceparent" = Option<String>, Header, description = "The trace that the caller is in (W3C)"),
    ),
    request_body = PaymentDetailsRequest,
    responses((status = 202, description = "The change is accepted, or was before", body = PaymentView)),
)]
pub(super) async fn change_details(
    State(ingest): State<Shared>,
    visitor: Visitor,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    take(&ingest, &visitor, &headers, http_body, body::details_change).await
}

async fn take(
    ingest: &Ingest,
    visitor: &Visitor,
    headers: &HeaderMap,
    http_body: HttpBody,
    read: fn(&[u8], &Gateways) -> Result<Purchase, Problem>,
) -> Result<Response, Problem> {
    // A repeated key is refused with the rest: to know it, the ledger would have to be asked for each that is refused.
    ingest.intakes.any()?;
    let key = idempotency_key(headers)?;
    let bytes = body::read(http_body, ingest.http.body_bytes).await?;
    let purchase = read(&bytes, &ingest.gateways)?;
    ingest.is_for(visitor, &purchase)?;
    let _under_way = ingest.intakes.enter(&purchase.gateway)?;
    let trace = trace(headers);
    let taken = ingest.accept(visitor, key, purchase, trace).await?;
    spans::about(taken.known.payment.id);
    let mut response = accepted(&taken.known);
    if taken.replayed {
        ingest.metrics.replayed(taken.known.payment.id, trace);
        response.headers_mut().insert(
            IDEMPOTENT_REPLAYED.clone(),
            HeaderValue::from_static("true"),
        );
    }
    Ok(response)
}

#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    operation_id = "readPayment",
    tag = "payments",
    summary = "Read a payment",
    description = "Payments and changes of payment details are read by both paths.",
    params(("id" = String, Path, format = "uuid", description = "The payment's id")),
    responses((status = 200, description = "The payment as it stands now", body = PaymentView)),
)]
pub(super) async fn read(
    State(ingest): State<Shared>,
    visitor: Visitor,
    id: PathId,
) -> Result<Response, Problem> {
    let known = ingest.find(&visitor, id).await?;
    Ok(Json(PaymentView::of_known(&known)).into_response())
}

#[utoipa::path(
    post,
    path = "/v1/payments/{id}/continue",
    operation_id = "continuePayment",
    tag = "payments",
    summary = "Go on after the payer has done what was asked",
    description = "For a payment that is `requires_action`. The gateway is read for what came of it; the browser is not believed.",
    params(
        ("id" = String, Path, format = "uuid", description = "The payment's id"),
        ("traceparent" = Option<String>, Header, description = "The trace that the caller is in (W3C)"),
    ),
    request_body = ContinueRequest,
    responses((status = 202, description = "The gateway will be read", body = PaymentView)),
)]
/// The payer has done what was asked. The gateway is read for what came of it; the browser is not believed.
pub(super) async fn go_on(
    State(ingest): State<Shared>,
    visitor: Visitor,
    id: PathId,
    headers: HeaderMap,
    http_body: HttpBody,
) -> Result<Response, Problem> {
    let bytes = body::read(http_body, ingest.http.body_bytes).await?;
    body::continuation(&bytes)?;
    let known = ingest.find(&visitor, id).await?;
    if known.payment.status != Status::RequiresAction {
        return Err(Problem::NothingAwaited {
            status: known.payment.status.label(),
        });
    }
    let published = ingest
        .publisher
        .publish(continue_command(&known.payment, trace(&headers)));
    match tokio::time::timeout(visitor.answer_within(), published).await {
        Ok(Ok(())) => Ok(accepted(&known)),
        Ok(Err(_)) | Err(_) => Err(Problem::Unavailable("The broker cannot take messages now")),
    }
}

impl Ingest {
    /// The payment of an id from a path, if the visitor may see it.
    pub(super) async fn find(&self, visitor: &Visitor, id: PathId) -> Result<Known, Problem> {
        let Path(id) = id.map_err(|_| Problem::UnknownPayment)?;
        let id = PaymentId::from_str(&id).map_err(|_| Problem::UnknownPayment)?;
        match tokio::time::timeout(visitor.answer_within(), self.ledger.known(id)).await {
            Ok(Ok(Some(known))) => self.shown_to(visitor, known),
            Ok(Ok(None)) => Err(Problem::UnknownPayment),
            Ok(Err(cause)) => Err(ledger_away(&cause)),
            Err(_) => Err(Problem::Unavailable("The ledger did not answer in time")),
        }
    }

    /// A customer changes their own payment details only. Whose an order is, the worker finds out before it charges.
    fn is_for(&self, visitor: &Visitor, purchase: &Purchase) -> Result<(), Problem> {
        match (visitor.customer(), purchase.wanted) {
            (Some(customer), Wanted::Details(change)) if change.customer_id != customer.0 => {
                self.metrics.caller_refused(CallerRefusal::OthersDetails);
                Err(Problem::InvalidFields(vec![FieldFault {
                    field: "customerId".to_owned(),
                    detail: "must be the customer whose token calls".to_owned(),
                }]))
            }
            (Some(_) | None, Wanted::Details(_) | Wanted::Order(_)) => Ok(()),
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
    if let Some(here) = spans::within(&Span::current()) {
        return here;
    }
    match caller(headers) {
        Some(caller) => caller.child(rand::random()),
        None => TraceContext::root(rand::random(), rand::random()),
    }
}

/// Where in its trace the caller is, when it says so.
pub(super) fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}
