//! Taking a payment in: remembered in the ledger, confirmed by the broker, and only then accepted.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;
use uuid::Uuid;

use super::Ingest;
use super::auth::Visitor;
use super::body::{Purchase, Wanted};
use super::problem::Problem;
use crate::broker::{Lane, Outgoing, PublishError, Queue};
use crate::clock;
use crate::domain::ids::{CustomerId, IdempotencyKey, PaymentId};
use crate::domain::message::{Body, Envelope};
use crate::domain::outcome::Progress;
use crate::domain::payment::{Known, Method, NO_ORDER, Operation, Payment, Status};
use crate::ledger::{Accepted, LedgerError, NewPayment};
use crate::telemetry::chain::error_chain;
use crate::telemetry::trace::TraceContext;

/// While an unpublished payment is younger than this, the request that made it may still be under way.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// A payment that is in its queue.
pub(super) struct Taken {
    pub(super) known: Known,
    /// The key was known: nothing new was made.
    pub(super) replayed: bool,
}

impl Ingest {
    /// # Errors
    /// As a problem for the caller. After `Unavailable` the same request may be repeated: it is paid at most once.
    pub(super) async fn accept(
        &self,
        visitor: &Visitor,
        key: IdempotencyKey,
        purchase: Purchase,
        trace: TraceContext,
    ) -> Result<Taken, Problem> {
        let new = Arc::new(self.new_payment(visitor.customer(), key, purchase));
        let taking = self.take_in(visitor, new, trace);
        match tokio::time::timeout(visitor.answer_within(), taking).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::Unavailable(
                "The ledger or the broker did not answer in time",
            )),
        }
    }

    /// A customer's key is kept as their own: another's, though it reads the same, is another one.
    fn new_payment(
        &self,
        asked_by: Option<CustomerId>,
        key: IdempotencyKey,
        purchase: Purchase,
    ) -> NewPayment {
        let now = clock::now();
        let (order_id, operation, details) = match purchase.wanted {
            Wanted::Order(order) => (order, Operation::InitialPayment, None),
            Wanted::Details(change) => (NO_ORDER, Operation::PaymentDetails, Some(change)),
        };
        let payment = Payment {
            id: PaymentId(Uuid::now_v7()),
            version: 1,
            order_id,
            gateway: purchase.gateway,
            operation,
            renewal: None,
            details,
            asked_by,
            status: Status::Accepted,
            method: Method::New {
                payload: purchase.method,
                save: purchase.save,
            },
            return_url: purchase.return_url,
            order: None,
            progress: Progress::default(),
            next_action: None,
            decline: None,
            stored: None,
            published: false,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(self.checkout.deadline),
        };
        NewPayment {
            payment,
            key: match asked_by {
                Some(customer) => key.of(customer),
                None => key,
            },
            body_hash: purchase.hash,
        }
    }

    async fn take_in(
        &self,
        visitor: &Visitor,
        new: Arc<NewPayment>,
        trace: TraceContext,
    ) -> Result<Taken, Problem> {
        let accepted = self
            .ledger
            .accept(Arc::clone(&new))
            .await
            .map_err(|cause| ledger_away(&cause))?;
        match accepted {
            Accepted::Created => {
                let known = Known {
                    payment: new.payment.clone(),
                    attempts: Vec::new(),
                    confirmations: Vec::new(),
                };
                self.queue(known, false, trace).await
            }
            Accepted::Replayed(known) => Box::pin(self.replay(*known, trace)).await,
            Accepted::KeyReused => Err(Problem::KeyReused),
            // A checkout pays for no cycle: only renewals are refused for one.
            Accepted::OrderTaken(holder) | Accepted::CycleTaken(holder) => {
                Err(Box::pin(self.order_taken(visitor, holder)).await)
            }
        }
    }

    /// A customer is told which payment holds the order only if it is theirs to see.
    async fn order_taken(&self, visitor: &Visitor, holder: PaymentId) -> Problem {
        if visitor.customer().is_none() {
            return Problem::OrderTaken(Some(holder));
        }
        match self.ledger.known(holder).await {
            Ok(Some(known)) => {
                let shown = visitor.may_see(&known.payment);
                Problem::OrderTaken(shown.then_some(holder))
            }
            Ok(None) => Problem::OrderTaken(None),
            Err(cause) => ledger_away(&cause),
        }
    }

    /// The same request again: its payment, put into the queue if the first try may not have got it there.
    async fn replay(&self, known: Known, trace: TraceContext) -> Result<Taken, Problem> {
        let payment = &known.payment;
        let queued = payment.published || self.marks.knows(payment.id);
        if queued || payment.status != Status::Accepted {
            return Ok(Taken {
                known,
                replayed: true,
            });
        }
        if clock::now().since(payment.created_at) < UNDER_WAY {
            return Err(Problem::KeyInFlight);
        }
        self.queue(known, true, trace).await
    }

    async fn queue(
        &self,
        mut known: Known,
        replayed: bool,
        trace: TraceContext,
    ) -> Result<Taken, Problem> {
        let payment = &known.payment;
        if let Err(cause) = self.publisher.publish(charge_command(payment, trace)).await {
            return Box::pin(self.take_back(known, &cause)).await;
        }
        self.marks.note(payment.id);
        self.intakes.queued(&payment.gateway);
        self.metrics
            .accepted(&payment.gateway, payment.id, payment.order_id, trace);
        known.payment.published = true;
        Ok(Taken { known, replayed })
    }

    /// The broker did not confirm. The payment is withdrawn, unless its message got through after all.
    async fn take_back(&self, known: Known, cause: &PublishError) -> Result<Taken, Problem> {
        let id = known.payment.id;
        warn!(payment.id = %id, error = %cause, "a payment could not be queued; it is withdrawn");
        match self.ledger.withdraw(id, clock::now()).await {
            Ok(true) => Err(Problem::Unavailable(
                "The broker cannot take messages now; nothing was accepted",
            )),
            Ok(false) => match self.ledger.known(id).await {
                Ok(Some(known)) => Ok(Taken {
                    known,
                    replayed: false,
                }),
                Ok(None) => Err(Problem::Unavailable("The broker cannot take messages now")),
                Err(cause) => Err(ledger_away(&cause)),
            },
            Err(cause) => Err(ledger_away(&cause)),
        }
    }
}

fn charge_command(payment: &Payment, trace: TraceContext) -> Outgoing {
    let body = Body::Charge {
        payment_id: payment.id,
    };
    // The payment's id is also the message's: a repetition is recognisable as one.
    let envelope = Envelope::new(
        payment.id.0,
        payment.created_at,
        Some(payment.expires_at),
        body,
    );
    let queue = Queue::Commands {
        gateway: payment.gateway.clone(),
        lane: Lane::Checkout,
    };
    Outgoing::new(queue, &envelope, Some(trace.to_string()))
}

pub(super) fn ledger_away(cause: &LedgerError) -> Problem {
    warn!(error = error_chain(cause), "the ledger cannot be used");
    Problem::Unavailable("The ledger cannot be reached now")
}
