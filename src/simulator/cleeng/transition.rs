//! The changes a recorded payment may go through, and no others.

use serde_json::Value;

use super::fail::Fail;
use super::money;
use super::payment::{Payment, Refund, Status, filled, wrapped};
use super::wire::PaymentChange;
use super::world::{Desk, World};

impl World {
    /// `PATCH /payments/{id}`.
    ///
    /// # Errors
    /// A field is missing (400), there is no such payment (404), or the state does not allow it (422).
    pub(crate) fn change_payment(
        &mut self,
        desk: &Desk,
        id: u64,
        change: PaymentChange,
    ) -> Result<Value, Fail> {
        let to = match change.status.as_str() {
            "captured" => Status::Captured,
            "rejected" => Status::Rejected,
            "refunded" => Status::Refunded,
            _ => return Err(Fail::invalid("status value is invalid")),
        };
        check(to, &change)?;
        let mut payment = self.payment(id)?.clone();
        match (payment.status, to) {
            (Status::Authorized, Status::Captured | Status::Rejected) => {}
            // A second partial refund; the sum is checked below.
            (Status::Captured | Status::Refunded, Status::Refunded) => {}
            (from, to) => return Err(illegal(from, to)),
        }
        belongs(&payment, &change)?;
        if to == Status::Refunded {
            refund(desk, &mut payment, &change)?;
        }
        if let Some(details) = &change.payment_details {
            payment.details_id = Some(self.details_in_passing(desk, &payment.sale, details)?);
        }
        if let Some(external) = change.external_payment_id {
            payment.external_id = external;
        }
        if to == Status::Rejected {
            payment.rejected_reason = change.rejected_reason;
        }
        payment.status = to;
        Ok(self.put(desk, payment))
    }

    /// `PATCH /payments/{id}/cancel`.
    ///
    /// # Errors
    /// There is no such payment (404), or it is not merely authorized (422).
    pub(crate) fn cancel_payment(&mut self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        let mut payment = self.payment(id)?.clone();
        if payment.status != Status::Authorized {
            return Err(illegal(payment.status, Status::Cancelled));
        }
        payment.status = Status::Cancelled;
        Ok(self.put(desk, payment))
    }

    pub(crate) fn payment(&self, id: u64) -> Result<&Payment, Fail> {
        self.payments
            .get(&id)
            .ok_or_else(|| Fail::not_found("Payment", id))
    }

    fn put(&mut self, desk: &Desk, mut payment: Payment) -> Value {
        payment.history.push(payment.status.name());
        self.follow(desk, &payment);
        let shown = self.show_payment(&payment);
        self.payments.insert(payment.id, payment);
        wrapped("Payment updated successfully", shown)
    }
}

/// What went back is added up; without an amount it is all that is left.
fn refund(desk: &Desk, payment: &mut Payment, change: &PaymentChange) -> Result<(), Fail> {
    let left = payment.sale.total.saturating_sub(payment.refunded);
    let amount = match &change.amount {
        Some(raw) => money::minor(raw.get().trim_matches('"'), &payment.sale.currency)
            .ok_or_else(|| Fail::invalid("amount value is invalid"))?,
        None => left,
    };
    if amount < 1 || amount > left {
        return Err(Fail::unprocessable("refund exceeds the payment"));
    }
    payment.refunded = payment.refunded.saturating_add(amount);
    payment.refunded_reason.clone_from(&change.refunded_reason);
    payment.refunds.push(Refund {
        amount,
        kind: match change.kind.as_deref() {
            Some("chargeback") => "chargeback",
            Some(_) | None => "refund",
        },
        reason: change.refunded_reason.clone().unwrap_or_default(),
        at: desk.seconds(),
    });
    Ok(())
}

/// The order and the operation named are the payment's own.
fn belongs(payment: &Payment, change: &PaymentChange) -> Result<(), Fail> {
    let order = change.order_id.map(|id| id.0);
    if order.is_some() && order != payment.order_id {
        return Err(Fail::unprocessable("orderId is not the payment's"));
    }
    if change.status != "refunded" {
        return Ok(());
    }
    if order.is_none() && payment.order_id.is_some() {
        return Err(Fail::invalid("orderId is required"));
    }
    match &change.payment_operation {
        Some(operation) if *operation != payment.operation => {
            Err(Fail::unprocessable("paymentOperation is not the payment's"))
        }
        Some(_) | None => Ok(()),
    }
}

fn check(to: Status, change: &PaymentChange) -> Result<(), Fail> {
    let known = [
        "initial-payment",
        "initial-free-transaction",
        "recurring-payment",
    ];
    if change
        .payment_operation
        .as_ref()
        .is_some_and(|operation| !known.contains(&operation.as_str()))
    {
        return Err(Fail::invalid("paymentOperation value is invalid"));
    }
    if change.external_payment_id.as_deref() == Some("") {
        return Err(Fail::invalid("externalPaymentId value is invalid"));
    }
    let refunded = to == Status::Refunded;
    if to == Status::Rejected && !filled(change.rejected_reason.as_deref()) {
        return Err(Fail::invalid("rejectedReason is required"));
    }
    if !refunded {
        return match (&change.amount, &change.kind) {
            (None, None) => Ok(()),
            (Some(_), _) | (None, Some(_)) => {
                Err(Fail::invalid("amount and type belong to refunds"))
            }
        };
    }
    if !filled(change.refunded_reason.as_deref()) {
        return Err(Fail::invalid("refundedReason is required"));
    }
    if change.payment_operation.is_none() {
        return Err(Fail::invalid("paymentOperation is required"));
    }
    match change.kind.as_deref() {
        None | Some("refund" | "chargeback") => Ok(()),
        Some(_) => Err(Fail::invalid("type value is invalid")),
    }
}

fn illegal(from: Status, to: Status) -> Fail {
    let (from, to) = (from.name(), to.name());
    Fail::unprocessable(format!("a payment that is {from} cannot become {to}"))
}
