//! Externally managed: payments without an order, the subscriptions they pay for.

use serde_json::{Value, json};

use super::fail::Fail;
use super::money;
use super::order::is_offer;
use super::payment::{Payment, Sale, Status, filled, wrapped};
use super::subscription::{Manager, Phase, Standing, Subscription};
use super::wire::{self, Id, NewExternalPayment, NewSubscription, Renewal};
use super::world::{Desk, World};

impl World {
    /// `POST /payments` without an order.
    ///
    /// # Errors
    /// A field is missing or makes no sense (400), or does not fit what is there (422).
    pub(crate) fn record_external(
        &mut self,
        desk: &Desk,
        new: NewExternalPayment,
    ) -> Result<Value, Fail> {
        let status = match new.status.as_str() {
            "captured" => Status::Captured,
            "rejected" => Status::Rejected,
            _ => return Err(Fail::invalid("status value is invalid")),
        };
        let has_reason = filled(new.rejected_reason.as_deref());
        if has_reason && status == Status::Captured {
            return Err(Fail::invalid("rejectedReason belongs to rejected payments"));
        }
        if new.external_payment_id.is_empty() {
            return Err(Fail::invalid("externalPaymentId is required"));
        }
        let sale = sale(&new)?;
        self.external_method(desk, new.payment_method_id.0)?;
        let subscription_id = new.subscription_id.map(|id| id.0);
        if subscription_id.is_some_and(|id| !self.subscriptions.contains_key(&id)) {
            return Err(Fail::unprocessable("Subscription not found"));
        }
        let operation = match subscription_id {
            Some(_) => "recurring-payment",
            None => "initial-payment",
        };
        let payment = Payment {
            id: self.next(),
            order_id: None,
            sale,
            status,
            operation: operation.to_owned(),
            external_id: new.external_payment_id,
            rejected_reason: new.rejected_reason,
            refunded_reason: None,
            details_id: None,
            subscription_id,
            refunded: 0,
            refunds: Vec::new(),
            history: vec![status.name()],
            created: desk.seconds(),
        };
        let shown = self.show_payment(&payment);
        self.payments.insert(payment.id, payment);
        Ok(wrapped("Payment created successfully", shown))
    }

    /// `POST /subscriptions`.
    ///
    /// # Errors
    /// A field makes no sense (400), or offer, payment or external id do not fit (422).
    pub(crate) fn create_subscription(
        &mut self,
        desk: &Desk,
        new: NewSubscription,
    ) -> Result<Value, Fail> {
        let paid = self.check_subscription(desk, &new)?;
        let method = new.payment_method_id.0;
        let id = self.next();
        let now = desk.seconds();
        let offer = self.offer(&new.offer_id);
        let to = new.expires_at.unwrap_or_else(|| offer.cycle.after(now, 1));
        let subscription = Subscription {
            id,
            customer_id: new.customer_id.0,
            offer_id: new.offer_id,
            details_id: None,
            payment_method_id: Some(method),
            country: None,
            standing: Standing::Active,
            from: now,
            to,
            price: offer.price,
            currency: "USD".to_owned(),
            cycle: offer.cycle,
            anchor: now,
            completed: 1,
            phase: match new.in_trial {
                Some(true) => Phase::Trial,
                Some(false) | None => Phase::Paid,
            },
            coupon: None,
            properties: new.external_properties.unwrap_or(Value::Null),
            latest_external_id: paid,
            manager: Manager::External {
                external_id: new.external_id,
                auto_terminate: self.terminates(method),
            },
            termination: None,
            round: self.dunning(None, offer.cycle).round(now, to),
            reports: 0,
            planned: None,
        };
        self.keep(subscription);
        let shown = self.read_subscription(desk, id)?;
        Ok(json!({ "success": true, "subscription": shown, "message": "" }))
    }

    /// The gateway's id of the payment it is paid by, if one is named.
    fn check_subscription(
        &self,
        desk: &Desk,
        new: &NewSubscription,
    ) -> Result<Option<String>, Fail> {
        wire::external_id(&new.external_id)?;
        let method = new.payment_method_id.0;
        self.external_method(desk, method)?;
        if !new.offer_id.starts_with('S') || !is_offer(&new.offer_id) {
            return Err(Fail::unprocessable("the offer is not a subscription"));
        }
        if new.expires_at.is_some_and(|at| at <= 0) {
            return Err(Fail::invalid("expiresAt value is invalid"));
        }
        let is_taken = |had: &Subscription| {
            had.standing == Standing::Active
                && had.payment_method_id == Some(method)
                && matches!(&had.manager, Manager::External { external_id, .. } if *external_id == new.external_id)
        };
        if self.subscriptions.values().any(is_taken) {
            return Err(Fail::unprocessable(
                "a subscription with this externalId is active already",
            ));
        }
        self.paid_by(new.payment_id, method)
    }

    /// `POST /subscriptions/{id}/renew`.
    ///
    /// # Errors
    /// The new end makes no sense (400), unknown (404), or it is not externally managed, or ended (422).
    pub(crate) fn renew(&mut self, desk: &Desk, id: u64, renewal: Renewal) -> Result<Value, Fail> {
        let mut subscription = self.subscription(id)?.clone();
        if subscription.manager == Manager::Cleeng {
            return Err(Fail::unprocessable(
                "Subscription is not externally managed",
            ));
        }
        if subscription.standing == Standing::Terminated {
            return Err(Fail::unprocessable("Subscription is terminated"));
        }
        let method = subscription.payment_method_id.unwrap_or_default();
        if let Some(paid) = self.paid_by(renewal.payment_id, method)? {
            subscription.latest_external_id = Some(paid);
        }
        let to = match renewal.expires_at {
            Some(at) if at <= desk.seconds() => {
                return Err(Fail::invalid("expiresAt value is invalid"));
            }
            Some(at) => at,
            None => subscription.cycle.after(subscription.to, 1),
        };
        subscription.to = to;
        subscription.completed = subscription.completed.saturating_add(1);
        if renewal.convert_trial == Some(true) {
            subscription.phase = Phase::Paid;
        }
        self.keep(subscription);
        self.read_subscription(desk, id)
    }

    /// The gateway's id of the payment that is named; it must be captured, and of the same payment method.
    pub(crate) fn paid_by(&self, payment: Option<Id>, method: u64) -> Result<Option<String>, Fail> {
        let Some(Id(id)) = payment else {
            return Ok(None);
        };
        match self.payments.get(&id) {
            Some(payment)
                if payment.sale.payment_method_id == Some(method)
                    && payment.status == Status::Captured =>
            {
                Ok(Some(payment.external_id.clone()))
            }
            Some(_) => Err(Fail::unprocessable(
                "the payment is not captured, or of another payment method",
            )),
            None => Err(Fail::unprocessable(format!(
                "Payment with id: {id} not found"
            ))),
        }
    }
}

fn sale(new: &NewExternalPayment) -> Result<Sale, Fail> {
    if !is_offer(&new.offer_id) {
        return Err(Fail::invalid("offerId value is invalid"));
    }
    if !wire::is_currency(&new.currency) {
        return Err(Fail::invalid("currency value is invalid"));
    }
    if new
        .country
        .as_ref()
        .is_some_and(|country| country.len() != 2)
    {
        return Err(Fail::invalid("country value is invalid"));
    }
    let net = money::minor(new.net_amount.get(), &new.currency)
        .ok_or_else(|| Fail::invalid("netAmount value is invalid"))?;
    let tax = match new.tax_amount.get() {
        "null" => 0,
        text => money::minor(text, &new.currency)
            .ok_or_else(|| Fail::invalid("taxAmount value is invalid"))?,
    };
    Ok(Sale {
        customer_id: new.customer_id.0,
        offer_id: new.offer_id.clone(),
        total: net.saturating_add(tax),
        tax,
        currency: new.currency.clone(),
        country: new.country.clone(),
        payment_method_id: Some(new.payment_method_id.0),
        coupon: None,
    })
}
