//! Orders: what is bought, for how much, until when.

use serde_json::{Map, Value, json};

use super::access::email;
use super::fail::Fail;
use super::money;
use super::payment::{Payment, Sale, Status};
use super::subscription::{Manager, Standing};
use super::wire::{self, NewOrder, OrderChange};
use super::world::{Desk, World};

/// An order lives for 24 hours, unless its payment is captured.
pub(crate) const LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) total: i64,
    pub(crate) currency: String,
    pub(crate) country: String,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) expires: i64,
    pub(crate) coupon: Option<String>,
    pub(crate) gift: bool,
    pub(crate) delivery: Value,
    pub(crate) billing_address: Value,
    pub(crate) subscription: Option<u64>,
    pub(crate) discount: Discount,
}

/// Why it is cheaper than its offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discount {
    None,
    Trial,
}

impl Order {
    /// What a payment of it is for.
    pub(crate) fn into_sale(self) -> Sale {
        Sale {
            customer_id: self.customer_id,
            offer_id: self.offer_id,
            total: self.total,
            tax: 0,
            currency: self.currency,
            country: Some(self.country),
            payment_method_id: self.payment_method_id,
            coupon: self.coupon,
        }
    }
}

impl World {
    pub(crate) fn order(&self, id: u64) -> Result<&Order, Fail> {
        self.orders
            .get(&id)
            .ok_or_else(|| Fail::not_found("Order", id))
    }

    /// # Errors
    /// A field is missing or makes no sense.
    pub(crate) fn create_order(&mut self, desk: &Desk, new: NewOrder) -> Result<Value, Fail> {
        if !is_offer(&new.offer_id) {
            return Err(Fail::invalid("offerId value is invalid"));
        }
        if (new.currency.is_none() || new.country.is_none()) && new.customer_ip.is_none() {
            return Err(Fail::invalid(
                "customerIP is required when currency or country is missing",
            ));
        }
        let subscription = recurring(&new)?;
        self.check_renewable(subscription, &new)?;
        let currency = new.currency.unwrap_or_else(|| "USD".to_owned());
        if !wire::is_currency(&currency) {
            return Err(Fail::invalid("currency value is invalid"));
        }
        let country = new.country.unwrap_or_else(|| "US".to_owned());
        if country.len() != 2 {
            return Err(Fail::invalid("country value is invalid"));
        }
        if let Some(rate) = &new.tax_rate
            && rate.parse::<f64>().is_err()
        {
            return Err(Fail::invalid("taxRate value is invalid"));
        }
        let is_trial = subscription.is_none() && self.is_trial(new.customer_id.0, &new.offer_id);
        let total = match (&new.total_price, &new.method_fee) {
            (None, None) if is_trial => 0,
            (None, None) => self.price(subscription, &new.offer_id, &currency),
            (Some(price), Some(fee)) => money::minor(price, &currency)
                .zip(money::minor(fee, &currency))
                .and_then(|(price, fee)| price.checked_add(fee))
                .ok_or_else(|| Fail::invalid("totalPrice or methodFee value is invalid"))?,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Fail::invalid("totalPrice and methodFee go together"));
            }
        };
        let id = self.next_order();
        let order = Order {
            id,
            customer_id: new.customer_id.0,
            offer_id: new.offer_id,
            total,
            currency,
            country,
            payment_method_id: new.payment_method_id.map(|id| id.0),
            expires: desk.seconds().saturating_add(LIFETIME_SECONDS),
            coupon: new.coupon_code,
            gift: new.buy_as_a_gift.unwrap_or(false),
            delivery: object(new.delivery_details),
            billing_address: object(new.billing_address),
            subscription,
            discount: match is_trial && total == 0 {
                true => Discount::Trial,
                false => Discount::None,
            },
        };
        let shown = wrapped(&order, desk);
        self.orders.insert(id, order);
        Ok(shown)
    }

    /// # Errors
    /// There is no such order, or it has expired.
    pub(crate) fn change_order(
        &mut self,
        desk: &Desk,
        id: u64,
        change: OrderChange,
    ) -> Result<Value, Fail> {
        self.check_open(desk, id)?;
        let order = self
            .orders
            .get_mut(&id)
            .ok_or_else(|| Fail::not_found("Order", id))?;
        if let Some(method) = change.payment_method_id {
            order.payment_method_id = Some(method.0);
        }
        if let Some(coupon) = change.coupon_code {
            order.coupon = Some(coupon);
        }
        if let Some(gift) = change.buy_as_a_gift {
            order.gift = gift;
        }
        if let Some(delivery) = change.delivery_details {
            order.delivery = Value::Object(delivery);
        }
        Ok(wrapped(order, desk))
    }

    /// # Errors
    /// There is no such order, or it has expired without a captured payment.
    pub(crate) fn check_open(&self, desk: &Desk, id: u64) -> Result<(), Fail> {
        let order = self.order(id)?;
        let is_paid =
            |payment: &Payment| payment.order_id == Some(id) && payment.status == Status::Captured;
        if desk.seconds() >= order.expires && !self.payments.values().any(is_paid) {
            return Err(Fail::unprocessable(format!("Order {id} has expired")));
        }
        Ok(())
    }

    /// A renewal costs what the subscription cost before.
    fn price(&self, subscription: Option<u64>, offer_id: &str, currency: &str) -> i64 {
        subscription
            .and_then(|id| self.subscriptions.get(&id))
            .filter(|subscription| subscription.currency == currency)
            .map_or_else(|| self.offer(offer_id).price, |found| found.price)
    }

    /// # Errors
    /// 422: the subscription to renew is not there, is over, is not Cleeng's to renew, or is another customer's or offer's.
    fn check_renewable(&self, subscription: Option<u64>, new: &NewOrder) -> Result<(), Fail> {
        let Some(id) = subscription else {
            return Ok(());
        };
        let why = match self.subscriptions.get(&id) {
            None => "not found",
            Some(found) if found.standing == Standing::Terminated => "terminated",
            Some(found) if found.manager != Manager::Cleeng => "externally managed",
            Some(found)
                if found.customer_id != new.customer_id.0 || found.offer_id != new.offer_id =>
            {
                "not of this customer and offer"
            }
            Some(_) => return Ok(()),
        };
        Err(Fail::unprocessable(format!(
            "Subscription with id: {id} is {why}"
        )))
    }
}

fn object(given: Option<Map<String, Value>>) -> Value {
    given.map_or(Value::Null, Value::Object)
}

/// `paymentOperation` and `subscriptionId` go together.
fn recurring(new: &NewOrder) -> Result<Option<u64>, Fail> {
    match (new.payment_operation.as_deref(), new.subscription_id) {
        (None, None) | (Some("initial-payment"), None) => Ok(None),
        (Some("recurring-payment"), Some(id)) => Ok(Some(id.0)),
        (Some("recurring-payment"), None) => Err(Fail::invalid("subscriptionId is required")),
        (None, Some(_)) => Err(Fail::invalid("paymentOperation is required")),
        (Some(_), _) => Err(Fail::invalid("paymentOperation value is invalid")),
    }
}

/// A letter, nine digits that do not start with 0, `_`, and a country.
pub(crate) fn is_offer(text: &str) -> bool {
    let Some((offer, country)) = text.split_once('_') else {
        return false;
    };
    let mut letters = offer.chars();
    letters.next().is_some_and(|kind| "SPEAR".contains(kind))
        && letters.clone().next() != Some('0')
        && letters.clone().count() == 9
        && letters.all(|digit| digit.is_ascii_digit())
        && country.len() == 2
        && country
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

pub(crate) fn wrapped(order: &Order, desk: &Desk) -> Value {
    json!({ "success": true, "message": "", "order": show(order, desk) })
}

pub(crate) fn show(order: &Order, desk: &Desk) -> Value {
    let total = money::decimal(order.total, &order.currency);
    let (applied, kind, periods) = match order.discount {
        Discount::None => (false, "", 0),
        Discount::Trial => (true, "trial", 1),
    };
    json!({
        "id": order.id,
        "customerId": order.customer_id,
        "publisherId": desk.publisher_id,
        "customer": { "locale": "en_US", "email": email(order.customer_id) },
        "offerId": order.offer_id,
        "offer": { "title": "Simulated offer", "description": null, "price": total, "currency": order.currency },
        "totalPrice": total,
        "priceBreakdown": {
            "offerPrice": total, "discountAmount": 0, "discountedPrice": total,
            "taxValue": 0, "customerServiceFee": 0, "paymentMethodFee": 0,
        },
        "taxRate": 0,
        "taxBreakdown": null,
        "currency": order.currency,
        "country": order.country,
        "paymentMethodId": order.payment_method_id,
        "expirationDate": order.expires,
        "billingAddress": order.billing_address,
        "couponId": order.coupon,
        "discount": { "applied": applied, "type": kind, "periods": periods },
        "requiredPaymentDetails": order.total > 0,
        "buyAsAGift": order.gift,
        "deliveryDetails": order.delivery,
    })
}
