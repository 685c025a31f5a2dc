//! Payment methods: test tokens become real ones on first use, and belong to at most one customer.

use super::card::{self, Card};
use super::fail::Fail;
use super::wire;
use super::world::{Desk, World};

const SPENT: &str = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.";

/// A payment method with an id of its own.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) id: String,
    /// The test token it was made from.
    pub(crate) token: String,
    pub(crate) card: Card,
    pub(crate) customer: Option<String>,
    /// Used without a customer, or detached: it may not be used again.
    pub(crate) spent: bool,
    pub(crate) created: i64,
}

impl World {
    /// The id of the method a request names; a test token is made into a method.
    ///
    /// # Errors
    /// There is no such method.
    pub(crate) fn method_id(
        &mut self,
        desk: &Desk<'_>,
        named: &str,
        status: u16,
    ) -> Result<String, Fail> {
        if self.methods.contains_key(named) {
            return Ok(named.to_owned());
        }
        let card = card::of_token(named)
            .ok_or_else(|| Fail::no_such(status, "PaymentMethod", named, "payment_method"))?;
        let id = desk.mint.id("pm_1");
        let method = Method {
            id: id.clone(),
            token: named.to_owned(),
            card,
            customer: None,
            spent: false,
            created: desk.seconds(),
        };
        self.methods.insert(id.clone(), method);
        Ok(id)
    }

    /// The card, if this customer (or nobody) may be charged with it.
    pub(crate) fn usable_card(&self, id: &str, customer: Option<&str>) -> Result<Card, Fail> {
        let method = self
            .methods
            .get(id)
            .ok_or_else(|| Fail::no_such(400, "PaymentMethod", id, "payment_method"))?;
        if method.spent {
            return Err(Fail::invalid("payment_method", SPENT));
        }
        match (method.customer.as_deref(), customer) {
            (Some(owner), Some(payer)) if owner != payer => Err(Fail::invalid(
                "payment_method",
                format!(
                    "The customer does not have a payment method with the ID {id}. The payment method must be attached to the customer."
                ),
            )),
            (Some(_), None) => Err(Fail::invalid(
                "payment_method",
                format!(
                    "The PaymentMethod {id} belongs to a Customer. Include the Customer in the `customer` parameter."
                ),
            )),
            (Some(_), Some(_)) | (None, _) => Ok(method.card),
        }
    }

    /// After a payment with it: kept for its customer, or used up.
    pub(crate) fn mark_used(&mut self, id: &str, keep_for: Option<String>) {
        if let Some(method) = self.methods.get_mut(id) {
            match keep_for {
                Some(customer) => method.customer = Some(customer),
                None => method.spent = method.customer.is_none(),
            }
        }
    }

    pub(crate) fn attach(
        &mut self,
        desk: &Desk<'_>,
        named: &str,
        customer: &str,
    ) -> Result<String, Fail> {
        if !self.customers.contains_key(customer) {
            return Err(Fail::no_such(400, "customer", customer, "customer"));
        }
        let id = self.method_id(desk, named, 404)?;
        let method = self
            .methods
            .get_mut(&id)
            .ok_or_else(|| Fail::no_such(404, "PaymentMethod", named, "payment_method"))?;
        if method.spent {
            return Err(Fail::invalid("payment_method", SPENT));
        }
        match &method.customer {
            Some(owner) if owner != customer => Err(Fail::invalid(
                "payment_method",
                "The payment method you provided has already been attached to a customer.",
            )),
            Some(_) | None => {
                method.customer = Some(customer.to_owned());
                Ok(id)
            }
        }
    }

    pub(crate) fn detach(&mut self, desk: &Desk<'_>, id: &str) -> Result<(), Fail> {
        let method = self
            .methods
            .get_mut(id)
            .ok_or_else(|| Fail::no_such(404, "PaymentMethod", id, "payment_method"))?;
        if method.customer.take().is_none() {
            return Err(Fail::invalid(
                "payment_method",
                "The payment method you provided is not attached to a customer so detachment is impossible.",
            ));
        }
        method.spent = true;
        let snapshot = wire::method(method);
        self.tell(desk, "payment_method.detached", snapshot);
        Ok(())
    }
}
