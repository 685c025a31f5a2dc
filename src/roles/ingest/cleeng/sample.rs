//! Settings and webhooks for the tests of this door.

use serde_json::{Value, json};

use crate::config::{CleengWebhooksConfig, Config, RefundPaths};

/// The defaults, with these secrets.
pub(super) fn config(secrets: &[&str]) -> CleengWebhooksConfig {
    let mut config = read(&[]);
    config.secrets = secrets.iter().map(|secret| (*secret).into()).collect();
    config
}

/// The defaults, with these paths of a refund's fields.
pub(super) fn refund_fields(changes: &[(&str, &str)]) -> RefundPaths {
    read(changes).refund_fields
}

fn read(refund_fields: &[(&str, &str)]) -> CleengWebhooksConfig {
    let needed = [
        ("CLEENG__PUBLISHER_TOKEN", "token"),
        ("CLEENG__PUBLISHER_ID", "558186818"),
        ("GATEWAYS__SIMULATED__BASE_URL", "http://127.0.0.1:1"),
        ("GATEWAYS__SIMULATED__SECRET_KEY", "key"),
        ("GATEWAYS__SIMULATED__WEBHOOK_SECRET", "secret"),
        ("GATEWAYS__SIMULATED__PAYMENT_METHOD_ID", "7"),
    ];
    let needed = needed.map(|(name, value)| (format!("CONNECTOR_{name}"), value.to_owned()));
    let changed = refund_fields.iter().map(|(word, path)| {
        let word = word.to_uppercase();
        (
            format!("CONNECTOR_CLEENG__REFUND_FIELDS__{word}"),
            (*path).to_owned(),
        )
    });
    let variables: Vec<_> = needed.into_iter().chain(changed).collect();
    Config::from_variables(&variables).unwrap().cleeng_webhooks
}

/// The published sample of `subscriptionReadyForPaymentAuthorisation`.
pub(super) fn renewal() -> Value {
    json!({
        "subscriptionId": "332332332", "offerId": "S123123123_US", "customerId": 123_321_123,
        "customerEmail": "payer@example.com", "paymentDetailsId": 665_665_665, "active": true,
        "dunningAttemptDate": "2019-11-04T19:55:41Z", "dunningStatus": "authorize",
        "expirationDate": "2019-11-07T19:55:41Z", "currency": "USD", "paymentCountry": "BY",
        "paymentMethodId": 123_123_123, "token": "tok_en", "paymentGateway": "adyen"
    })
}

/// What the simulated Cleeng sends of one payment.
pub(super) fn payment() -> Value {
    json!({
        "paymentId": 77, "orderId": "123456789", "externalPaymentId": "pi_1", "amount": "4.50", "currency": "EUR",
        "customerId": 5, "subscriptionId": null, "paymentMethodId": 7, "paymentDetailsId": null
    })
}
