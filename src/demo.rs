//! The pages of `demo`: a payment made by hand, followed live, beside what the simulated gateway and Cleeng have on record; and a
//! shop's checkout.
//!
//! It is not part of the connector: it talks to the simulator's knobs, and to the connector only as any front end does.

mod assets;
mod checkout;
mod problem;
mod records;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::domain::ids::{OrderId, PaymentId};
use crate::http::{self, BadClient, Sent};
use problem::Problem;
use records::Records;

/// The simulator is on this machine and answers its knobs at once.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What is bought when the page does not say otherwise: 9.99.
const PRICE_MINOR: i64 = 999;
const CURRENCY: &str = "EUR";

#[derive(Debug)]
struct Demo {
    http: reqwest::Client,
    simulator: Url,
    /// Cleeng's payment method of each gateway.
    payment_methods: BTreeMap<String, u64>,
}

/// `POST /demo/orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    gateway: String,
    total_minor: Option<i64>,
    currency: Option<String>,
}

#[derive(Debug, Serialize)]
struct Order {
    id: OrderId,
}

/// `GET /demo/records`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct About {
    payment_id: PaymentId,
    order_id: u64,
}

/// The page, its files, and its two questions to the simulator.
///
/// # Errors
/// When no HTTP client can be built.
pub(crate) fn routes(
    simulator: Url,
    payment_methods: BTreeMap<String, u64>,
) -> Result<Router, BadClient> {
    let demo = Demo {
        http: http::client()?,
        simulator,
        payment_methods,
    };
    let demo = Arc::new(demo);
    let checkout = checkout::routes(&demo);
    Ok(Router::new()
        .route("/demo/orders", post(order))
        .route("/demo/records", get(on_record))
        .with_state(demo)
        .merge(assets::routes())
        .merge(checkout))
}

async fn order(
    State(demo): State<Arc<Demo>>,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    let Json(wanted) = body.map_err(|why| Problem::Refused(why.body_text()))?;
    let minor = wanted.total_minor.unwrap_or(PRICE_MINOR);
    let currency = wanted.currency.as_deref().unwrap_or(CURRENCY);
    let id = make_order(&demo, &wanted.gateway, minor, currency).await?;
    Ok((StatusCode::CREATED, Json(Order { id })))
}

/// A new order at Cleeng that this gateway may be asked to charge.
async fn make_order(
    demo: &Demo,
    gateway: &str,
    total_minor: i64,
    currency: &str,
) -> Result<OrderId, Problem> {
    let Some(method) = demo.payment_methods.get(gateway) else {
        return Err(Problem::Refused("gateway: not one of this demo".to_owned()));
    };
    let order = json!({
        "totalMinor": total_minor,
        "currency": currency,
        "paymentMethodId": method,
    });
    let request = demo
        .http
        .post(http::join(&demo.simulator, "/_orders"))
        .header("content-type", "application/json")
        .body(order.to_string());
    let made: wire::Order = ask(request).await?;
    Ok(made.id)
}

async fn on_record(
    State(demo): State<Arc<Demo>>,
    about: Result<Query<About>, QueryRejection>,
) -> Result<Json<Records>, Problem> {
    let Query(about) = about.map_err(|why| Problem::Refused(why.body_text()))?;
    let order_id = OrderId::try_from(about.order_id)
        .map_err(|why| Problem::Refused(format!("orderId: {why}")))?;
    // By order alone: the ledger's other filter would hide a charge made under a wrong reference.
    let path = format!("/_ledger?orderId={order_id}");
    let ledger = ask(demo.http.get(http::join(&demo.simulator, &path))).await?;
    Ok(Json(records::of(ledger, about.payment_id, order_id)))
}

async fn ask<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Problem> {
    match http::send(request, TIMEOUT).await {
        Sent::Answered(answer) if answer.is_success() => {
            serde_json::from_slice(&answer.body).map_err(|_| Problem::Unreadable)
        }
        Sent::Answered(answer) => Err(Problem::Answered(answer.status)),
        Sent::Failed(_) => Err(Problem::Away),
    }
}
