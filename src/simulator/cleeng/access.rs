//! What a captured payment gives the customer: a subscription or a pass, and how to read them.

use serde_json::{Value, json};

use super::details::wrapped;
use super::fail::Fail;
use super::order::Order;
use super::payment::Payment;
use super::world::{Desk, World};

/// Every simulated subscription is monthly.
const PERIOD_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) order_id: u64,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) details_id: Option<u64>,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) country: String,
    pub(crate) status: &'static str,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) latest_external_id: String,
}

/// A pass.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) latest_external_id: String,
}

impl World {
    /// The payment is captured: a first one opens access, a renewal extends it.
    pub(crate) fn grant(&mut self, desk: &Desk, order: &Order, payment: &Payment) {
        if let Some(id) = payment.subscription_id {
            if let Some(subscription) = self.subscriptions.get_mut(&id) {
                subscription.to = subscription.to.saturating_add(PERIOD_SECONDS);
                subscription.details_id = payment.details_id.or(subscription.details_id);
                subscription
                    .latest_external_id
                    .clone_from(&payment.external_id);
            }
            return;
        }
        match order.offer_id.chars().next() {
            Some('S') => self.open_subscription(desk, order, payment),
            Some('P') => self.open_pass(desk, order, payment),
            // Events, singles and rentals have no resource that could be read here.
            Some(_) | None => {}
        }
    }

    /// One order gives one subscription, however often its payment is recorded.
    fn open_subscription(&mut self, desk: &Desk, order: &Order, payment: &Payment) {
        let open = self.granted.get(&order.id);
        if let Some(subscription) = open.and_then(|id| self.subscriptions.get_mut(id)) {
            subscription
                .latest_external_id
                .clone_from(&payment.external_id);
            return;
        }
        let id = self.next();
        let subscription = Subscription {
            id,
            order_id: order.id,
            customer_id: order.customer_id,
            offer_id: order.offer_id.clone(),
            details_id: payment.details_id,
            payment_method_id: order.payment_method_id,
            country: order.country.clone(),
            status: "active",
            from: desk.seconds(),
            to: desk.seconds().saturating_add(PERIOD_SECONDS),
            latest_external_id: payment.external_id.clone(),
        };
        self.granted.insert(order.id, id);
        self.subscriptions.insert(id, subscription);
    }

    fn open_pass(&mut self, desk: &Desk, order: &Order, payment: &Payment) {
        let open = self.granted.get(&order.id);
        if let Some(pass) = open.and_then(|id| self.passes.get_mut(id)) {
            pass.latest_external_id.clone_from(&payment.external_id);
            return;
        }
        let id = self.next();
        let pass = Pass {
            id,
            customer_id: order.customer_id,
            offer_id: order.offer_id.clone(),
            payment_method_id: order.payment_method_id,
            from: desk.seconds(),
            to: desk.seconds().saturating_add(PERIOD_SECONDS),
            latest_external_id: payment.external_id.clone(),
        };
        self.granted.insert(order.id, id);
        self.passes.insert(id, pass);
    }

    pub(crate) fn read_subscription(&self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        match self.subscriptions.get(&id) {
            Some(subscription) => Ok(show_subscription(subscription, desk)),
            None => Err(Fail::not_found("Subscription", id)),
        }
    }

    pub(crate) fn read_pass(&self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        match self.passes.get(&id) {
            Some(pass) => Ok(show_pass(pass, desk)),
            None => Err(Fail::not_found("Pass", id)),
        }
    }

    /// # Errors
    /// There is no such subscription (404), or it is terminated already (422).
    pub(crate) fn terminate(&mut self, desk: &Desk, id: u64, kind: &str) -> Result<Value, Fail> {
        let kinds = [
            "paymentCancel",
            "userCancel",
            "publisherCancel",
            "policyViolation",
        ];
        if !kinds.contains(&kind) {
            return Err(Fail::invalid("terminationType value is invalid"));
        }
        match self.subscriptions.get_mut(&id) {
            None => return Err(Fail::not_found("Subscription", id)),
            Some(subscription) if subscription.status == "terminated" => {
                return Err(Fail::unprocessable("Subscription is already terminated"));
            }
            Some(subscription) => {
                subscription.status = "terminated";
                subscription.to = desk.seconds();
            }
        }
        self.read_subscription(desk, id)
    }

    /// `GET /subscriptions?customerId&offerId&limit&offset`.
    pub(crate) fn list_subscriptions(&self, desk: &Desk, filter: &Filter) -> Value {
        let found = self
            .subscriptions
            .values()
            .filter(|found| {
                filter.takes(found.customer_id, &found.offer_id, found.payment_method_id)
            })
            .map(|found| show_subscription(found, desk));
        wrapped(Value::Array(filter.page(found)))
    }

    /// `GET /passes?customerId&offerId&limit&offset`.
    pub(crate) fn list_passes(&self, desk: &Desk, filter: &Filter) -> Value {
        let found = self
            .passes
            .values()
            .filter(|found| {
                filter.takes(found.customer_id, &found.offer_id, found.payment_method_id)
            })
            .map(|found| show_pass(found, desk));
        wrapped(Value::Array(filter.page(found)))
    }
}

/// What a list is narrowed down by.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) customer_id: Option<u64>,
    pub(crate) offer_id: Option<String>,
    pub(crate) payment_method_id: Option<u64>,
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

fn show_subscription(subscription: &Subscription, desk: &Desk) -> Value {
    json!({
        "subscriptionId": subscription.id,
        "paymentDetailsId": subscription.details_id,
        "publisherId": desk.publisher_id,
        "customerId": subscription.customer_id,
        "status": subscription.status,
        "dateFrom": subscription.from,
        "dateTo": subscription.to,
        "nextPaymentAction": "capture",
        "nextPaymentActionDate": subscription.to,
        "subscriptionExternalId": null,
        "offerId": subscription.offer_id,
        "paymentCountry": subscription.country,
        "ipAddress": null,
        "inTrial": false,
        "couponCode": null,
        "pendingSwitchId": null,
        "externalProperties": null,
        "paymentMethodId": subscription.payment_method_id,
        "isExternallyManaged": false,
        "latestPaymentExternalId": subscription.latest_external_id,
        "paymentGateway": "connector",
        "replacedBy": null,
        "originatedFrom": null,
        "renewalCycle": { "completed": 1, "unit": "month", "amount": 1 },
        "source": null,
        "pause": null,
    })
}

fn show_pass(pass: &Pass, desk: &Desk) -> Value {
    json!({
        "passId": pass.id,
        "publisherId": desk.publisher_id,
        "customerId": pass.customer_id,
        "offerId": pass.offer_id,
        "dateFrom": pass.from,
        "expiresAt": pass.to,
        "paymentMethodId": pass.payment_method_id,
        "isExternallyManaged": false,
        "externalProperties": null,
        "latestPaymentExternalId": pass.latest_external_id,
    })
}
