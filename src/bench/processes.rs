//! What the processes of a run are told: where they find each other, and nothing that would tune them.

use std::net::SocketAddr;

use super::tally::{FIRST_ORDER, ORDERS};
use super::{Gateway, Settings};
use crate::domain::ids::GatewayName;

/// What the connector of a run is configured with.
pub(super) fn gateways() -> Vec<GatewayName> {
    [Gateway::Simulated, Gateway::Stripe]
        .iter()
        .filter_map(|gateway| gateway.name().parse().ok())
        .collect()
}

pub(super) fn simulator_arguments(settings: &Settings, listen: SocketAddr) -> Vec<String> {
    let last = FIRST_ORDER.saturating_add(ORDERS);
    let pairs = [
        ("--listen", listen.to_string()),
        ("--standing-orders", format!("{FIRST_ORDER}-{last}")),
        ("--payment-method-id", settings.gateway.method().to_string()),
        ("--gateway-latency", settings.gateway_latency.clone()),
    ];
    let pairs = pairs
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value]);
    std::iter::once("simulator".to_owned())
        .chain(pairs)
        .collect()
}

/// What the connector needs to find the simulators; everything else is its default, or what the caller's environment says.
pub(super) fn connector_variables(
    outside: SocketAddr,
    http: SocketAddr,
    ops: SocketAddr,
) -> Vec<(String, String)> {
    let stripe = Gateway::Stripe.method();
    let simulated = Gateway::Simulated.method();
    [
        ("HTTP__LISTEN", http.to_string()),
        ("OPS__LISTEN", ops.to_string()),
        ("CLEENG__BASE_URL", format!("http://{outside}/cleeng/3.1")),
        (
            "CLEENG__PUBLISHER_TOKEN",
            "simulated-publisher-token".to_owned(),
        ),
        ("CLEENG__PUBLISHER_ID", "558186818".to_owned()),
        (
            "GATEWAYS__STRIPE__BASE_URL",
            format!("http://{outside}/stripe"),
        ),
        (
            "GATEWAYS__STRIPE__SECRET_KEY",
            "sk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__PUBLISHABLE_KEY",
            "pk_test_simulated".to_owned(),
        ),
        (
            "GATEWAYS__STRIPE__WEBHOOK_SECRET",
            "whsec_simulated".to_owned(),
        ),
        ("GATEWAYS__STRIPE__PAYMENT_METHOD_ID", stripe.to_string()),
        (
            "GATEWAYS__SIMULATED__BASE_URL",
            format!("http://{outside}/simulated"),
        ),
        (
            "GATEWAYS__SIMULATED__SECRET_KEY",
            "simulated-secret-key".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__WEBHOOK_SECRET",
            "simulated-webhook-secret".to_owned(),
        ),
        (
            "GATEWAYS__SIMULATED__PAYMENT_METHOD_ID",
            simulated.to_string(),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (format!("CONNECTOR_{name}"), value))
    .collect()
}
