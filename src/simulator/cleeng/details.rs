//! Payment details: the tokens Cleeng keeps for renewals.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fail::Fail;
use super::payment::Status;
use super::subscription::{Manager, Standing};
use super::wire::{NewDetails, Restriction};
use super::world::{Desk, World};

/// A stored token.
#[derive(Debug, Clone)]
pub(crate) struct Details {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) token: String,
    pub(crate) params: Value,
    pub(crate) payment_method_id: u64,
    pub(crate) active: bool,
    pub(crate) restricted_to: Option<i64>,
    pub(crate) rejections: BTreeMap<String, u32>,
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
            restricted_to: None,
            rejections: BTreeMap::new(),
        };
        self.details.insert(id, details);
        Ok(id)
    }

    /// `POST /payment_details`.
    pub(crate) fn create_details(&mut self, new: NewDetails) -> Result<Value, Fail> {
        if new.payment_method_id.0 == 0 {
            return Err(Fail::invalid("paymentMethodId must be positive"));
        }
        let active = new.active.unwrap_or(true);
        let id = self.store_details(
            new.customer_id.0,
            new.payment_method_id.0,
            &new.token,
            new.payment_method_specific_params,
            active,
        )?;
        if active {
            self.move_over(new.customer_id.0, id);
        }
        self.read_details(id)
    }

    pub(crate) fn read_details(&self, id: u64) -> Result<Value, Fail> {
        match self.details.get(&id) {
            Some(details) => Ok(wrapped(self.show_details(details))),
            None => Err(Fail::not_found("Payment details", id)),
        }
    }

    /// `PATCH /payment_details/{id}`. The connector hears of it when they are switched off, not when they are off already.
    pub(crate) fn switch_details(
        &mut self,
        desk: &Desk,
        id: u64,
        active: bool,
    ) -> Result<Value, Fail> {
        let Some(details) = self.details.get_mut(&id) else {
            return Err(Fail::not_found("Payment details", id));
        };
        let (was, customer_id) = (details.active, details.customer_id);
        details.active = active;
        if was && !active {
            self.announce_deactivation(desk, id);
            let newest = self
                .details
                .values()
                .rfind(|found| found.customer_id == customer_id && found.active);
            if let Some(newest) = newest.map(|found| found.id) {
                self.move_over(customer_id, newest);
            }
        }
        self.read_details(id)
    }

    /// `DELETE /payment_details/{id}`. Subscriptions that have them do not renew until they get others.
    pub(crate) fn delete_details(&mut self, id: u64) -> Result<Value, Fail> {
        if self.details.remove(&id).is_none() {
            return Err(Fail::not_found("Payment details", id));
        }
        let attached: Vec<_> = self
            .subscriptions
            .values()
            .filter(|found| found.details_id == Some(id))
            .cloned()
            .collect();
        for mut subscription in attached {
            subscription.details_id = None;
            self.keep(subscription);
        }
        Ok(json!({ "success": true, "message": "" }))
    }

    /// `PATCH /payment_details/{id}/attemptRestrictions`. What Cleeng does with them is not published: they are kept and shown.
    pub(crate) fn restrict_details(
        &mut self,
        id: u64,
        restriction: Restriction,
    ) -> Result<Value, Fail> {
        let Some(details) = self.details.get_mut(&id) else {
            return Err(Fail::not_found("Payment details", id));
        };
        match restriction {
            Restriction::To(at) => details.restricted_to = at,
            Restriction::Rejections(months) => details.rejections = months,
        }
        self.read_details(id)
    }

    /// Active details are used for renewals, says the page, and not which: here a customer's only subscription takes them;
    /// of several those whose own are off or gone, as the others are attached one by one (`PATCH /subscriptions/{id}`).
    fn move_over(&mut self, customer_id: u64, id: u64) {
        let is_alive = |standing: Standing| {
            matches!(
                standing,
                Standing::Active | Standing::Stopped | Standing::Paused
            )
        };
        let own: Vec<_> = self
            .subscriptions
            .values()
            .filter(|found| {
                found.customer_id == customer_id
                    && found.manager == Manager::Cleeng
                    && is_alive(found.standing)
            })
            .cloned()
            .collect();
        let is_only = own.len() == 1;
        for mut subscription in own {
            let details = subscription.details_id.and_then(|id| self.details.get(&id));
            let has_active = details.is_some_and(|details| details.active);
            if (is_only || !has_active) && self.attach(&mut subscription, id).is_ok() {
                self.keep(subscription);
            }
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
            "attemptRestrictions": {
                "attemptRestrictedTo": details.restricted_to,
                "attemptRejections": details.rejections,
            },
        })
    }
}

pub(crate) fn wrapped(data: Value) -> Value {
    json!({ "success": true, "message": "", "data": data })
}
