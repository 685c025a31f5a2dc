//! A subscription's next cycle: the order, the payment, and the command that charges or captures it.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tracing::info;

use super::super::order::{Payable, check};
use super::super::{Interrupted, Worker};
use super::Turn;
use crate::broker::Verdict;
use crate::cleeng::{AuthorisedPayment, NewOrder, SubscriptionStatus};
use crate::clock;
use crate::domain::demand::Due;
use crate::domain::demand::renewal::{self, Facts, Standing, Step, Subscription, Wanted};
use crate::domain::failure::CallError;
use crate::domain::ids::{BadId, GatewayRef, IdempotencyKey, OrderId, PaymentId, named};
use crate::domain::message::Body;
use crate::domain::moment::Moment;
use crate::domain::outcome::Progress;
use crate::domain::payment::{Method, Operation, OrderFacts, Payment, Renewal, Status, Take};
use crate::domain::secret::Secret;
use crate::ledger::{Accepted, NewPayment};
use crate::telemetry::labels::CleengCall;

/// A run that takes more steps than this has found a loop in the plan.
const MOST_STEPS: usize = 8;

/// A renewal is not begun any more after this, nor after its order's end.
const DEADLINE: Duration = Duration::from_secs(20 * 60 * 60);

/// What this run has read.
#[derive(Default)]
struct Read {
    subscription: Option<Option<Subscription>>,
    foreign: Option<bool>,
}

impl Worker {
    pub(super) async fn authorise(
        &self,
        turn: &Turn<'_>,
        due: &Due,
    ) -> Result<Verdict, Interrupted> {
        self.renew(turn, due, Wanted::Authorisation).await
    }

    pub(super) async fn capture(&self, turn: &Turn<'_>, due: &Due) -> Result<Verdict, Interrupted> {
        self.renew(turn, due, Wanted::Capture).await
    }

    async fn renew(
        &self,
        turn: &Turn<'_>,
        due: &Due,
        wanted: Wanted,
    ) -> Result<Verdict, Interrupted> {
        let mut read = Read::default();
        for _ in 0..MOST_STEPS {
            let payments = self
                .ledger
                .payments_of_subscription(due.subscription_id)
                .await
                .map_err(Interrupted::Ledger)?;
            let own_id = own_payment(turn);
            let own = payments.iter().find(|known| known.payment.id == own_id);
            let step = renewal::next(&Facts {
                wanted,
                due,
                own,
                met_before: turn.demand.payment_id.is_some(),
                payments: &payments,
                subscription: read.subscription,
                foreign: read.foreign,
            });
            if let Some(verdict) = self.renewal_step(turn, due, &mut read, step).await? {
                return Ok(verdict);
            }
        }
        Ok(self.wait(turn, None, "too many steps in one run"))
    }

    /// None: ask the plan again.
    async fn renewal_step(
        &self,
        turn: &Turn<'_>,
        due: &Due,
        read: &mut Read,
        step: Step,
    ) -> Result<Option<Verdict>, Interrupted> {
        match step {
            Step::ReadSubscription => match self.subscription(due).await {
                Ok(found) => read.subscription = Some(found),
                Err(failure) => {
                    let what = "Cleeng's subscription could not be read";
                    return Ok(Some(self.unread(turn, what, failure)));
                }
            },
            Step::ReadAuthorised => match self.foreign(turn, due).await? {
                Ok(foreign) => read.foreign = Some(foreign),
                Err(failure) => {
                    let what = "Cleeng's authorised payments could not be read";
                    return Ok(Some(self.unread(turn, what, failure)));
                }
            },
            Step::Pay { take, due_at } => return self.pay(turn, due, take, due_at).await,
            Step::Charge(payment_id) => {
                self.command(turn, payment_id.0, Body::Charge { payment_id })
                    .await?;
                let settled = self.settle_demand(turn, "charging", Some(payment_id));
                return settled.await.map(Some);
            }
            Step::Capture(payment_id) => {
                self.capture_payment(turn, payment_id).await?;
                let settled = self.settle_demand(turn, "capturing", Some(payment_id));
                return settled.await.map(Some);
            }
            Step::Wait(why) => return Ok(Some(self.wait(turn, None, why))),
            Step::Done { outcome, payment } => {
                return self.settle_demand(turn, outcome, payment).await.map(Some);
            }
            Step::Keep(why) => return self.keep(turn, why).await.map(Some),
        }
        Ok(None)
    }

    pub(super) async fn capture_payment(
        &self,
        turn: &Turn<'_>,
        id: PaymentId,
    ) -> Result<(), Interrupted> {
        let message = named(&["capture", &turn.demand.id.to_string()]);
        self.command(turn, message, Body::Capture { payment_id: id })
            .await
    }

    /// Has Cleeng make the order, then takes the payment in under an id that follows from the demand: a run that is killed after
    /// either leaves at most an order behind that nobody pays.
    async fn pay(
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
        let answer = self
            .cleeng
            .create_order(&NewOrder {
                customer_id: due.customer_id,
                offer_id: &due.offer_id,
                currency: &due.currency,
                country: &due.country,
                payment_method_id: gateway.payment_method_id(),
                subscription_id: due.subscription_id,
            })
            .await;
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
        let accepted = self
            .ledger
            .accept(&new)
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

    async fn subscription(&self, due: &Due) -> Result<Option<Subscription>, CallError> {
        let found = self.cleeng.subscription(due.subscription_id).await?;
        Ok(found.map(|subscription| Subscription {
            standing: standing(subscription.status),
            externally_managed: subscription.is_externally_managed,
            paid_until: subscription.date_to,
        }))
    }

    /// Whether Cleeng has a payment as authorised with these details that no gateway of ours made.
    async fn foreign(
        &self,
        turn: &Turn<'_>,
        due: &Due,
    ) -> Result<Result<bool, CallError>, Interrupted> {
        let listed = match self
            .cleeng
            .authorised_payments(due.payment_details_id)
            .await
        {
            Ok(listed) => listed,
            Err(failure) => return Ok(Err(failure)),
        };
        for one in listed {
            if !self.is_ours(turn, &one).await? {
                return Ok(Ok(true));
            }
        }
        Ok(Ok(false))
    }

    async fn is_ours(&self, turn: &Turn<'_>, one: &AuthorisedPayment) -> Result<bool, Interrupted> {
        if let Some(order) = one.order_id {
            let known = self.ledger.payments_of_order(order).await;
            return Ok(!known.map_err(Interrupted::Ledger)?.is_empty());
        }
        let Some(external) = one.external_id.clone() else {
            return Ok(false);
        };
        let found = self
            .ledger
            .by_reference(turn.gateway, &GatewayRef(external))
            .await;
        Ok(found.map_err(Interrupted::Ledger)?.is_some())
    }
}

fn standing(status: SubscriptionStatus) -> Standing {
    match status {
        SubscriptionStatus::Active => Standing::Active,
        SubscriptionStatus::Stopped
        | SubscriptionStatus::Terminated
        | SubscriptionStatus::Paused => Standing::Over,
        SubscriptionStatus::Other => Standing::Unknown,
    }
}

/// Follows from the demand, and sorts by the time that it came, as all payments do.
fn own_payment(turn: &Turn<'_>) -> PaymentId {
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
