//! Whose a payment is: who may see it, and whose order it may pay for. Pure.

use super::super::ids::CustomerId;
use super::Payment;

impl Payment {
    /// Whether this customer may see it: who asked for it, or else whose order (or payment details) a server sent, once that is
    /// known. A payment that somebody else asked for is nobody's but theirs.
    pub(crate) fn is_of(&self, customer: CustomerId) -> bool {
        match self.asked_by {
            Some(asked_by) => asked_by == customer,
            None => {
                let order = self.order.as_ref().map(|order| order.customer_id);
                let details = self.details.map(|details| details.customer_id);
                order.or(details) == Some(customer.0)
            }
        }
    }

    /// Whether what is `owner`'s may be paid or changed by this payment. What a server asks for may be anybody's.
    pub(crate) fn may_be_for(&self, owner: u64) -> bool {
        self.asked_by.is_none_or(|asked_by| asked_by.0 == owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::DetailsChange;
    use crate::gateway::sample;
    use serde_json::json;

    const ONE: CustomerId = CustomerId(123_321_123);
    const OTHER: CustomerId = CustomerId(5);

    /// Of an order of customer `ONE`.
    fn payment(asked_by: Option<CustomerId>) -> Payment {
        let mut payment = sample::payment(999, "EUR", sample::new_method(json!({}), true));
        payment.asked_by = asked_by;
        payment
    }

    #[test]
    fn a_customers_payment_is_theirs_alone() {
        for order_is_read in [true, false] {
            let mut payment = payment(Some(OTHER));
            if !order_is_read {
                payment.order = None;
            }
            assert!(payment.is_of(OTHER));
            // Not even whose order it is: they did not ask for it.
            assert!(!payment.is_of(ONE));
        }
    }

    #[test]
    fn a_servers_payment_is_the_customers_once_the_order_is_read() {
        let mut payment = payment(None);
        assert!(payment.is_of(ONE) && !payment.is_of(OTHER));
        payment.order = None;
        assert!(!payment.is_of(ONE) && !payment.is_of(OTHER));
        payment.details = Some(DetailsChange {
            customer_id: OTHER.0,
            payment_method_id: 3,
            subscription_id: None,
            replaces: None,
        });
        assert!(payment.is_of(OTHER) && !payment.is_of(ONE));
    }

    #[test]
    fn a_customer_pays_their_own_orders_and_a_server_anybodys() {
        assert!(payment(Some(ONE)).may_be_for(ONE.0));
        assert!(!payment(Some(OTHER)).may_be_for(ONE.0));
        assert!(payment(None).may_be_for(ONE.0) && payment(None).may_be_for(OTHER.0));
    }
}
