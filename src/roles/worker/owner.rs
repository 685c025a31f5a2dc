//! A customer who changes payment details may name others of theirs, and a subscription: whether they are theirs is asked at Cleeng
//! before anything is begun. Ingest cannot know it, and Cleeng would take it from a connector.

use std::time::Instant;

use tracing::warn;

use super::case::Case;
use super::order::invalid_order;
use super::{Flow, Interrupted, Job, Worker};
use crate::broker::Verdict;
use crate::cleeng::Belonging;
use crate::domain::failure::CallError;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::domain::payment::Payment;
use crate::telemetry::labels::{CallerRefusal, CleengCall};

/// What has to be the customer's before this payment is begun, with the code for one that is not: the same for another's and for
/// none. A server's word is taken.
fn named(payment: &Payment) -> Vec<(Belonging, &'static str)> {
    let Some(change) = payment.details.filter(|_| payment.asked_by.is_some()) else {
        return Vec::new();
    };
    let subscription = change
        .subscription_id
        .map(|id| (Belonging::Subscription(id), "unknown_subscription"));
    let replaced = change
        .replaces
        .map(|id| (Belonging::PaymentDetails(id), "unknown_payment_details"));
    subscription.into_iter().chain(replaced).collect()
}

impl Worker {
    /// Nothing when the payment may begin, or has begun.
    pub(super) async fn check_owner(
        &self,
        job: &Job,
        case: &mut Case,
    ) -> Result<Option<Flow>, Interrupted> {
        if !case.known.attempts.is_empty() {
            return Ok(None);
        }
        for (belonging, code) in named(&case.known.payment) {
            if let Some(flow) = Box::pin(self.check_one(job, case, belonging, code)).await? {
                return Ok(Some(flow));
            }
        }
        Ok(None)
    }

    async fn check_one(
        &self,
        job: &Job,
        case: &mut Case,
        belonging: Belonging,
        code: &'static str,
    ) -> Result<Option<Flow>, Interrupted> {
        let breaker = self.breakers.cleeng();
        let Some(call) = breaker.begin() else {
            return Ok(Some(Flow::Stop(self.barred(job, &breaker))));
        };
        let started = Instant::now();
        let answer = self.cleeng.owner(belonging).await;
        call.ended(&answer);
        let label = match belonging {
            Belonging::Subscription(_) => CleengCall::Subscription,
            Belonging::PaymentDetails(_) => CleengCall::PaymentDetails,
        };
        self.metrics.cleeng_took(label, started.elapsed());
        let (retry_after, cause) = match answer {
            Ok(Some(owner)) if case.known.payment.may_be_for(owner) => return Ok(None),
            Ok(owner) => {
                if owner.is_some() {
                    self.metrics.caller_refused(CallerRefusal::OthersDetails);
                }
                return self.refuse(case, invalid_order(code)).await.map(Some);
            }
            Err(CallError::Broken { code }) => {
                return Ok(Some(Flow::Stop(Verdict::Hold {
                    error: format!("Cleeng turned our publisher token away ({code})"),
                })));
            }
            Err(CallError::Refused { code }) => {
                warn!(
                    code,
                    "whose payment details or subscription it is cannot be read at Cleeng"
                );
                let unknown = Decline {
                    class: DeclineClass::Technical,
                    code: "owner_unknown".to_owned(),
                };
                return self.refuse(case, unknown).await.map(Some);
            }
            Err(CallError::NotDone { retry_after, cause }) => (retry_after, cause),
            Err(CallError::Unknown { cause }) => (None, cause),
        };
        let error = format!("whose it is could not be read at Cleeng: {cause}");
        let verdict = self.unanswered(job, &breaker, retry_after, &error);
        Ok(Some(Flow::Stop(verdict)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CustomerId, PaymentDetailsId, SubscriptionId};
    use crate::domain::payment::DetailsChange;
    use crate::gateway::sample;
    use serde_json::json;

    #[test]
    fn what_a_customer_names_is_checked_and_a_servers_word_is_taken() {
        let mut payment = sample::payment(0, "EUR", sample::new_method(json!({}), true));
        let customer = Some(CustomerId(5));
        payment.asked_by = customer;
        assert_eq!(named(&payment), []);
        payment.details = Some(DetailsChange {
            customer_id: 5,
            payment_method_id: 3,
            subscription_id: Some(SubscriptionId(7)),
            replaces: Some(PaymentDetailsId(8)),
        });
        let both = [
            Belonging::Subscription(SubscriptionId(7)),
            Belonging::PaymentDetails(PaymentDetailsId(8)),
        ];
        let found: Vec<Belonging> = named(&payment).into_iter().map(|(one, _)| one).collect();
        assert_eq!(found, both);
        payment.asked_by = None;
        assert_eq!(named(&payment), []);
    }
}
