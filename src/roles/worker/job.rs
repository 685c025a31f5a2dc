//! What a message asks a worker to do about a payment.

use std::time::Duration;

use super::Worker;
use crate::broker::{Delivery, Verdict};
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::ids::{GatewayName, GatewayRef, PaymentId};
use crate::domain::message::{About, Body, Envelope};
use crate::domain::money_back::plan::Errand;
use crate::domain::plan::Trigger;
use crate::roles::trace_of;
use crate::telemetry::chain::error_chain;
use crate::telemetry::trace::TraceContext;

/// One delivery's errand.
pub(super) struct Job {
    pub(super) payment_id: PaymentId,
    pub(super) trigger: Trigger,
    /// How often it has failed before, and for how long: these choose the next delay.
    pub(super) failures: u32,
    pub(super) age: Duration,
    pub(super) max_age: Duration,
    pub(super) trace: Option<TraceContext>,
    /// An earlier run of this delivery may have got as far as its commit.
    pub(super) redelivered: bool,
}

impl Worker {
    /// What the message asks for; nothing when it is about no payment of ours.
    pub(super) async fn job(
        &self,
        envelope: &Envelope,
        delivery: &Delivery,
    ) -> Result<Option<Job>, Verdict> {
        let (payment_id, trigger, max_age) = match &envelope.body {
            Body::Charge { payment_id } => (*payment_id, Trigger::Charge, self.limits.max_age),
            Body::Continue { payment_id } => (*payment_id, Trigger::Continue, self.limits.max_age),
            Body::Recheck { payment_id } => (*payment_id, Trigger::Sweep, self.limits.max_age),
            Body::Capture { payment_id } => (*payment_id, Trigger::Capture, self.limits.max_age),
            Body::Void { payment_id } => (*payment_id, Trigger::Void, self.limits.max_age),
            Body::Refund {
                payment_id,
                refund_id,
            } => (
                *payment_id,
                Trigger::MoneyBack(Errand::Refund(*refund_id)),
                self.limits.max_age,
            ),
            Body::GatewayEvent {
                gateway,
                about,
                reference,
                payment_id,
                ..
            } => {
                let found = self.payment_of(gateway, reference, *payment_id).await?;
                let Some(payment_id) = found else {
                    return Ok(None);
                };
                let trigger = event_trigger(*about, reference);
                (payment_id, trigger, self.limits.event_max_age)
            }
            Body::Confirm { .. } | Body::Answer { .. } | Body::Demand { .. } => {
                return Err(Verdict::park(
                    DeadReason::WrongQueue,
                    "a message of another kind among the commands",
                ));
            }
        };
        Ok(Some(Job {
            payment_id,
            trigger,
            failures: delivery.headers.failures,
            age: delivery.headers.age(clock::now()),
            max_age,
            trace: trace_of(delivery),
            redelivered: delivery.redelivered || delivery.headers.replayed > 0,
        }))
    }

    /// The payment that a gateway's object belongs to: by the object's id, else by our id that it carries.
    async fn payment_of(
        &self,
        gateway: &GatewayName,
        reference: &GatewayRef,
        carried: Option<PaymentId>,
    ) -> Result<Option<PaymentId>, Verdict> {
        let found = self.ledger.by_reference(gateway, reference).await;
        match found {
            Ok(found) => Ok(found.or(carried)),
            Err(cause) => Err(Verdict::Hold {
                error: error_chain(&cause),
            }),
        }
    }
}

/// Why a gateway's answer was asked for, for the history of the payment.
pub(super) fn occasion(trigger: &Trigger) -> Option<&'static str> {
    match trigger {
        Trigger::Charge => None,
        Trigger::Continue => Some("the payer came back"),
        Trigger::Sweep => Some("the sweep looked again"),
        Trigger::Capture => Some("it was to be captured"),
        Trigger::Void => Some("it was to be given up"),
        Trigger::Event(_) | Trigger::MoneyBack(Errand::ReadRefunds | Errand::ReadDisputes) => {
            Some("the gateway sent an event")
        }
        Trigger::MoneyBack(Errand::Refund(_)) => Some("money was to be given back"),
    }
}

/// The detail of an entry that tells a gateway's answer, with why it was asked for.
pub(super) fn told(kind: &str, detail: Option<String>, occasion: Option<&str>) -> Option<String> {
    let is_answer = matches!(kind, "outcome" | "answer" | "money_back");
    match (occasion.filter(|_| is_answer), detail) {
        (Some(occasion), Some(detail)) => Some(format!("{detail}, when {occasion}")),
        (Some(occasion), None) => Some(format!("when {occasion}")),
        (None, detail) => detail,
    }
}

/// What an event is a reason to read.
fn event_trigger(about: About, reference: &GatewayRef) -> Trigger {
    match about {
        About::Payment | About::Saving => Trigger::Event(reference.clone()),
        About::Refunds => Trigger::MoneyBack(Errand::ReadRefunds),
        About::Disputes => Trigger::MoneyBack(Errand::ReadDisputes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_it_was_asked_for_and_nothing_else_does() {
        let event = occasion(&Trigger::Event(GatewayRef("pi_1".to_owned())));
        let captured = || Some("captured".to_owned());
        assert_eq!(
            told("outcome", captured(), event).unwrap(),
            "captured, when the gateway sent an event"
        );
        assert_eq!(
            told("money_back", None, event).unwrap(),
            "when the gateway sent an event"
        );
        assert_eq!(told("unknown", captured(), event), captured());
        assert_eq!(
            told("outcome", captured(), occasion(&Trigger::Charge)),
            captured()
        );
    }
}
