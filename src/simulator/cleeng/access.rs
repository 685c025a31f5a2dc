//! What a payment gives the customer: a first one opens a subscription or a pass, a renewal extends; and how to list them.

use serde_json::{Value, json};

use super::details::wrapped;
use super::offer::Trial;
use super::payment::{Payment, Status};
use super::subscription::{Manager, Phase, Standing, Subscription};
use super::world::{Desk, World};

impl World {
    /// The payment is recorded, or has changed: access follows.
    pub(crate) fn follow(&mut self, desk: &Desk, payment: &Payment) {
        if payment.status == Status::Captured {
            self.announce_transaction(desk, payment);
        }
        match (payment.subscription_id, payment.order_id) {
            (Some(id), Some(_)) => self.follow_renewal(desk, id, payment),
            (None, Some(order_id)) if payment.status == Status::Captured => {
                self.open(desk, order_id, payment);
            }
            // Externally managed access is opened and renewed by calls of its own.
            (_, _) => {}
        }
    }

    /// One order opens one thing, however often its payment is recorded.
    fn open(&mut self, desk: &Desk, order_id: u64, payment: &Payment) {
        if let Some(id) = self.granted.get(&order_id) {
            if let Some(subscription) = self.subscriptions.get_mut(id) {
                subscription.latest_external_id = Some(payment.external_id.clone());
            } else if let Some(pass) = self.passes.get_mut(id) {
                pass.latest_external_id = Some(payment.external_id.clone());
            }
            return;
        }
        match payment.sale.offer_id.chars().next() {
            Some('S') => self.open_subscription(desk, order_id, payment),
            Some('P') => self.open_pass(desk, order_id, payment),
            // Events, singles and rentals have no resource that could be read here.
            Some(_) | None => {}
        }
    }

    fn open_subscription(&mut self, desk: &Desk, order_id: u64, payment: &Payment) {
        let id = self.next();
        let now = desk.seconds();
        let sale = &payment.sale;
        let offer = self.offer(&sale.offer_id);
        let is_free = sale.total == 0;
        let cycle = offer.cycle;
        let (anchor, completed, phase) = match offer.trial {
            Trial::Of(seconds) if is_free => (now.saturating_add(seconds), 0, Phase::Trial),
            Trial::Of(_) | Trial::None => (now, 1, Phase::Paid),
        };
        let to = cycle.after(anchor, completed);
        let subscription = Subscription {
            id,
            customer_id: sale.customer_id,
            offer_id: sale.offer_id.clone(),
            details_id: payment.details_id,
            payment_method_id: sale.payment_method_id,
            country: sale.country.clone(),
            standing: Standing::Active,
            from: now,
            to,
            price: if is_free { offer.price } else { sale.total },
            currency: sale.currency.clone(),
            cycle,
            anchor,
            completed,
            phase,
            coupon: sale.coupon.clone(),
            properties: Value::Null,
            latest_external_id: Some(payment.external_id.clone()),
            manager: Manager::Cleeng,
            termination: None,
            round: self.dunning(sale.payment_method_id, cycle).round(now, to),
            reports: 0,
            planned: None,
        };
        self.granted.insert(order_id, id);
        self.keep(subscription);
    }

    /// `GET /subscriptions?customerId&offerId&paymentMethodId&externalId&transactionId&status[]&limit&offset`.
    pub(crate) fn list_subscriptions(&self, desk: &Desk, filter: &Filter) -> Value {
        let transaction = filter
            .transaction
            .map(|payment| self.subscription_of(payment));
        let takes = |found: &&Subscription| {
            let external = match &found.manager {
                Manager::Cleeng => None,
                Manager::External { external_id, .. } => Some(external_id),
            };
            filter.takes(found.customer_id, &found.offer_id, found.payment_method_id)
                && (filter.external_id.is_none() || filter.external_id.as_ref() == external)
                && transaction.is_none_or(|id| id == Some(found.id))
                && (filter.statuses.is_empty()
                    || filter
                        .statuses
                        .iter()
                        .any(|status| status == found.standing.name()))
        };
        let found = self
            .subscriptions
            .values()
            .filter(takes)
            .map(|found| self.show_subscription(found, desk));
        wrapped(Value::Array(filter.page(found)))
    }

    /// The subscription that this payment opened or renewed.
    pub(crate) fn subscription_of(&self, payment: u64) -> Option<u64> {
        let payment = self.payments.get(&payment)?;
        let opened = || self.granted.get(&payment.order_id?).copied();
        payment.subscription_id.or_else(opened)
    }

    /// `GET /passes?customerId&offerId&limit&offset`.
    pub(crate) fn list_passes(&self, desk: &Desk, filter: &Filter) -> Value {
        let found = self
            .passes
            .values()
            .filter(|found| {
                filter.takes(found.customer_id, &found.offer_id, found.payment_method_id)
            })
            .map(|found| super::pass::show(found, desk));
        wrapped(Value::Array(filter.page(found)))
    }

    /// `GET /customers/{id}`: a customer is whoever has an order, an access or a token. Its fields are not published.
    ///
    /// # Errors
    /// Nobody of that id was ever here (404).
    pub(crate) fn read_customer(&self, desk: &Desk, id: u64) -> Result<Value, super::fail::Fail> {
        if !self.knows_customer(id) {
            return Err(super::fail::Fail::new(404, "Customer not found").without_data());
        }
        Ok(wrapped(json!({
            "id": id,
            "publisherId": desk.publisher_id,
            "email": email(id),
            "locale": "en_US",
        })))
    }

    pub(crate) fn knows_customer(&self, id: u64) -> bool {
        self.orders.values().any(|order| order.customer_id == id)
            || self.details.values().any(|found| found.customer_id == id)
            || self
                .subscriptions
                .values()
                .any(|found| found.customer_id == id)
            || self.passes.values().any(|found| found.customer_id == id)
    }
}

/// What a list is narrowed down by.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) customer_id: Option<u64>,
    pub(crate) offer_id: Option<String>,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) external_id: Option<String>,
    /// The payment's id in `T123456789`.
    pub(crate) transaction: Option<u64>,
    pub(crate) statuses: Vec<String>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Filter {
    fn takes(&self, customer_id: u64, offer_id: &str, method: Option<u64>) -> bool {
        self.customer_id.is_none_or(|id| id == customer_id)
            && self.offer_id.as_ref().is_none_or(|id| id == offer_id)
            && (self.payment_method_id.is_none() || self.payment_method_id == method)
    }

    fn page(&self, found: impl Iterator<Item = Value>) -> Vec<Value> {
        found.skip(self.offset).take(self.limit).collect()
    }
}

pub(crate) fn email(customer_id: u64) -> String {
    format!("payer{customer_id}@example.com")
}
