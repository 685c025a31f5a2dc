//! What Cleeng says about an order. Pure.

use serde_json::value::RawValue;

use super::billing::NewOrder;
use super::report::{json, refusal};
use super::{Order, wire};
use crate::domain::failure::CallError;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::money::Money;
use crate::domain::payment::Operation;
use crate::domain::secret::Secret;
use crate::http::{Answer, Purpose};

/// The order `asked`; none when Cleeng says that it has no such order.
pub(super) fn read(answer: &Answer, asked: OrderId) -> Result<Option<Order>, CallError> {
    if answer.status == 404 && is_cleengs(answer) {
        return Ok(None);
    }
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    match unwrap(&answer.body).filter(|order| order.id == asked) {
        Some(order) => Ok(Some(order)),
        None => Err(unreadable_order()),
    }
}

/// The body that asks for an order for a renewal.
pub(super) fn body(new: &NewOrder<'_>) -> Option<Secret<String>> {
    json(&wire::NewOrder {
        customer_id: new.customer_id,
        offer_id: new.offer_id,
        currency: new.currency,
        country: new.country,
        payment_method_id: new.payment_method_id,
        payment_operation: Operation::RecurringPayment.label(),
        subscription_id: new.subscription_id.to_string(),
    })
}

/// The order that was made. One of another customer or offer is not what was asked for, and must not be charged.
pub(super) fn created(answer: &Answer, new: &NewOrder<'_>) -> Result<Order, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer, Purpose::Read));
    }
    unwrap(&answer.body)
        .filter(|order| order.customer_id == new.customer_id && order.offer_id == new.offer_id)
        .ok_or_else(unreadable_order)
}

fn unreadable_order() -> CallError {
    CallError::Refused {
        code: "unreadable_order".to_owned(),
    }
}

/// Cleeng's own errors are JSON objects. A 404 without one comes from something that is not Cleeng's API (a wrong base URL), and
/// must not make every order unknown.
pub(super) fn is_cleengs(answer: &Answer) -> bool {
    serde_json::from_slice::<wire::ErrorBody>(&answer.body).is_ok()
}

fn unwrap(body: &[u8]) -> Option<Order> {
    let text = std::str::from_utf8(body).ok()?;
    let outer: wire::OrderWrapper<'_> = serde_json::from_str(text).ok()?;
    let inner = match outer.response_data {
        Some(data) => {
            serde_json::from_str::<wire::OrderWrapper<'_>>(data.get())
                .ok()?
                .order
        }
        None => None,
    };
    let found = outer.order.or(outer.data).or(inner).map(RawValue::get);
    order(serde_json::from_str(found.unwrap_or(text)).ok()?)
}

fn order(order: wire::Order<'_>) -> Option<Order> {
    Some(Order {
        id: order.id,
        customer_id: order.customer_id,
        publisher_id: order.publisher_id,
        offer_id: order.offer_id,
        total: Money::from_decimal(&digits(order.total_price)?, order.currency).ok()?,
        payment_method_id: order.payment_method_id,
        expires_at: order.expiration_date.and_then(unix_seconds),
    })
}

/// A price as it is written, out of its quotes if it has some.
fn digits(price: &RawValue) -> Option<String> {
    if price.get().starts_with('"') {
        return serde_json::from_str(price.get()).ok();
    }
    Some(price.get().to_owned())
}

pub(super) fn unix_seconds(seconds: u64) -> Option<Moment> {
    i64::try_from(seconds).ok().map(Moment::from_unix_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Cause;
    use crate::domain::ids::SubscriptionId;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "id": 123456789, "customerId": 123321123, "publisherId": 558186818, "offerId": "S619117184_US",
            "totalPrice": 9.99, "currency": "USD", "paymentMethodId": 123876432, "expirationDate": 1700000000,
            "discount": {"applied": false}, "billingAddress": null,
        })
    }

    fn read_(status: u16, body: &str) -> Result<Option<Order>, CallError> {
        let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
        read(&answer, OrderId(123_456_789))
    }

    fn total(price: &str) -> Option<i64> {
        let body = sample().to_string().replace("9.99", price);
        let order = read_(200, &body).ok()??;
        Some(order.total.minor)
    }

    #[test]
    fn an_order_is_found_in_each_of_its_wrappers() {
        let expected = Order {
            id: OrderId(123_456_789),
            customer_id: 123_321_123,
            publisher_id: Some(558_186_818),
            offer_id: "S619117184_US".to_owned(),
            total: Money {
                minor: 999,
                currency: "USD".parse().unwrap(),
            },
            payment_method_id: Some(123_876_432),
            expires_at: Some(Moment::from_unix_seconds(1_700_000_000)),
        };
        for body in [
            sample(),
            json!({"success": true, "message": "", "order": sample()}),
            json!({"success": true, "data": sample()}),
            json!({"responseData": {"order": sample()}, "errors": []}),
        ] {
            assert_eq!(
                read_(200, &body.to_string()),
                Ok(Some(expected.clone())),
                "{body}"
            );
        }
    }

    #[test]
    fn ids_are_read_as_numbers_and_as_text_and_may_be_missing_where_charging_can_do_without() {
        let mut order = sample();
        order["id"] = json!("123456789");
        order["customerId"] = json!("123321123");
        order["paymentMethodId"] = Value::Null;
        order.as_object_mut().unwrap().remove("expirationDate");
        order.as_object_mut().unwrap().remove("publisherId");
        let read = read_(200, &order.to_string()).unwrap().unwrap();
        assert_eq!(read.customer_id, 123_321_123);
        assert_eq!(
            (read.payment_method_id, read.expires_at, read.publisher_id),
            (None, None, None)
        );
    }

    const NEW: NewOrder<'static> = NewOrder {
        customer_id: 123_321_123,
        offer_id: "S619117184_US",
        currency: "USD",
        country: "BY",
        payment_method_id: 123_876_432,
        subscription_id: SubscriptionId(332_332_332),
    };

    #[test]
    fn a_renewals_order_names_its_subscription() {
        let body: Value = serde_json::from_str(body(&NEW).unwrap().reveal()).unwrap();
        let expected = json!({
            "customerId": 123321123, "offerId": "S619117184_US", "currency": "USD", "country": "BY",
            "paymentMethodId": 123876432, "paymentOperation": "recurring-payment", "subscriptionId": "332332332",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_order_that_was_made_is_read_and_never_in_doubt() {
        let made = |status: u16, body: &str| {
            let answer = Answer::new(status, HeaderMap::new(), body.as_bytes().to_vec());
            created(&answer, &NEW)
        };
        let wrapped = json!({"success": true, "order": sample()}).to_string();
        for status in [200, 201] {
            assert_eq!(made(status, &wrapped).unwrap().id, OrderId(123_456_789));
        }
        let refused = |code: &str| CallError::Refused { code: code.into() };
        let broken = |code: &str| CallError::Broken { code: code.into() };
        let not_done = |cause| CallError::NotDone {
            cause,
            retry_after: None,
        };
        let other_offer = sample().to_string().replace("S619117184", "S619117185");
        let other_customer = sample().to_string().replace("123321123", "123321124");
        let message = r#"{"message":"Customer A B not found"}"#;
        for (status, body, reaction) in [
            (200, "", refused("unreadable_order")),
            (200, "<html>", refused("unreadable_order")),
            (200, r#"{"success":false}"#, refused("unreadable_order")),
            (200, &*other_offer, refused("unreadable_order")),
            (200, &*other_customer, refused("unreadable_order")),
            (400, message, refused("400")),
            (404, message, refused("404")),
            (422, message, refused("422")),
            (401, message, broken("http_401")),
            (403, message, broken("http_403")),
            (408, "", not_done(Cause::InFlight)),
            (409, message, not_done(Cause::InFlight)),
            (429, message, not_done(Cause::RateLimited)),
            (500, "", not_done(Cause::ServerError)),
            (302, "", refused("unreadable")),
        ] {
            assert_eq!(made(status, body), Err(reaction), "{status} {body}");
        }
    }

    #[test]
    fn a_price_is_read_digit_by_digit_and_never_rounded() {
        for (price, minor) in [
            ("9.99", Some(999)),
            ("\"9.99\"", Some(999)),
            ("\"10.0000\"", Some(1000)),
            ("10", Some(1000)),
            ("0", Some(0)),
            ("9.999", None),
            ("9.990000000000001", None),
            ("-1", None),
            ("1e3", None),
            ("null", None),
            ("\"\"", None),
            ("{}", None),
        ] {
            assert_eq!(total(price), minor, "{price}");
        }
    }

    #[test]
    fn what_is_no_such_order_is_told_from_what_cannot_be_read() {
        let refused = |code: &str| Err(CallError::Refused { code: code.into() });
        assert_eq!(read_(404, r#"{"message":"Order not found"}"#), Ok(None));
        assert_eq!(read_(404, "<html>"), refused("404"));
        assert_eq!(read_(404, ""), refused("404"));
        assert_eq!(
            read_(422, r#"{"message":"A B is unknown"}"#),
            refused("422")
        );
        assert_eq!(
            read_(400, r#"{"code":"REQ0001","message":"x"}"#),
            refused("400:REQ0001")
        );
        let other = sample().to_string().replace("123456789", "123456780");
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"success":false,"message":"x"}"#,
            &other,
        ] {
            assert_eq!(read_(200, body), refused("unreadable_order"), "{body}");
        }
    }
}
