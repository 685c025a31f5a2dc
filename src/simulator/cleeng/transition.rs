//! The changes a recorded payment may go through, and no others.

use serde_json::Value;

use super::fail::Fail;
use super::money;
use super::payment::{Payment, Status, filled, wrapped};
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
        let order = self.order(payment.order_id)?.clone();
        match (payment.status, to) {
            (Status::Authorized, Status::Captured | Status::Rejected) => {}
            // A second partial refund; the sum is checked below.
            (Status::Captured | Status::Refunded, Status::Refunded) => {}
            (from, to) => return Err(illegal(from, to)),
        }
        if change
            .order_id
            .is_some_and(|order_id| order_id.0 != order.id)
        {
            return Err(Fail::unprocessable("orderId is not the payment's"));
        }
        if to == Status::Refunded {
            let left = order.total.saturating_sub(payment.refunded);
            let amount = match &change.amount {
                Some(raw) => money::minor(raw.get().trim_matches('"'), &order.currency)
                    .ok_or_else(|| Fail::invalid("amount value is invalid"))?,
                None => left,
            };
            if amount < 1 || amount > left {
                return Err(Fail::unprocessable("refund exceeds the payment"));
            }
            payment.refunded = payment.refunded.saturating_add(amount);
            payment.refunded_reason = change.refunded_reason;
        }
        if let Some(details) = &change.payment_details {
            payment.details_id = Some(self.details_in_passing(desk, &order, details)?);
        }
        if let Some(external) = change.external_payment_id {
            payment.external_id = external;
        }
        if to == Status::Rejected {
            payment.rejected_reason = change.rejected_reason;
        }
        payment.status = to;
        if to == Status::Captured {
            self.grant(desk, &order, &payment);
        }
        Ok(self.put(payment))
    }

    /// `PATCH /payments/{id}/cancel`.
    ///
    /// # Errors
    /// There is no such payment (404), or it is not merely authorized (422).
    pub(crate) fn cancel_payment(&mut self, id: u64) -> Result<Value, Fail> {
        let mut payment = self.payment(id)?.clone();
        if payment.status != Status::Authorized {
            return Err(illegal(payment.status, Status::Cancelled));
        }
        payment.status = Status::Cancelled;
        Ok(self.put(payment))
    }

    fn payment(&self, id: u64) -> Result<&Payment, Fail> {
        self.payments
            .get(&id)
            .ok_or_else(|| Fail::not_found("Payment", id))
    }

    fn put(&mut self, mut payment: Payment) -> Value {
        payment.history.push(payment.status.name());
        let shown = self.show_payment(&payment);
        self.payments.insert(payment.id, payment);
        wrapped("Payment updated successfully", shown)
    }
}

fn check(to: Status, change: &PaymentChange) -> Result<(), Fail> {
    let missing = if to == Status::Rejected && !filled(change.rejected_reason.as_deref()) {
        "rejectedReason"
    } else if to != Status::Refunded {
        return Ok(());
    } else if !filled(change.refunded_reason.as_deref()) {
        "refundedReason"
    } else if change.order_id.is_none() {
        "orderId"
    } else if change.payment_operation.is_none() {
        "paymentOperation"
    } else {
        return match change.kind.as_deref() {
            None | Some("refund" | "chargeback") => Ok(()),
            Some(_) => Err(Fail::invalid("type value is invalid")),
        };
    };
    Err(Fail::invalid(format!("{missing} is required")))
}

fn illegal(from: Status, to: Status) -> Fail {
    let (from, to) = (from.name(), to.name());
    Fail::unprocessable(format!("a payment that is {from} cannot become {to}"))
}
