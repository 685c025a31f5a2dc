//! What Cleeng's webhooks are about, and their bodies: always publisher, topic and data, never an id or a time of their own.

use serde_json::{Value, json};

use super::access::email;
use super::dunning::{End, Held, Mode, Step};
use super::letter::{Awaits, News};
use super::money;
use super::payment::Payment;
use super::subscription::{Standing, Subscription};
use super::world::{Desk, World};
use crate::domain::moment::Moment;

/// The topics that are simulated: those a connector must take, and `transactionCreated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Authorisation,
    Capture,
    Termination,
    Refund,
    CapturePayment,
    Deactivated,
    Transaction,
}

impl Topic {
    /// What every connector has to take.
    pub(crate) const REQUIRED: [Topic; 6] = [
        Topic::Authorisation,
        Topic::Capture,
        Topic::Termination,
        Topic::Refund,
        Topic::CapturePayment,
        Topic::Deactivated,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Topic::Authorisation => "subscriptionReadyForPaymentAuthorisation",
            Topic::Capture => "subscriptionReadyForPaymentCapture",
            Topic::Termination => "subscriptionReadyForTermination",
            Topic::Refund => "refundPayment",
            Topic::CapturePayment => "capturePayment",
            Topic::Deactivated => "paymentDetailsDeactivated",
            Topic::Transaction => "transactionCreated",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Topic::REQUIRED
            .into_iter()
            .chain([Topic::Transaction])
            .find(|topic| topic.name() == name)
    }
}

impl World {
    /// The moment of the subscription's next step has come.
    pub(crate) fn fire(&mut self, desk: &Desk, id: u64) {
        let Some(mut subscription) = self.subscriptions.get(&id).cloned() else {
            return;
        };
        // Whatever was planned is off the agenda now.
        subscription.planned = None;
        let Some((at, step)) = self.next_step(&subscription) else {
            self.keep(subscription);
            return;
        };
        if at > desk.seconds() {
            self.keep(subscription);
            return;
        }
        let rule = self.dunning(subscription.payment_method_id, subscription.cycle);
        let tried = rule.tried(subscription.round, desk.seconds(), subscription.to);
        let is_direct = rule.mode == Mode::Direct;
        let awaits = Awaits::Report {
            subscription: id,
            beyond: subscription.reports,
        };
        match step {
            Step::Authorise => {
                let data = self.renewal(&subscription, at, "authorize");
                self.announce(desk, News::new(Topic::Authorisation, id, data, awaits));
                subscription.round.tried = tried;
            }
            Step::Capture => {
                let data = self.renewal(&subscription, at, "capture");
                self.announce(desk, News::new(Topic::Capture, id, data, awaits));
                match subscription.round.held {
                    Held::Authorised(payment) => {
                        subscription.round.held = Held::CaptureAsked(payment);
                    }
                    Held::Nothing if is_direct => subscription.round.tried = tried,
                    Held::Nothing | Held::CaptureAsked(_) => {}
                }
            }
            Step::Terminate => {
                let data = self.ending(&subscription);
                let awaits = Awaits::Termination(id);
                self.announce(desk, News::new(Topic::Termination, id, data, awaits));
                subscription.round.end = End::Announced;
            }
            Step::Expire => subscription.standing = Standing::Terminated,
        }
        self.keep(subscription);
    }

    /// Both dunning topics. As in the published samples, the id is text in one of them and a number in the other.
    pub(crate) fn renewal(&self, subscription: &Subscription, at: i64, status: &str) -> Value {
        let details = subscription.details_id.and_then(|id| self.details.get(&id));
        let id = match status {
            "authorize" => json!(subscription.id.to_string()),
            _ => json!(subscription.id),
        };
        json!({
            "subscriptionId": id,
            "offerId": subscription.offer_id,
            "customerId": subscription.customer_id,
            "customerEmail": email(subscription.customer_id),
            "paymentDetailsId": subscription.details_id,
            "active": details.is_some_and(|details| details.active),
            "dunningAttemptDate": iso(at),
            "dunningStatus": status,
            "expirationDate": iso(subscription.to),
            "currency": subscription.currency,
            "paymentCountry": subscription.country,
            "paymentMethodId": subscription.payment_method_id,
            "token": details.map(|details| details.token.as_str()),
            "paymentGateway": "connector",
        })
    }

    /// The payload is not published, but said to carry everything that is needed.
    fn ending(&self, subscription: &Subscription) -> Value {
        let details = subscription.details_id.and_then(|id| self.details.get(&id));
        json!({
            "subscriptionId": subscription.id,
            "offerId": subscription.offer_id,
            "customerId": subscription.customer_id,
            "customerEmail": email(subscription.customer_id),
            "paymentDetailsId": subscription.details_id,
            "expirationDate": iso(subscription.to),
            "paymentMethodId": subscription.payment_method_id,
            "token": details.map(|details| details.token.as_str()),
            "paymentGateway": "connector",
        })
    }

    /// Payment details were switched off: whoever holds the token cleans up.
    pub(crate) fn announce_deactivation(&mut self, desk: &Desk, id: u64) {
        let Some(details) = self.details.get(&id) else {
            return;
        };
        let data = json!({
            "paymentDetailsId": details.id,
            "customerId": details.customer_id,
            "customerEmail": email(details.customer_id),
            "token": details.token,
            "paymentMethodId": details.payment_method_id,
            "paymentGateway": "connector",
            "active": false,
        });
        let awaits = Awaits::Released(id);
        self.announce(desk, News::new(Topic::Deactivated, id, data, awaits));
    }

    /// A captured payment, for whoever keeps books. Sent only where it was subscribed to.
    pub(crate) fn announce_transaction(&mut self, desk: &Desk, payment: &Payment) {
        if !self.is_heard(Topic::Transaction) {
            return;
        }
        let sale = &payment.sale;
        let data = json!({
            "transactionId": format!("T{}", payment.id),
            "paymentId": payment.id,
            "offerId": sale.offer_id,
            "customerId": sale.customer_id,
            "customerEmail": email(sale.customer_id),
            "transactionCountry": sale.country,
            "transactionCurrency": sale.currency,
            "transactionDate": desk.seconds(),
            "transactionPriceExclTax": money::decimal(sale.total.saturating_sub(sale.tax), &sale.currency),
            "transactionPriceInclTax": money::decimal(sale.total, &sale.currency),
            "applicableTax": money::decimal(sale.tax, &sale.currency),
            "externalData": payment.external_id,
            "paymentMethodId": sale.payment_method_id,
            "paymentGateway": "connector",
        });
        self.announce(
            desk,
            News::new(Topic::Transaction, payment.id, data, Awaits::Nothing),
        );
    }
}

/// About one payment: `refundPayment` and `capturePayment`, whose payloads are not published.
pub(crate) fn about(payment: &Payment, amount: i64, refund_id: Option<&str>) -> Value {
    let mut data = json!({
        "paymentId": payment.id,
        "orderId": payment.order_id,
        "externalPaymentId": payment.external_id,
        "amount": money::decimal(amount, &payment.sale.currency),
        "currency": payment.sale.currency,
        "customerId": payment.sale.customer_id,
        "offerId": payment.sale.offer_id,
        "subscriptionId": payment.subscription_id,
        "paymentOperation": payment.operation,
        "paymentMethodId": payment.sale.payment_method_id,
        "paymentDetailsId": payment.details_id,
        "paymentGateway": "connector",
    });
    if let (Some(fields), Some(id)) = (data.as_object_mut(), refund_id) {
        fields.insert("refundId".to_owned(), json!(id));
    }
    data
}

/// `2019-11-04T19:55:41Z`.
fn iso(seconds: i64) -> String {
    Moment::from_unix_seconds(seconds).rfc3339()
}
