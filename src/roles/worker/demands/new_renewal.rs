//! A renewal's order at Cleeng, and the payment that is taken in for it.

use std::sync::Arc;

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tracing::info;

use super::super::order::{Payable, check};
use super::super::{Interrupted, Worker};
use super::Turn;
use crate::broker::Verdict;
use crate::cleeng::NewOrder;
use crate::clock;
use crate::domain::demand::Due;
use crate::domain::ids::{BadId, IdempotencyKey, OrderId, PaymentId, named};
use crate::domain::moment::Moment;
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Renewal, Status, Take};
use crate::domain::secret::Secret;
use crate::ledger::{Accepted, NewPayment};
use crate::telemetry::labels::CleengCall;
use crate::telemetry::spans;

/// A renewal is not begun any more after this, nor after its order's end.
const DEADLINE: Duration = Duration::from_secs(20 * 60 * 60);

impl Worker {
    /// Has Cleeng make the order, then takes the payment in under an id that follows from the demand: a run that is killed after
    /// either leaves at most an order behind that nobody pays.
    pub(super) async fn pay(
        &self,
        turn: &Turn<'_>,
        due: &Due,
        take: Take,
        due_at: Moment,
    ) -> Result<Option<Verdict>, Interrupted> {
        let breaker = self.breakers.cleeng();
        let Some(gateway) = self.gateways.get(turn.gateway) else {
            return self.keep(turn, "unknown_gateway").await.map(Some);
        };
        let Some(call) = breaker.begin() else {
            let error = format!("{} is away", breaker.target());
            return Ok(Some(Verdict::Hold { error }));
        };
        let started = Instant::now();
        let order = NewOrder {
            customer_id: due.customer_id,
            offer_id: &due.offer_id,
            currency: &due.currency,
            country: &due.country,
            payment_method_id: gateway.payment_method_id(),
            subscription_id: due.subscription_id,
        };
        let span = spans::cleeng(CleengCall::Order, None);
        let answer = spans::call(span, |_| "done", self.cleeng.create_order(&order)).await;
        call.ended(&answer);
        self.metrics
            .cleeng_took(CleengCall::Order, started.elapsed());
        let order = match answer {
            Ok(order) => order,
            Err(failure) => {
                let what = "Cleeng's order could not be made";
                return Ok(Some(self.unread(turn, what, failure)));
            }
        };
        if order.total.currency.as_str() != due.currency {
            return self.keep(turn, "order_of_another_currency").await.map(Some);
        }
        let (order_id, now) = (order.id, clock::now());
        let facts = match check(order, gateway.payment_method_id(), self.publisher_id, now) {
            Payable::Yes(facts) if facts.amount.minor == 0 => {
                return self.keep(turn, "nothing_to_charge").await.map(Some);
            }
            Payable::Yes(facts) => facts,
            Payable::Expired => return self.keep(turn, "order_expired").await.map(Some),
            Payable::No(why) => return self.keep(turn, why).await.map(Some),
        };
        let renewal = Renewal {
            subscription_id: due.subscription_id,
            due_at,
            payment_details_id: due.payment_details_id,
            take,
        };
        let Ok(new) = new_payment(turn, &due.token, order_id, facts, renewal) else {
            return self.keep(turn, "no_key").await.map(Some);
        };
        let new = Arc::new(new);
        let accepted = self
            .ledger
            .accept(Arc::clone(&new))
            .await
            .map_err(Interrupted::Ledger)?;
        if let Accepted::Created = accepted {
            let payment = &new.payment;
            info!(payment.id = %payment.id, order.id = %payment.order_id, gateway = %payment.gateway,
                subscription.id = %due.subscription_id, "renewal accepted");
        }
        // Whoever took it in: the plan sees what there is now.
        Ok(None)
    }
}

/// Follows from the demand, and sorts by the time that it came, as all payments do.
pub(super) fn own_payment(turn: &Turn<'_>) -> PaymentId {
    let name = named(&["renewal", &turn.demand.id.to_string()]);
    let millis = u64::try_from(turn.demand.received_at.0).unwrap_or(0);
    let mut rest = [0; 10];
    rest.copy_from_slice(name.as_bytes().first_chunk::<10>().unwrap_or(&[0; 10]));
    PaymentId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

fn new_payment(
    turn: &Turn<'_>,
    token: &Secret<String>,
    order_id: OrderId,
    order: OrderFacts,
    renewal: Renewal,
) -> Result<NewPayment, BadId> {
    let now = clock::now();
    let deadline = now.plus(DEADLINE);
    let payment = Payment {
        id: own_payment(turn),
        version: 1,
        order_id,
        gateway: turn.gateway.clone(),
        operation: Operation::RecurringPayment,
        renewal: Some(renewal),
        details: None,
        asked_by: None,
        status: Status::Accepted,
        method: Method::Stored {
            token: token.clone(),
        },
        return_url: None,
        expires_at: order.expires_at.map_or(deadline, |end| end.min(deadline)),
        order: Some(order),
        progress: Progress::default(),
        next_action: None,
        decline: None,
        stored: None,
        published: false,
        created_at: now,
        updated_at: now,
    };
    Ok(NewPayment {
        payment,
        key: format!("demand-{}", turn.demand.id).parse::<IdempotencyKey>()?,
        body_hash: Sha256::digest(turn.demand.id.0).into(),
    })
}
