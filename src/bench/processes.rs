//! What the processes of a run are told: where they find each other, and nothing that would tune them.

use std::net::SocketAddr;

use super::tally::{FIRST_ORDER, ORDERS};
use super::{Gateway, Settings};
use crate::domain::ids::GatewayName;

/// As the simulated Cleeng has them when it is told nothing else.
pub(super) const PUBLISHER_ID: &str = "558186818";
pub(super) const WEBHOOK_SECRET: &str = "simulated-cleeng-webhook-secret";

/// The gateway that the connector of a run is configured with.
pub(super) fn gateways(settings: &Settings) -> Vec<GatewayName> {
    settings.gateway.name().parse().into_iter().collect()
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
    gateway: Gateway,
    outside: SocketAddr,
    http: SocketAddr,
    ops: SocketAddr,
) -> Vec<(String, String)> {
    let common = [
        ("HTTP__LISTEN", http.to_string()),
        ("OPS__LISTEN", ops.to_string()),
        ("CLEENG__BASE_URL", format!("http://{outside}/cleeng/3.1")),
        (
            "CLEENG__PUBLISHER_TOKEN",
            "simulated-publisher-token".to_owned(),
        ),
        ("CLEENG__PUBLISHER_ID", PUBLISHER_ID.to_owned()),
        ("CLEENG__WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
    ];
    let secrets: &[(&str, &str)] = match gateway {
        Gateway::Stripe => &[
            ("SECRET_KEY", "sk_test_simulated"),
            ("PUBLISHABLE_KEY", "pk_test_simulated"),
            ("WEBHOOK_SECRET", "whsec_simulated"),
        ],
        Gateway::Simulated => &[
            ("SECRET_KEY", "simulated-secret-key"),
            ("WEBHOOK_SECRET", "simulated-webhook-secret"),
        ],
    };
    let section = gateway.name().to_uppercase();
    let of_gateway = [
        ("BASE_URL", format!("http://{outside}/{}", gateway.name())),
        ("PAYMENT_METHOD_ID", gateway.method().to_string()),
    ];
    let secrets = secrets
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()));
    let of_gateway = of_gateway
        .into_iter()
        .chain(secrets)
        .map(|(key, value)| (format!("GATEWAYS__{section}__{key}"), value));
    common
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .chain(of_gateway)
        .map(|(key, value)| (format!("CONNECTOR_{key}"), value))
        .collect()
}
