//! Payment details: the tokens Cleeng keeps for renewals.

use serde_json::{Value, json};

use super::fail::Fail;
use super::payment::Status;
use super::wire::NewDetails;
use super::world::World;

/// A stored token.
#[derive(Debug, Clone)]
pub(crate) struct Details {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) token: String,
    pub(crate) params: Value,
    pub(crate) payment_method_id: u64,
    pub(crate) active: bool,
}

impl World {
    pub(crate) fn store_details(
        &mut self,
        customer_id: u64,
        payment_method_id: u64,
        token: &str,
        params: Option<Value>,
        active: bool,
    ) -> Result<u64, Fail> {
        if token.is_empty() {
            return Err(Fail::invalid("token is required"));
        }
        let params = params.unwrap_or_else(|| json!({}));
        if !params.is_object() {
            return Err(Fail::invalid(
                "paymentMethodSpecificParams must be an object",
            ));
        }
        let id = self.next();
        let details = Details {
            id,
            customer_id,
            token: token.to_owned(),
            params,
            payment_method_id,
            active,
        };
        self.details.insert(id, details);
        Ok(id)
    }

    /// `POST /payment_details`.
    pub(crate) fn create_details(&mut self, new: NewDetails) -> Result<Value, Fail> {
        if new.payment_method_id.0 == 0 {
            return Err(Fail::invalid("paymentMethodId must be positive"));
        }
        let id = self.store_details(
            new.customer_id.0,
            new.payment_method_id.0,
            &new.token,
            new.payment_method_specific_params,
            new.active.unwrap_or(true),
        )?;
        self.read_details(id)
    }

    pub(crate) fn read_details(&self, id: u64) -> Result<Value, Fail> {
        match self.details.get(&id) {
            Some(details) => Ok(wrapped(self.show_details(details))),
            None => Err(Fail::not_found("Payment details", id)),
        }
    }

    pub(crate) fn switch_details(&mut self, id: u64, active: bool) -> Result<Value, Fail> {
        match self.details.get_mut(&id) {
            Some(details) => details.active = active,
            None => return Err(Fail::not_found("Payment details", id)),
        }
        self.read_details(id)
    }

    pub(crate) fn delete_details(&mut self, id: u64) -> Result<Value, Fail> {
        match self.details.remove(&id) {
            Some(_) => Ok(json!({ "success": true, "message": "" })),
            None => Err(Fail::not_found("Payment details", id)),
        }
    }

    /// The authorized payments made with these details.
    pub(crate) fn authorised_payments(&self, id: u64) -> Result<Value, Fail> {
        if !self.details.contains_key(&id) {
            return Err(Fail::not_found("Payment details", id));
        }
        let found = self
            .payments
            .values()
            .filter(|payment| {
                payment.details_id == Some(id) && payment.status == Status::Authorized
            })
            .map(|payment| self.show_payment(payment))
            .collect();
        Ok(wrapped(Value::Array(found)))
    }

    pub(crate) fn show_details(&self, details: &Details) -> Value {
        let subscriptions: Vec<u64> = self
            .subscriptions
            .values()
            .filter(|subscription| subscription.details_id == Some(details.id))
            .map(|subscription| subscription.id)
            .collect();
        json!({
            "id": details.id,
            "customerId": details.customer_id,
            "token": details.token,
            "paymentGateway": "connector",
            "paymentMethod": "card",
            "paymentMethodSpecificParams": details.params,
            "paymentMethodId": details.payment_method_id,
            "active": details.active,
            "bound": false,
            "subscriptionIds": subscriptions,
            "attemptRestrictions": { "attemptRestrictedTo": null, "attemptRejections": {} },
        })
    }
}

pub(crate) fn wrapped(data: Value) -> Value {
    json!({ "success": true, "message": "", "data": data })
}
