//! Looks after payments that have not settled and demands that nobody takes up: a message for each, from one process at a time,
//! on a schedule.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::Parts;
use crate::broker::{Lane, Outgoing, Publish, PublishError, Queue};
use crate::clock;
use crate::domain::message::{Body, Envelope};
use crate::domain::moment::Moment;
use crate::ledger::{Ledger, StaleDemand, Stalled};
use crate::telemetry::chain::error_chain;

/// How long an open demand rests until its message counts as lost: longer than the longest rung of the ladder, so that one that
/// waits there has had its turn. Whenever this long has passed, one more copy is queued; a worker that finds the demand done
/// does nothing.
const DEMAND_RESTS: Duration = Duration::from_secs(2 * 3600);
/// The most demands of one sweep; the next one takes the rest.
const MOST_DEMANDS: i64 = 200;

pub(super) async fn run(parts: &Parts, ledger: &Ledger, stop: &CancellationToken) {
    let every = parts.config.worker.sweep_every;
    let publisher = parts.publisher();
    // Where the last sweep ended: payments that only an operator can settle stay, and must not hide those behind them.
    let mut last = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let now = clock::now();
        // Replicas wake within moments of each other: the first one has it, the others find it claimed.
        match ledger.claim_sweep(now, every / 2).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(cause) => {
                warn!(error = error_chain(&cause), "a sweep was not begun");
                continue;
            }
        }
        match payments(ledger, publisher.as_ref(), every, last.as_ref(), now).await {
            Ok(reached) => last = reached,
            Err(cause) => warn!(
                error = error_chain(cause.as_ref()),
                "a sweep of unsettled payments was broken off"
            ),
        }
        if let Err(cause) = demands(ledger, publisher.as_ref(), now).await {
            warn!(
                error = error_chain(cause.as_ref()),
                "a sweep of open demands was broken off"
            );
        }
    }
}

/// The last payment that was reached; nothing when that was the end of the list.
async fn payments(
    ledger: &Ledger,
    publisher: &dyn Publish,
    every: Duration,
    last: Option<&Stalled>,
    now: Moment,
) -> anyhow::Result<Option<Stalled>> {
    let mut stalled = ledger
        .stalled(earlier(now, every), last)
        .await
        .context("the ledger cannot be used")?;
    for payment in &stalled {
        match publisher.publish(recheck(payment, now)).await {
            // Its gateway is not configured any more; the others' are.
            Ok(()) | Err(PublishError::Unroutable) => {}
            Err(cause) => return Err(cause).context("the broker cannot be used"),
        }
    }
    if !stalled.is_empty() {
        info!(
            payments = stalled.len(),
            "unsettled payments are looked at again"
        );
    }
    Ok(stalled.pop())
}

/// Queues again what is open and rests. It is touched first: a failure on the way costs one more rest, and makes no second copy.
async fn demands(ledger: &Ledger, publisher: &dyn Publish, now: Moment) -> anyhow::Result<()> {
    let before = earlier(now, DEMAND_RESTS);
    let stale = ledger.stale_demands(before, MOST_DEMANDS).await;
    let stale = stale.context("the ledger cannot be used")?;
    for demand in &stale {
        let touched = ledger.touch_demand(demand.id, before, now).await;
        if !touched.context("the ledger cannot be used")? {
            continue;
        }
        match publisher.publish(asked_again(demand)).await {
            // Its gateway is not configured any more; the others' are.
            Ok(()) | Err(PublishError::Unroutable) => {}
            Err(cause) => return Err(cause).context("the broker cannot be used"),
        }
    }
    if !stale.is_empty() {
        info!(demands = stale.len(), "open demands are queued again");
    }
    Ok(())
}

fn earlier(now: Moment, span: Duration) -> Moment {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Moment(now.0.saturating_sub(millis))
}

/// The message that the door made when the demand came.
fn asked_again(demand: &StaleDemand) -> Outgoing {
    let body = Body::Demand {
        demand_id: demand.id,
    };
    let envelope = Envelope::new(demand.id.0, demand.received_at, None, body);
    let queue = Queue::Commands {
        gateway: demand.gateway.clone(),
        lane: Lane::Billing,
    };
    Outgoing::new(queue, &envelope, None)
}

fn recheck(payment: &Stalled, now: Moment) -> Outgoing {
    let message_id = Uuid::now_v7();
    let envelope = Envelope::new(
        message_id,
        now,
        None,
        Body::Recheck {
            payment_id: payment.id,
        },
    );
    let queue = Queue::Commands {
        gateway: payment.gateway.clone(),
        lane: Lane::Billing,
    };
    Outgoing::new(queue, &envelope, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DemandId;
    use crate::domain::retry::Rung;

    #[test]
    fn a_demand_rests_longer_than_a_message_waits_on_any_rung() {
        for rung in Rung::ALL {
            // The slowest variant of a rung waits a quarter more.
            assert!(rung.wait() * 5 / 4 < DEMAND_RESTS, "{rung:?}");
        }
    }

    #[test]
    fn a_demand_that_is_queued_again_is_the_same_message() {
        let demand = StaleDemand {
            id: DemandId(Uuid::from_u128(1)),
            gateway: "stripe".parse().unwrap(),
            received_at: Moment(5),
        };
        let message = asked_again(&demand);
        assert_eq!(message.message_id, demand.id.0);
        let queue = Queue::Commands {
            gateway: demand.gateway.clone(),
            lane: Lane::Billing,
        };
        assert_eq!(message.queue, queue);
        let envelope = Envelope::decode(&message.body).unwrap();
        assert_eq!(envelope.occurred_at, demand.received_at);
        let demand_id = demand.id;
        assert_eq!(envelope.body, Body::Demand { demand_id });
    }
}
