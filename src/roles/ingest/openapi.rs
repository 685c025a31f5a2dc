//! The public API, described: an OpenAPI 3.1 document made from the handlers, the types they write and the problems they tell.
//!
//! The answers of the integration tests are held against it (`tests/it/harness/contract.rs`).

mod complete;
mod headers;
mod page;
mod refusals;
mod requests;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use utoipa::OpenApi;

use super::Shared;
use super::problem::Document;

pub(super) use requests::{ContinueRequest, PaymentDetailsRequest, PaymentRequest};

const ABOUT: &str = "Takes payments and webhooks, and answers only when they are durably in their queue. \
    What becomes of a payment is read from it, or followed as an event stream.\n\n\
    Names in JSON are in camelCase. A field that is not named here is refused in a request; in an answer more may come with a later version, \
    so a reader passes over what it does not know. \
    A path that is not named here is answered with the component response `UnknownPath`, a method that is not named at a path with `WrongMethod`. \
    Every answer has an `X-Request-Id`, which is also in the log.\n\n\
    Where `auth.mode` is `none`, on loopback addresses only, no credential is asked for.";

#[derive(OpenApi)]
#[openapi(
    info(title = "cleeng-connector", description = ABOUT, license(name = "MIT", identifier = "MIT")),
    servers((url = "/", description = "Where this document was read")),
    paths(
        super::payments::create,
        super::payments::read,
        super::payments::go_on,
        super::stream::events,
        super::payments::change_details,
        super::webhooks::take,
        super::cleeng::take,
        json,
        docs,
    ),
    components(schemas(Document)),
    tags(
        (name = "payments", description = "Pay an order, and follow the payment"),
        (name = "payment details", description = "Another method for a customer's renewals, for which nothing is charged"),
        (name = "webhooks", description = "What gateways and Cleeng tell; known by their signatures, and not rate limited"),
        (name = "description", description = "This document"),
    ),
)]
struct Described;

/// The whole document. It follows from the code alone, whatever the configuration.
pub(crate) fn document() -> Value {
    complete::complete(serde_json::to_value(Described::openapi()).unwrap_or_default())
}

/// The two texts that are served, made once.
struct Texts {
    json: Bytes,
    html: Bytes,
}

static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    let document = document();
    Texts {
        json: Bytes::from(document.to_string()),
        html: Bytes::from(page::html(&document)),
    }
});

static POLICY: LazyLock<String> = LazyLock::new(page::policy);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(docs))
}

#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "readOpenApi",
    tag = "description",
    summary = "This document",
    description = "",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Object)),
)]
async fn json() -> Response {
    let kind: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");
    ([kind], TEXTS.json.clone()).into_response()
}

#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "readDocs",
    tag = "description",
    summary = "This document as a page",
    description = "It asks for nothing from elsewhere and runs no script.",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
async fn docs() -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
    ];
    (headers, TEXTS.html.clone()).into_response()
}
