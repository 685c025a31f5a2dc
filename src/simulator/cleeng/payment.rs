//! Recording a payment: every rule about which field belongs to which case.

use serde_json::{Value, json};

use super::fail::Fail;
use super::money;
use super::order::Order;
use super::wire::{NewPayment, PaymentDetails};
use super::world::{Desk, World};
use crate::simulator::book::Recorded;

/// A recorded payment.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) id: u64,
    /// Externally managed payments have no order.
    pub(crate) order_id: Option<u64>,
    pub(crate) sale: Sale,
    pub(crate) status: Status,
    pub(crate) operation: String,
    pub(crate) external_id: String,
    pub(crate) rejected_reason: Option<String>,
    pub(crate) refunded_reason: Option<String>,
    pub(crate) details_id: Option<u64>,
    pub(crate) subscription_id: Option<u64>,
    pub(crate) refunded: i64,
    pub(crate) refunds: Vec<Refund>,
    /// Every status it has had.
    pub(crate) history: Vec<&'static str>,
    pub(crate) created: i64,
}

/// What the payment is for: its order as it was, or what an externally managed payment said itself. Amounts in minor units.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) total: i64,
    pub(crate) tax: i64,
    pub(crate) currency: String,
    pub(crate) country: Option<String>,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) coupon: Option<String>,
}

/// Money that went back, wholly or in part.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) amount: i64,
    pub(crate) kind: &'static str,
    pub(crate) reason: String,
    pub(crate) at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Authorized,
    Captured,
    Rejected,
    Cancelled,
    Refunded,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Authorized => "authorized",
            Status::Captured => "captured",
            Status::Rejected => "rejected",
            Status::Cancelled => "cancelled",
            Status::Refunded => "refunded",
        }
    }

    /// Did the gateway take or hold money?
    fn holds_money(self) -> bool {
        match self {
            Status::Authorized | Status::Captured => true,
            Status::Rejected | Status::Cancelled | Status::Refunded => false,
        }
    }
}

impl World {
    /// # Errors
    /// A field is missing or makes no sense (400), or it does not fit the order (422).
    pub(crate) fn record_payment(&mut self, desk: &Desk, new: NewPayment) -> Result<Value, Fail> {
        let (status, external_id) = check(&new)?;
        self.appear(desk, new.order_id.0);
        let order = self.payable(desk, new.order_id.0)?.clone();
        fits(&order, &new)?;
        let details_id = self.details_for(desk, &order, &new)?;
        let is_subscription = order.offer_id.starts_with('S');
        if status.holds_money() && is_subscription && details_id.is_none() {
            return Err(Fail::invalid(
                "paymentDetailsId is required when paymentDetails are not created in this call",
            ));
        }
        let payment = Payment {
            id: self.next(),
            order_id: Some(order.id),
            subscription_id: order.subscription,
            sale: order.into_sale(),
            status,
            operation: new.payment_operation,
            external_id,
            rejected_reason: new.rejected_reason,
            refunded_reason: new.refunded_reason,
            details_id,
            refunded: 0,
            refunds: Vec::new(),
            history: vec![status.name()],
            created: desk.seconds(),
        };
        self.recorded.push(Recorded {
            external_id: payment.external_id.clone(),
            order_id: new.order_id.0,
            amount: payment.sale.total,
            captured: status == Status::Captured,
            subscription_id: payment.subscription_id,
            at: desk.micros,
        });
        self.follow(desk, &payment);
        let shown = self.show_payment(&payment);
        self.payments.insert(payment.id, payment);
        Ok(wrapped("Payment created successfully", shown))
    }

    /// # Errors
    /// 422: there is no such order, it has expired, or it names no payment method.
    fn payable(&self, desk: &Desk, id: u64) -> Result<&Order, Fail> {
        let Some(order) = self.orders.get(&id) else {
            return Err(Fail::unprocessable(format!(
                "Order with id: {id} not found"
            )));
        };
        self.check_open(desk, id)?;
        match order.payment_method_id {
            Some(_) => Ok(order),
            None => Err(Fail::unprocessable("Order doesn't have paymentMethodId")),
        }
    }

    /// The stored token of this payment: an existing one, or one created in the same call.
    fn details_for(
        &mut self,
        desk: &Desk,
        order: &Order,
        new: &NewPayment,
    ) -> Result<Option<u64>, Fail> {
        match (new.payment_details_id, &new.payment_details) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Fail::invalid(
                "paymentDetailsId and paymentDetails exclude each other",
            )),
            (Some(id), None) => match self.details.get(&id.0) {
                Some(details) if details.customer_id == order.customer_id => Ok(Some(id.0)),
                Some(_) | None => Err(Fail::unprocessable(format!(
                    "Payment details with id: {} not found",
                    id.0
                ))),
            },
            (None, Some(details)) => self
                .details_in_passing(desk, &order.clone().into_sale(), details)
                .map(Some),
        }
    }

    pub(crate) fn details_in_passing(
        &mut self,
        desk: &Desk,
        sale: &Sale,
        new: &PaymentDetails,
    ) -> Result<u64, Fail> {
        let method = sale.payment_method_id.unwrap_or(desk.payment_method_id);
        if new.payment_method_id.is_some_and(|id| id.0 != method) {
            return Err(Fail::unprocessable(
                "paymentDetails.paymentMethodId is not the order's",
            ));
        }
        self.store_details(
            sale.customer_id,
            method,
            &new.token,
            new.payment_method_specific_params.clone(),
            new.active.unwrap_or(true),
        )
    }

    pub(crate) fn show_payment(&self, payment: &Payment) -> Value {
        let sale = &payment.sale;
        json!({
            "id": payment.id,
            "orderId": payment.order_id,
            "status": payment.status.name(),
            "totalAmount": money::decimal(sale.total, &sale.currency),
            "amount": money::decimal(sale.total.saturating_sub(sale.tax), &sale.currency),
            "currency": sale.currency,
            "customerId": sale.customer_id,
            "paymentGateway": "connector",
            "paymentMethod": "card",
            "externalPaymentId": payment.external_id,
            "couponCodeId": sale.coupon,
            "country": sale.country,
            "offerType": offer_type(&sale.offer_id),
            "offerId": sale.offer_id,
            "taxValue": money::decimal(sale.tax, &sale.currency),
            "paymentMethodFee": 0,
            "customerServiceFee": 0,
            "rejectedReason": payment.rejected_reason,
            "refundedReason": payment.refunded_reason,
            "paymentDetailsId": payment.details_id,
            "paymentOperation": payment.operation,
            "gatewaySpecificParams": {},
        })
    }
}

/// The rules between the payment and its order.
fn fits(order: &Order, new: &NewPayment) -> Result<(), Fail> {
    let named = new.subscription_id.map(|id| id.0);
    if named != order.subscription {
        return Err(Fail::unprocessable(
            "subscriptionId and paymentOperation are not the order's",
        ));
    }
    // A zero order may also be reported as an initial payment: no page says that it must not.
    if new.payment_operation == "initial-free-transaction" && order.total > 0 {
        return Err(Fail::unprocessable("the order is not free"));
    }
    Ok(())
}

/// The rules that need nothing but the request.
fn check(new: &NewPayment) -> Result<(Status, String), Fail> {
    let status = match new.status.as_str() {
        "authorized" => Status::Authorized,
        "captured" => Status::Captured,
        "rejected" => Status::Rejected,
        "cancelled" => Status::Cancelled,
        _ => return Err(Fail::invalid("status value is invalid")),
    };
    match (new.payment_operation.as_str(), new.subscription_id) {
        ("initial-payment" | "initial-free-transaction", None) | ("recurring-payment", Some(_)) => {
        }
        ("initial-payment" | "initial-free-transaction", Some(_)) => {
            return Err(Fail::invalid(
                "subscriptionId belongs to recurring payments",
            ));
        }
        ("recurring-payment", None) => return Err(Fail::invalid("subscriptionId is required")),
        _ => return Err(Fail::invalid("paymentOperation value is invalid")),
    }
    match (status, filled(new.rejected_reason.as_deref())) {
        (Status::Rejected, false) => return Err(Fail::invalid("rejectedReason is required")),
        (Status::Authorized | Status::Captured, true) => {
            return Err(Fail::invalid("rejectedReason belongs to rejected payments"));
        }
        (Status::Rejected | Status::Cancelled | Status::Refunded, _)
        | (Status::Authorized | Status::Captured, false) => {}
    }
    match &new.external_payment_id {
        Some(id) if !id.is_empty() => Ok((status, id.clone())),
        Some(_) | None => Err(Fail::invalid("externalPaymentId is required")),
    }
}

pub(crate) fn filled(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

pub(crate) fn wrapped(message: &str, payment: Value) -> Value {
    json!({ "success": true, "message": message, "payment": payment })
}

fn offer_type(offer_id: &str) -> &'static str {
    match offer_id.chars().next() {
        Some('S') => "subscription",
        Some('P') => "pass",
        Some('E') => "event",
        Some('A') => "single",
        Some('R') => "rental",
        _ => "unknown",
    }
}
