//! The simulator's books, reduced to one payment: what the gateway did, what Cleeng was told, and how often.

use serde::Serialize;

use super::wire::{Charge, CleengPayment, Intent, Ledger};
use crate::domain::ids::{OrderId, PaymentId};
use crate::domain::money::Money;

/// The body of `GET /demo/records`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Records {
    gateway: AtGateway,
    cleeng: AtCleeng,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct AtGateway {
    /// How often money was taken or held, all charges together. More than once is what must not happen.
    money_moved: u32,
    charges: Vec<GatewayCharge>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct GatewayCharge {
    gateway: &'static str,
    id: String,
    status: String,
    amount: Money,
    money_moved: u32,
    /// Seconds since 1970.
    created: i64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct AtCleeng {
    payments: Vec<CleengRecord>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CleengRecord {
    id: u64,
    status: String,
    /// Absent when Cleeng shows what is no amount of its currency.
    amount: Option<Money>,
    external_payment_id: String,
    rejected_reason: Option<String>,
    history: Vec<String>,
    /// Seconds since 1970.
    created: i64,
}

/// What the books say about one payment: the gateways' charges by our id, Cleeng's records by the order's.
pub(super) fn of(ledger: Ledger, payment: PaymentId, order: OrderId) -> Records {
    let ours = payment.to_string();
    let intents = ledger.stripe.payment_intents.into_iter();
    let intents = intents.filter(|intent| intent.metadata.get("payment_id") == Some(&ours));
    let charges = ledger.simulated.charges.into_iter();
    let charges = charges.filter(|charge| charge.reference == ours);
    let charges: Vec<GatewayCharge> = intents
        .map(at_stripe)
        .chain(charges.map(at_simulated))
        .collect();
    let told = ledger.cleeng.payments.into_iter();
    let told = told.filter(|told| told.order_id == order);
    Records {
        gateway: AtGateway {
            money_moved: charges.iter().map(|charge| charge.money_moved).sum(),
            charges,
        },
        cleeng: AtCleeng {
            payments: told.map(at_cleeng).collect(),
        },
    }
}

fn at_stripe(intent: Intent) -> GatewayCharge {
    GatewayCharge {
        gateway: "stripe",
        id: intent.id,
        status: intent.status,
        amount: Money {
            minor: intent.amount,
            currency: intent.currency,
        },
        money_moved: intent.charges,
        created: intent.created,
    }
}

fn at_simulated(charge: Charge) -> GatewayCharge {
    GatewayCharge {
        gateway: "simulated",
        id: charge.id,
        status: charge.status,
        amount: Money {
            minor: charge.amount,
            currency: charge.currency,
        },
        money_moved: charge.charges,
        created: charge.created,
    }
}

fn at_cleeng(told: CleengPayment) -> CleengRecord {
    CleengRecord {
        id: told.id,
        status: told.status,
        amount: Money::from_decimal(told.amount.get(), told.currency).ok(),
        external_payment_id: told.external_payment_id,
        rejected_reason: told.rejected_reason,
        history: told.history,
        created: told.created,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const OURS: &str = "0198a5e2-7c1d-7b3a-9f00-000000000001";
    const OTHER: &str = "0198a5e2-7c1d-7b3a-9f00-000000000002";

    fn reduced(ledger: &Value) -> Value {
        let ledger = serde_json::from_str(&ledger.to_string()).unwrap();
        let order = OrderId::try_from(500_000_001).unwrap();
        serde_json::to_value(of(ledger, OURS.parse().unwrap(), order)).unwrap()
    }

    fn intent(id: &str, payment: &str, charges: u32) -> Value {
        json!({
            "id": id, "status": "succeeded", "amount": 999, "amountReceived": 999, "amountCapturable": 0,
            "amountRefunded": 0, "currency": "eur", "metadata": { "payment_id": payment, "order_id": "500000001" },
            "customer": null, "paymentMethod": "pm_1", "latestCharge": "ch_1",
            "charges": charges, "confirms": 1, "created": 1_700_000_000,
        })
    }

    fn told(id: u64, order: u64, status: &str) -> Value {
        json!({
            "id": id, "orderId": order, "status": status, "totalAmount": 9.9, "amount": 9.9, "currency": "EUR",
            "externalPaymentId": "pi_1", "rejectedReason": null, "paymentOperation": "initial-payment",
            "history": [status], "refundedMinor": 0, "created": 1_700_000_001,
        })
    }

    fn ledger(intents: &Value, charges: &Value, told: &Value) -> Value {
        json!({
            "stripe": { "paymentIntents": intents, "refunds": [] },
            "simulated": { "charges": charges },
            "cleeng": { "orders": [], "payments": told, "paymentDetails": [], "subscriptions": [], "passes": [] },
            "moneyMoved": {}, "requests": {},
        })
    }

    #[test]
    fn both_books_are_reduced_to_this_payment() {
        let records = reduced(&ledger(
            &json!([intent("pi_1", OURS, 1), intent("pi_2", OTHER, 1)]),
            &json!([]),
            &json!([
                told(7, 500_000_001, "captured"),
                told(8, 500_000_002, "captured")
            ]),
        ));
        let expected = json!({
            "gateway": { "moneyMoved": 1, "charges": [{
                "gateway": "stripe", "id": "pi_1", "status": "succeeded",
                "amount": { "value": 999, "currency": "EUR" }, "moneyMoved": 1, "created": 1_700_000_000,
            }] },
            "cleeng": { "payments": [{
                "id": 7, "status": "captured", "amount": { "value": 990, "currency": "EUR" },
                "externalPaymentId": "pi_1", "rejectedReason": null, "history": ["captured"], "created": 1_700_000_001,
            }] },
        });
        assert_eq!(records, expected);
    }

    #[test]
    fn a_charge_at_the_simulated_gateway_is_found_by_its_reference() {
        let charge = |id: &str, reference: &str| {
            json!({
                "id": id, "reference": reference, "status": "captured", "amount": 999, "currency": "EUR",
                "token": "tok_ok", "charges": 1, "storedToken": null, "created": 1_700_000_000,
            })
        };
        let charges = json!([charge("ch_1", OURS), charge("ch_2", OTHER)]);
        let records = reduced(&ledger(&json!([]), &charges, &json!([])));
        assert_eq!(records["gateway"]["moneyMoved"], 1);
        assert_eq!(records["gateway"]["charges"][0]["id"], "ch_1");
        assert_eq!(records["gateway"]["charges"][0]["gateway"], "simulated");
    }

    #[test]
    fn money_that_moved_twice_is_counted_twice() {
        let once_each = json!([intent("pi_1", OURS, 1), intent("pi_2", OURS, 1)]);
        let records = reduced(&ledger(&once_each, &json!([]), &json!([])));
        assert_eq!(records["gateway"]["moneyMoved"], 2);
        let twice = json!([intent("pi_1", OURS, 2)]);
        let records = reduced(&ledger(&twice, &json!([]), &json!([])));
        assert_eq!(records["gateway"]["moneyMoved"], 2);
    }

    #[test]
    fn before_anything_happened_the_books_are_empty() {
        let records = reduced(&ledger(&json!([]), &json!([]), &json!([])));
        let expected =
            json!({ "gateway": { "moneyMoved": 0, "charges": [] }, "cleeng": { "payments": [] } });
        assert_eq!(records, expected);
    }
}
