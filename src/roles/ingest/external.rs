//! What a gateway tells of a subscription that it bills itself: written down, queued for Cleeng, and only then answered.

use super::Ingest;
use super::accept::ledger_away;
use super::problem::Problem;
use crate::broker::{Outgoing, Queue};
use crate::clock;
use crate::domain::demand::{Asked, Demand, DemandState};
use crate::domain::external::ExternalEvent;
use crate::domain::ids::{DemandId, GatewayName, named};
use crate::domain::message::{Body, Envelope};
use crate::telemetry::labels::{DemandKind, DemandResult};

impl Ingest {
    /// Only when this is `Ok` may the gateway be told that it is taken. The same event is the same demand, however often it comes.
    ///
    /// # Errors
    /// `Unavailable` when the ledger or the broker is away.
    pub(super) async fn keep_external(
        &self,
        gateway: &GatewayName,
        event_id: &str,
        event: ExternalEvent,
    ) -> Result<(), Problem> {
        let now = clock::now();
        let demand = Demand {
            id: DemandId(named(&["external", gateway.as_str(), event_id])),
            gateway: Some(gateway.clone()),
            asked: Asked::External(event),
            state: DemandState::Open,
            outcome: None,
            payment_id: None,
            received_at: now,
            updated_at: now,
        };
        let known = self
            .ledger
            .take_demand(&demand)
            .await
            .map_err(|cause| ledger_away(&cause))?;
        let (is_open, result) = match known.map(|known| known.state) {
            None => (true, DemandResult::Taken),
            // Its message may never have got into the queue; the confirmer looks before it does anything.
            Some(DemandState::Open) => (true, DemandResult::Repeated),
            Some(DemandState::Done | DemandState::Kept) => (false, DemandResult::Repeated),
        };
        if is_open {
            self.queue_external(demand.id).await?;
        }
        self.metrics
            .demand(DemandKind::External, result, Some(demand.id), None);
        Ok(())
    }

    async fn queue_external(&self, demand_id: DemandId) -> Result<(), Problem> {
        let envelope = Envelope::new(demand_id.0, clock::now(), None, Body::Answer { demand_id });
        let message = Outgoing::new(Queue::Confirmations, &envelope, None);
        // Its cause is told by the broker's own log.
        let published = self.publisher.publish(message).await;
        published.map_err(|_| Problem::Unavailable("The broker cannot take messages now"))
    }
}
