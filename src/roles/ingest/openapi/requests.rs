//! The bodies of requests as the document shows them. They are read field by field in `ingest::body`, which names every fault at
//! once; a test holds that both mean the same.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::ids::{GatewayName, OrderId};

/// The largest of Cleeng's ids that is taken.
const LARGEST_ID: u64 = 999_999_999_999;

/// One of Cleeng's ids: a number, or its digits as a text.
pub(super) struct CleengId;

impl PartialSchema for CleengId {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(1_u64))
            .maximum(Some(LARGEST_ID));
        let digits = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^0*[1-9][0-9]{0,11}$"));
        let either = OneOfBuilder::new()
            .item(number)
            .item(digits)
            .description(Some(
                "One of Cleeng's ids: a number, or its digits as a text",
            ));
        either.into()
    }
}

impl ToSchema for CleengId {}

/// The gateway's own token, made in the browser by the gateway's script. Raw card data is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "pm_1N8Z"}))]
#[expect(dead_code, reason = "it describes what the gateways' adapters check")]
pub(in crate::roles::ingest) struct PaymentMethod {
    /// Stripe: `pm_…` or `ctoken_…`.
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "orderId": 489_697_895, "gateway": "stripe", "paymentMethod": {"token": "pm_1N8Z"}, "returnUrl": "https://shop.example/thanks"
}))]
#[expect(dead_code, reason = "it describes what body.rs reads field by field")]
pub(in crate::roles::ingest) struct PaymentRequest {
    /// Cleeng's order. The amount comes from it.
    #[schema(value_type = CleengId)]
    order_id: OrderId,
    /// The name of a configured gateway.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]{0,31}$")]
    gateway: GatewayName,
    payment_method: PaymentMethod,
    /// Where the bank sends the payer back to: https, or http to this machine, without a user or a password. Without it Stripe
    /// offers no redirect.
    #[schema(
        format = "uri",
        max_length = 2048,
        pattern = "^(https://|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])([:/?#]|$))"
    )]
    return_url: Option<String>,
    /// Keep the method for renewals. A subscription's (an offer id that begins with `S`) is kept in any case.
    save_payment_method: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "customerId": 280_372_348, "gateway": "stripe", "paymentMethod": {"token": "pm_1N8Z"}, "replaces": 193_925_086
}))]
#[expect(dead_code, reason = "it describes what body.rs reads field by field")]
pub(in crate::roles::ingest) struct PaymentDetailsRequest {
    /// Cleeng's customer.
    #[schema(value_type = CleengId)]
    customer_id: OrderId,
    /// The name of a configured gateway.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]{0,31}$")]
    gateway: GatewayName,
    payment_method: PaymentMethod,
    /// Where the bank sends the payer back to: https, or http to this machine, without a user or a password. Without it Stripe
    /// offers no redirect.
    #[schema(
        format = "uri",
        max_length = 2048,
        pattern = "^(https://|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])([:/?#]|$))"
    )]
    return_url: Option<String>,
    /// The payment details that are switched off at Cleeng once it has the new ones.
    #[schema(value_type = Option<CleengId>)]
    replaces: Option<OrderId>,
    /// The subscription that is renewed with the new details, where Cleeng would have to choose.
    #[schema(value_type = Option<CleengId>)]
    subscription_id: Option<OrderId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"details": {}}))]
#[expect(dead_code, reason = "it describes what body.rs reads field by field")]
pub(in crate::roles::ingest) struct ContinueRequest {
    /// What the gateway's script returned, `{}` when it returned nothing. The gateway is asked for what is true.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}
