//! A subscription's next cycle: the order, the payment, and the command that charges or captures it.

use super::super::{Interrupted, Worker};
use super::Turn;
use super::new_renewal::own_payment;
use crate::broker::Verdict;
use crate::cleeng::{AuthorisedPayment, SubscriptionStatus};
use crate::domain::demand::Due;
use crate::domain::demand::renewal::{self, Facts, Standing, Step, Subscription, Wanted};
use crate::domain::failure::CallError;
use crate::domain::ids::{GatewayRef, PaymentId, named};
use crate::domain::message::Body;

/// A run that takes more steps than this has found a loop in the plan.
const MOST_STEPS: usize = 8;

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
