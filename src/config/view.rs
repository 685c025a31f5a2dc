//! The effective configuration as it may be shown: every key, with the secrets hidden.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::value::spell;
use super::{
    AuthConfig, BrokerUrl, CaptureMode, CleengWebhooksConfig, Config, GatewayConfig, LedgerUrl,
    LogFormat, RefundPaths, SignatureEncoding, StripeConfig, TracesConfig,
};

const SECRET: &str = "[secret]";

impl Config {
    /// The effective values under their keys; a secret is shown as `[secret]`.
    pub(crate) fn redacted(&self) -> Value {
        let gateways: serde_json::Map<String, Value> = self
            .gateways
            .iter()
            .map(|(name, gateway)| (name.to_string(), gateway_view(gateway)))
            .collect();
        json!({
            "broker": {
                "url": match &self.broker.url {
                    BrokerUrl::Embedded => "embedded",
                    BrokerUrl::Amqp(_) => SECRET,
                },
                "ca": shown(self.broker.tls.ca.is_some(), "[certificates]"),
                "client_certificate": shown(self.broker.tls.identity.is_some(), "[certificates]"),
                "client_key": shown(self.broker.tls.identity.is_some(), SECRET),
                "prefix": self.broker.prefix,
                "publish_timeout": spell(self.broker.publish_timeout),
                "publish_window": self.broker.publish_window,
            },
            "ledger": {
                "url": match &self.ledger.url {
                    LedgerUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
                    LedgerUrl::Postgres(_) => SECRET.to_owned(),
                },
                "max_connections": self.ledger.max_connections,
                "timeout": spell(self.ledger.timeout),
            },
            "http": {
                "listen": self.http.listen.to_string(),
                "body_bytes": self.http.body_bytes,
                "webhook_body_bytes": self.http.webhook_body_bytes,
                "max_in_flight": self.http.max_in_flight,
                "allowed_origins": self.http.allowed_origins.join(","),
                "rate_limit": self.http.rate_limit,
                "rate_limit_burst": self.http.rate_limit_burst,
                "trusted_proxies": listed(&self.http.trusted_proxies),
            },
            "ops": {
                "listen": self.ops.listen.to_string(),
                "admin_token": if self.ops.admin_tokens.is_empty() { "" } else { SECRET },
            },
            "auth": auth_view(&self.auth),
            "cleeng": {
                "base_url": self.cleeng.base_url.as_str(),
                "publisher_token": SECRET,
                "publisher_id": self.cleeng.publisher_id,
                "timeout": spell(self.cleeng.timeout),
                "settle_time": spell(self.cleeng.settle_time),
                "termination": self.cleeng.termination.label(),
                "termination_type": self.cleeng.termination_type.label(),
                "refund_amount_field": self.cleeng.refund_fields.amount,
                "refund_type_field": self.cleeng.refund_fields.kind,
                "breaker_failures": self.cleeng.limits.breaker_failures,
                "rate_limit": self.cleeng.limits.rate_limit,
                "concurrency": self.cleeng.limits.concurrency,
                "webhook_secret": secrets_view(&self.cleeng_webhooks),
                "webhook_url": self.cleeng_webhooks.url.as_ref().map_or("", |url| url.as_str()),
                "webhook_signature_header": self.cleeng_webhooks.signature_header,
                "webhook_signature_encoding": encoding_view(self.cleeng_webhooks.signature_encoding),
                "refund_fields": refund_fields_view(&self.cleeng_webhooks.refund_fields),
            },
            "gateways": gateways,
            "checkout": {
                "deadline": spell(self.checkout.deadline),
                "max_waiting": self.checkout.max_waiting,
            },
            "worker": {
                "concurrency": self.worker.concurrency,
                "billing_concurrency": self.worker.billing_concurrency,
                "max_age": spell(self.worker.max_age),
                "event_max_age": spell(self.worker.event_max_age),
                "sweep_every": spell(self.worker.sweep_every),
            },
            "confirmer": {
                "concurrency": self.confirmer.concurrency,
                "max_age": spell(self.confirmer.max_age),
            },
            "reconcile": {
                "every": spell(self.reconcile.every),
                "window": spell(self.reconcile.window),
                "patience": spell(self.reconcile.patience),
                "rate_limit": self.reconcile.rate_limit,
            },
            "shutdown": { "grace": spell(self.shutdown.grace) },
            "log": {
                "level": self.log.level,
                "format": match self.log.format {
                    LogFormat::Json => "json",
                    LogFormat::Pretty => "pretty",
                },
            },
            "traces": traces_view(&self.traces),
        })
    }
}

fn listed(networks: &[IpNet]) -> String {
    let spelt: Vec<String> = networks.iter().map(ToString::to_string).collect();
    spelt.join(",")
}

fn traces_view(traces: &TracesConfig) -> Value {
    let attributes = traces.attributes.iter();
    let attributes: Vec<String> = attributes
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    json!({
        "endpoint": traces.endpoint.as_ref().map_or("", |url| url.as_str()),
        "headers": shown(!traces.headers.is_empty(), SECRET),
        "service_name": traces.service_name,
        "attributes": attributes.join(","),
        "sample_ratio": traces.sample_ratio.to_string(),
    })
}

/// Whether there is one may be seen.
fn shown(is_set: bool, stand_in: &str) -> &str {
    if is_set { stand_in } else { "" }
}

fn auth_view(auth: &AuthConfig) -> Value {
    let customers = auth.asked.customers();
    json!({
        "mode": auth.asked.mode(),
        "api_key_hashes": auth.asked.api_keys().map_or("", |_| SECRET),
        "jwks_url": customers.map_or("", |customers| customers.jwks_url.as_str()),
        "jwks_timeout": spell(auth.jwks.timeout),
        "jwks_max_age": spell(auth.jwks.max_age),
        "jwks_keep": spell(auth.jwks.keep),
        "jwks_refetch_after": spell(auth.jwks.refetch_after),
    })
}

/// Whether there is one at all may be seen.
fn secrets_view(webhooks: &CleengWebhooksConfig) -> &'static str {
    match webhooks.secrets.as_slice() {
        [] => "",
        [_, ..] => SECRET,
    }
}

fn encoding_view(encoding: SignatureEncoding) -> &'static str {
    match encoding {
        SignatureEncoding::Hex => "hex",
        SignatureEncoding::Base64 => "base64",
    }
}

fn refund_fields_view(fields: &RefundPaths) -> Value {
    json!({
        "payment_id": fields.payment_id.spelt(),
        "order_id": fields.order_id.spelt(),
        "external_payment_id": fields.external_payment_id.spelt(),
        "amount": fields.amount.spelt(),
        "currency": fields.currency.spelt(),
        "refund_id": fields.refund_id.spelt(),
    })
}

fn gateway_view(gateway: &GatewayConfig) -> Value {
    match gateway {
        GatewayConfig::Stripe(stripe) => stripe_view(stripe),
        GatewayConfig::Simulated(simulated) => json!({
            "kind": "simulated",
            "base_url": simulated.base_url.as_str(),
            "secret_key": SECRET,
            "webhook_secret": SECRET,
            "payment_method_id": simulated.payment_method_id,
            "external_payment_method_id": simulated.external_payment_method_id.unwrap_or_default(),
            "capture": capture_view(simulated.capture),
            "timeout": spell(simulated.timeout),
            "key_lifetime": spell(simulated.key_lifetime),
            "breaker_failures": simulated.limits.breaker_failures,
            "rate_limit": simulated.limits.rate_limit,
            "concurrency": simulated.limits.concurrency,
        }),
    }
}

fn stripe_view(stripe: &StripeConfig) -> Value {
    json!({
        "kind": "stripe",
        "base_url": stripe.base_url.as_str(),
        "secret_key": SECRET,
        "publishable_key": stripe.publishable_key,
        "webhook_secret": SECRET,
        "payment_method_id": stripe.payment_method_id,
            "external_payment_method_id": stripe.external_payment_method_id.unwrap_or_default(),
        "capture": capture_view(stripe.capture),
        "timeout": spell(stripe.timeout),
        "key_lifetime": spell(stripe.key_lifetime),
        "breaker_failures": stripe.limits.breaker_failures,
        "rate_limit": stripe.limits.rate_limit,
        "concurrency": stripe.limits.concurrency,
    })
}

fn capture_view(capture: CaptureMode) -> &'static str {
    match capture {
        CaptureMode::Automatic => "automatic",
        CaptureMode::Manual => "manual",
    }
}
