//! The checkout example of `clients/web` as a shop serves it, with Stripe's script replaced by the simulator's.

mod files;

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::{CURRENCY, Demo, PRICE_MINOR, ask, make_order, wire};
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::http;

/// The gateway that the example's card form belongs to.
const GATEWAY: &str = "stripe";

/// `GET /checkout`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// `page`: the payer confirms on a page of the bank's.
    bank: Option<String>,
}

/// `GET /checkout/order`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    id: u64,
}

/// What the page shows of an order.
#[derive(Debug, Serialize)]
struct Shown {
    id: OrderId,
    total: Money,
}

/// The shop's own part: an order to pay, what it costs, and the page.
pub(super) fn routes(demo: &Arc<Demo>) -> Router {
    Router::new()
        .route("/checkout", get(buy))
        .route("/checkout/order", get(show))
        .with_state(Arc::clone(demo))
        .merge(files::routes(&demo.simulator))
}

/// The button "buy" of a shop: a new order, and on to its checkout.
async fn buy(
    State(demo): State<Arc<Demo>>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Redirect, Problem> {
    let Query(wish) = wish.map_err(|why| Problem::Refused(why.body_text()))?;
    let id = make_order(&demo, GATEWAY, PRICE_MINOR, CURRENCY).await?;
    let bank = match wish.bank.as_deref() {
        Some("page") => "&bank=page",
        Some(_) | None => "",
    };
    Ok(Redirect::to(&format!("/checkout/?order={id}{bank}")))
}

async fn show(
    State(demo): State<Arc<Demo>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Shown>, Problem> {
    let Query(which) = which.map_err(|why| Problem::Refused(why.body_text()))?;
    let path = format!("/_ledger?orderId={}", which.id);
    let ledger: wire::Ledger = ask(demo.http.get(http::join(&demo.simulator, &path))).await?;
    let Some(order) = ledger.cleeng.orders.first() else {
        return Err(Problem::Refused("id: Cleeng has no such order".to_owned()));
    };
    let total = Money::from_decimal(order.total_price.get(), order.currency)
        .map_err(|_| Problem::Unreadable)?;
    Ok(Json(Shown {
        id: order.id,
        total,
    }))
}
