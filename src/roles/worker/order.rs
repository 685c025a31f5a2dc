//! Reading Cleeng's order, and the pure check whether it may be charged.

use std::time::Instant;

use tracing::warn;

use super::case::Case;
use super::{Flow, Interrupted, Job, Worker};
use crate::broker::Verdict;
use crate::cleeng::Order;
use crate::clock;
use crate::domain::dead::DeadReason;
use crate::domain::failure::CallError;
use crate::domain::moment::Moment;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::{Method, Operation, OrderFacts, Payment};
use crate::telemetry::labels::{CallerRefusal, CleengCall};
use crate::telemetry::spans;

/// What an order says about being charged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payable {
    Yes(OrderFacts),
    /// Its time is over.
    Expired,
    /// It is not one that this gateway may charge; the code says why.
    No(&'static str),
}

/// Whether `order` may be charged through the gateway that Cleeng knows as `method`, for publisher `publisher`.
pub(super) fn check(order: Order, method: u64, publisher: u64, now: Moment) -> Payable {
    if order.expires_at.is_some_and(|end| now >= end) {
        return Payable::Expired;
    }
    if order.publisher_id.is_some_and(|id| id != publisher) {
        return Payable::No("other_publisher");
    }
    // With a wrong method on the order Cleeng's recurring billing would not work, and nobody would see why.
    match order.payment_method_id {
        Some(id) if id == method => {}
        Some(_) => return Payable::No("payment_method_mismatch"),
        None => return Payable::No("payment_method_missing"),
    }
    if order.total.minor < 0 {
        return Payable::No("nothing_to_charge");
    }
    Payable::Yes(OrderFacts {
        amount: order.total,
        customer_id: order.customer_id,
        offer_id: order.offer_id,
        expires_at: order.expires_at,
    })
}

impl Worker {
    pub(super) async fn read_order(&self, job: &Job, case: &mut Case) -> Result<Flow, Interrupted> {
        let breaker = self.breakers.cleeng();
        let Some(call) = breaker.begin() else {
            return Ok(Flow::Stop(self.barred(job, &breaker)));
        };
        let started = Instant::now();
        let payment = &case.known.payment;
        let span = spans::cleeng(CleengCall::Order, Some(payment.id));
        let reading = Box::pin(self.cleeng.order(payment.order_id));
        let answer = spans::call(span, |_| "done", reading).await;
        call.ended(&answer);
        self.metrics
            .cleeng_took(CleengCall::Order, started.elapsed());
        match answer {
            // Whoever asks for another one's order is told what is told of one that does not exist.
            Ok(Some(order)) if !case.known.payment.may_be_for(order.customer_id) => {
                self.metrics.caller_refused(CallerRefusal::OthersOrder);
                Box::pin(self.refuse(case, invalid_order("unknown_order"))).await
            }
            Ok(Some(order)) => {
                let method = case.gateway().payment_method_id();
                match check(order, method, self.publisher_id, clock::now()) {
                    Payable::Yes(facts) => {
                        // Written together with the first attempt; a payment whose order was not written is read anew.
                        case.known.payment.order = Some(facts);
                        if case.known.payment.is_free() {
                            case.known.payment.operation = Operation::InitialFreeTransaction;
                        }
                        save_for_renewals(&mut case.known.payment);
                        end_with_order(&mut case.known.payment);
                        Ok(Flow::Again)
                    }
                    Payable::Expired => Box::pin(self.expire(case)).await,
                    Payable::No(code) => Box::pin(self.refuse(case, invalid_order(code))).await,
                }
            }
            Ok(None) => Box::pin(self.refuse(case, invalid_order("unknown_order"))).await,
            Err(CallError::Broken { code }) => Ok(Flow::Stop(Verdict::Hold {
                error: format!("Cleeng turned our publisher token away ({code})"),
            })),
            Err(CallError::Refused { code }) => {
                warn!(order.id = %case.known.payment.order_id, code, "Cleeng's order cannot be read");
                Box::pin(self.fail(case, DeadReason::OrderUnreadable)).await
            }
            Err(CallError::NotDone { retry_after, cause }) => {
                let error = format!("Cleeng's order could not be read: {cause}");
                let verdict = self.unanswered(job, &breaker, retry_after, &error);
                Ok(Flow::Stop(verdict))
            }
            Err(CallError::Unknown { cause }) => {
                let error = format!("Cleeng's order could not be read: {cause}");
                let verdict = self.unanswered(job, &breaker, None, &error);
                Ok(Flow::Stop(verdict))
            }
        }
    }
}

/// A subscription is renewed with a stored method, and Cleeng takes its payment only together with the token: it is saved
/// whatever the front end asked for. (Cleeng's offer ids begin with S for subscriptions.)
fn save_for_renewals(payment: &mut Payment) {
    let subscription = payment
        .order
        .as_ref()
        .is_some_and(|order| order.offer_id.starts_with('S'));
    if let Method::New { save, .. } = &mut payment.method {
        *save |= subscription;
    }
}

/// What is charged after the order's end Cleeng would not take any more.
fn end_with_order(payment: &mut Payment) {
    if let Some(end) = payment.order.as_ref().and_then(|order| order.expires_at) {
        payment.expires_at = payment.expires_at.min(end);
    }
}

pub(super) fn invalid_order(code: &str) -> Decline {
    Decline {
        class: DeclineClass::InvalidOrder,
        code: code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::OrderId;
    use crate::domain::money::Money;

    fn order() -> Order {
        Order {
            id: OrderId(1),
            customer_id: 7,
            publisher_id: Some(5),
            offer_id: "S619117184_US".to_owned(),
            total: Money {
                minor: 999,
                currency: "EUR".parse().unwrap(),
            },
            payment_method_id: Some(3),
            expires_at: Some(Moment(1000)),
        }
    }

    #[test]
    fn a_good_order_gives_the_amount_and_the_customer() {
        let Payable::Yes(facts) = check(order(), 3, 5, Moment(999)) else {
            panic!("payable")
        };
        assert_eq!((facts.amount.minor, facts.customer_id), (999, 7));
    }

    #[test]
    fn an_order_that_may_not_be_charged_says_why() {
        let negative = Money {
            minor: -1,
            ..order().total
        };
        for (bad, why) in [
            (
                Order {
                    expires_at: Some(Moment(10)),
                    ..order()
                },
                Payable::Expired,
            ),
            (
                Order {
                    publisher_id: Some(6),
                    ..order()
                },
                Payable::No("other_publisher"),
            ),
            (
                Order {
                    payment_method_id: Some(4),
                    ..order()
                },
                Payable::No("payment_method_mismatch"),
            ),
            (
                Order {
                    payment_method_id: None,
                    ..order()
                },
                Payable::No("payment_method_missing"),
            ),
            (
                Order {
                    total: negative,
                    ..order()
                },
                Payable::No("nothing_to_charge"),
            ),
        ] {
            assert_eq!(check(bad, 3, 5, Moment(10)), why);
        }
    }
}
