//! Passes: access for a while, that nothing renews.

use serde_json::{Value, json};

use super::calendar::Cycle;
use super::fail::Fail;
use super::payment::Payment;
use super::wire::{self, NewPass, PassChange};
use super::world::{Desk, World};

/// The longest `externalProperties`, written as JSON.
const PROPERTIES: usize = 4000;

/// A pass.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) from: i64,
    /// Nothing: evergreen.
    pub(crate) to: Option<i64>,
    pub(crate) external_id: Option<String>,
    pub(crate) properties: Value,
    pub(crate) latest_external_id: Option<String>,
}

impl World {
    pub(crate) fn open_pass(&mut self, desk: &Desk, order_id: u64, payment: &Payment) {
        let id = self.next();
        let sale = &payment.sale;
        let pass = Pass {
            id,
            customer_id: sale.customer_id,
            offer_id: sale.offer_id.clone(),
            payment_method_id: sale.payment_method_id,
            from: desk.seconds(),
            to: Some(Cycle::Monthly.after(desk.seconds(), 1)),
            external_id: None,
            properties: Value::Null,
            latest_external_id: Some(payment.external_id.clone()),
        };
        self.granted.insert(order_id, id);
        self.passes.insert(id, pass);
    }

    pub(crate) fn read_pass(&self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        match self.passes.get(&id) {
            Some(pass) => Ok(show(pass, desk)),
            None => Err(Fail::not_found("Pass", id)),
        }
    }

    /// `POST /passes`.
    ///
    /// # Errors
    /// A field makes no sense (400), or offer, payment or external id do not fit (422).
    pub(crate) fn create_pass(&mut self, desk: &Desk, new: NewPass) -> Result<Value, Fail> {
        wire::external_id(&new.external_id)?;
        let properties = properties(new.external_properties)?;
        let method = new.payment_method_id.0;
        self.external_method(desk, method)?;
        if !new.offer_id.starts_with('P') || !super::order::is_offer(&new.offer_id) {
            return Err(Fail::unprocessable("the offer is not a pass"));
        }
        let paid = self.paid_by(new.payment_id, method)?;
        let is_taken = |pass: &Pass| {
            pass.external_id.as_ref() == Some(&new.external_id)
                && pass.payment_method_id == Some(method)
                && pass.to.is_none_or(|to| to > desk.seconds())
        };
        if self.passes.values().any(is_taken) {
            return Err(Fail::unprocessable(
                "a pass with this externalId is active already",
            ));
        }
        let id = self.next();
        let pass = Pass {
            id,
            customer_id: new.customer_id.0,
            offer_id: new.offer_id,
            payment_method_id: Some(method),
            from: desk.seconds(),
            to: new.expires_at,
            external_id: Some(new.external_id),
            properties,
            latest_external_id: paid,
        };
        let shown = show(&pass, desk);
        self.passes.insert(id, pass);
        Ok(json!({ "success": true, "message": "", "pass": shown }))
    }

    /// `PATCH /passes/{id}`: its fields are taken to be the subscription's; nothing about them is published.
    pub(crate) fn change_pass(
        &mut self,
        desk: &Desk,
        id: u64,
        change: PassChange,
    ) -> Result<Value, Fail> {
        let pass = self.pass(id)?;
        match (change.expires_at, change.external_properties) {
            (Some(at), None) => pass.to = Some(at),
            (None, Some(changed)) => pass.properties = properties(Some(changed))?,
            (None, None) | (Some(_), Some(_)) => {
                return Err(Fail::invalid("exactly one parameter is taken"));
            }
        }
        self.read_pass(desk, id)
    }

    /// `POST /passes/{id}/terminate`.
    pub(crate) fn terminate_pass(&mut self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        let now = desk.seconds();
        let pass = self.pass(id)?;
        if pass.to.is_some_and(|to| to <= now) {
            return Err(Fail::unprocessable("Pass is already terminated"));
        }
        pass.to = Some(now);
        self.read_pass(desk, id)
    }

    /// `POST /passes/{id}/transfer`.
    pub(crate) fn transfer_pass(
        &mut self,
        desk: &Desk,
        id: u64,
        customer_id: u64,
    ) -> Result<Value, Fail> {
        self.pass(id)?.customer_id = customer_id;
        self.read_pass(desk, id)
    }

    fn pass(&mut self, id: u64) -> Result<&mut Pass, Fail> {
        self.passes
            .get_mut(&id)
            .ok_or_else(|| Fail::not_found("Pass", id))
    }
}

pub(crate) fn show(pass: &Pass, desk: &Desk) -> Value {
    json!({
        "passId": pass.id,
        "publisherId": desk.publisher_id,
        "customerId": pass.customer_id,
        "offerId": pass.offer_id,
        "dateFrom": pass.from,
        "expiresAt": pass.to,
        "paymentMethodId": pass.payment_method_id,
        "externalId": pass.external_id,
        "isExternallyManaged": pass.external_id.is_some(),
        "externalProperties": pass.properties,
        "latestPaymentExternalId": pass.latest_external_id,
    })
}

fn properties(given: Option<Value>) -> Result<Value, Fail> {
    let given = given.unwrap_or(Value::Null);
    if given.to_string().len() > PROPERTIES {
        return Err(Fail::invalid("externalProperties value is too long"));
    }
    Ok(given)
}
