//! What becomes of a delivery when the system that it needs does not answer.

use std::time::Duration;

use super::{Job, Worker};
use crate::broker::Verdict;
use crate::domain::money_back::plan::Errand;
use crate::domain::plan::Trigger;
use crate::roles::breakers::Guard;

impl Worker {
    /// A call got no answer. While the breaker is open the lane is held and this delivery probes; else it comes back later.
    pub(super) fn unanswered(
        &self,
        job: &Job,
        breaker: &Guard,
        retry_after: Option<Duration>,
        error: &str,
    ) -> Verdict {
        if breaker.is_open() && may_hold(&job.trigger) {
            return Verdict::Hold {
                error: error.to_owned(),
            };
        }
        self.later(job, retry_after, error)
    }

    /// The breaker did not admit a call: another delivery probes.
    pub(super) fn barred(&self, job: &Job, breaker: &Guard) -> Verdict {
        let error = format!("{} is away", breaker.target());
        if may_hold(&job.trigger) {
            return Verdict::Hold { error };
        }
        self.later(job, None, &error)
    }
}

/// The events of all gateways are in one queue: one that is away must not hold up the others'. A sweep comes again anyway.
fn may_hold(trigger: &Trigger) -> bool {
    match trigger {
        Trigger::Charge
        | Trigger::Continue
        | Trigger::Capture
        | Trigger::Void
        | Trigger::MoneyBack(Errand::Refund(_)) => true,
        Trigger::Event(_)
        | Trigger::MoneyBack(Errand::ReadRefunds | Errand::ReadDisputes)
        | Trigger::Sweep => false,
    }
}
