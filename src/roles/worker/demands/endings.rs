//! The end of a subscription or of a stored method: what is reserved is given up first.

use std::time::Instant;

use super::super::{Interrupted, Worker};
use super::Turn;
use crate::broker::{Outgoing, Queue, Verdict};
use crate::clock;
use crate::domain::demand::ending::{self, Step};
use crate::domain::demand::{Ending, Released};
use crate::domain::failure::CallError;
use crate::domain::ids::{AttemptId, named};
use crate::domain::message::{Body, Envelope};
use crate::domain::outcome::Outcome;
use crate::domain::payment::Known;
use crate::telemetry::labels::GatewayCall;
use crate::telemetry::spans;

impl Worker {
    /// When nothing is reserved any more the confirmer is told to end the subscription at Cleeng.
    pub(super) async fn terminate(
        &self,
        turn: &Turn<'_>,
        ending: &Ending,
    ) -> Result<Verdict, Interrupted> {
        let payments = self
            .ledger
            .payments_of_subscription(ending.subscription_id)
            .await
            .map_err(Interrupted::Ledger)?;
        if let Some(verdict) = self.give_up(turn, &payments).await? {
            return Ok(verdict);
        }
        let demand_id = turn.demand.id;
        let id = named(&["answer", &demand_id.to_string()]);
        let envelope = Envelope::new(id, clock::now(), None, Body::Answer { demand_id });
        let message = Outgoing::new(Queue::Confirmations, &envelope, turn.child_trace());
        self.publisher
            .publish(message)
            .await
            .map_err(Interrupted::Queue)?;
        // It is the confirmer's from here on, and done when Cleeng has been told.
        Ok(Verdict::Done)
    }

    pub(super) async fn release(
        &self,
        turn: &Turn<'_>,
        released: &Released,
    ) -> Result<Verdict, Interrupted> {
        let payments = self
            .ledger
            .authorized_with(released.payment_details_id)
            .await
            .map_err(Interrupted::Ledger)?;
        if let Some(verdict) = self.give_up(turn, &payments).await? {
            return Ok(verdict);
        }
        let Some(gateway) = self.gateways.get(turn.gateway) else {
            return self.keep(turn, "unknown_gateway").await;
        };
        let Some(token) = &released.token else {
            return self
                .settle_demand(turn, "released_without_a_token", None)
                .await;
        };
        let Ok(request) = gateway.prepare_remove(token) else {
            return self.keep(turn, "token_of_another_gateway").await;
        };
        let Some(breaker) = self.breakers.gateway(turn.gateway) else {
            return self.keep(turn, "unknown_gateway").await;
        };
        let Some(call) = breaker.begin() else {
            let error = format!("{} is away", breaker.target());
            return Ok(Verdict::Hold { error });
        };
        // To forget a method a second time is to find it forgotten: no attempt has to be written down.
        let key = AttemptId(named(&["release", &turn.demand.id.to_string()]));
        let started = Instant::now();
        let kind = GatewayCall::Send(request.stage);
        let span = spans::gateway(turn.gateway, kind, None, None);
        let answer = spans::call(span, Outcome::label, gateway.send(key, &request)).await;
        call.ended(&answer);
        self.metrics
            .gateway_took(turn.gateway, kind, started.elapsed());
        self.metrics.outcome(turn.gateway, &answer);
        match answer {
            Ok(_) => self.settle_demand(turn, "released", None).await,
            Err(CallError::Refused { code }) => {
                let outcome = format!("not_removed: {code}");
                self.settle_demand(turn, &outcome, None).await
            }
            Err(failure) => Ok(self.unread(turn, "the method could not be removed", failure)),
        }
    }

    /// None: nothing is reserved any more.
    async fn give_up(
        &self,
        turn: &Turn<'_>,
        payments: &[Known],
    ) -> Result<Option<Verdict>, Interrupted> {
        match ending::next(payments) {
            Step::Void(ids) => {
                for payment_id in ids {
                    let id = named(&["void", &turn.demand.id.to_string(), &payment_id.to_string()]);
                    self.command(turn, id, Body::Void { payment_id }).await?;
                }
                Ok(Some(self.wait(
                    turn,
                    None,
                    "what is reserved is given up first",
                )))
            }
            Step::Wait => Ok(Some(self.wait(turn, None, "a payment is under way"))),
            Step::Finish => Ok(None),
        }
    }
}
