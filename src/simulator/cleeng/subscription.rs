//! Subscriptions: what a captured payment opens, a renewal extends, and the agenda carries on.

use serde_json::{Value, json};

use super::agenda::{Due, Schedule, Slot};
use super::calendar::Cycle;
use super::dunning::{End, Held, Mode, Round, Step};
use super::fail::Fail;
use super::payment::{Payment, Status};
use super::world::{Desk, World};
use crate::domain::moment::Moment;

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) customer_id: u64,
    pub(crate) offer_id: String,
    pub(crate) details_id: Option<u64>,
    pub(crate) payment_method_id: Option<u64>,
    pub(crate) country: Option<String>,
    pub(crate) standing: Standing,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// What a renewal costs, in minor units.
    pub(crate) price: i64,
    pub(crate) currency: String,
    pub(crate) cycle: Cycle,
    /// Cycles are counted from here.
    pub(crate) anchor: i64,
    pub(crate) completed: u32,
    pub(crate) phase: Phase,
    pub(crate) coupon: Option<String>,
    pub(crate) properties: Value,
    pub(crate) latest_external_id: Option<String>,
    pub(crate) manager: Manager,
    pub(crate) termination: Option<String>,
    pub(crate) round: Round,
    /// How many reports of payments there were about it.
    pub(crate) reports: u64,
    pub(crate) planned: Option<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    /// Cancelled: it runs to its end.
    Stopped,
    Terminated,
    Paused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Trial,
    Paid,
}

/// Who renews it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manager {
    Cleeng,
    External {
        external_id: String,
        auto_terminate: bool,
    },
}

impl Standing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::Stopped => "stopped",
            Standing::Terminated => "terminated",
            Standing::Paused => "paused",
        }
    }
}

impl World {
    pub(crate) fn subscription(&self, id: u64) -> Result<&Subscription, Fail> {
        self.subscriptions
            .get(&id)
            .ok_or_else(|| Fail::not_found("Subscription", id))
    }

    pub(crate) fn read_subscription(&self, desk: &Desk, id: u64) -> Result<Value, Fail> {
        let subscription = self.subscription(id)?;
        Ok(self.show_subscription(subscription, desk))
    }

    /// The subscription as it now is, and its next moment with it.
    pub(crate) fn keep(&mut self, subscription: Subscription) {
        let id = subscription.id;
        self.subscriptions.insert(id, subscription);
        self.plan(id);
    }

    /// One payment of a renewal was reported or changed.
    pub(crate) fn follow_renewal(&mut self, desk: &Desk, id: u64, payment: &Payment) {
        let Ok(mut subscription) = self.subscription(id).cloned() else {
            return;
        };
        subscription.reports = subscription.reports.saturating_add(1);
        let round = &mut subscription.round;
        match (payment.status, round.held) {
            (Status::Authorized, _) => round.held = Held::Authorised(payment.id),
            (
                Status::Rejected | Status::Cancelled,
                Held::Authorised(held) | Held::CaptureAsked(held),
            ) if held == payment.id => round.held = Held::Nothing,
            (Status::Captured, _) => self.extend(desk, &mut subscription, payment),
            (Status::Rejected | Status::Cancelled | Status::Refunded, _) => {}
        }
        self.keep(subscription);
    }

    /// One order extends once, however often its payment is recorded; what is terminated stays so.
    fn extend(&mut self, desk: &Desk, subscription: &mut Subscription, payment: &Payment) {
        subscription.latest_external_id = Some(payment.external_id.clone());
        if let Some(details) = payment.details_id {
            subscription.details_id = Some(details);
        }
        let order = payment.order_id.unwrap_or(payment.id);
        if self.granted.insert(order, subscription.id).is_some()
            || subscription.standing == Standing::Terminated
        {
            return;
        }
        subscription.completed = subscription.completed.saturating_add(1);
        subscription.to = subscription
            .cycle
            .after(subscription.anchor, subscription.completed);
        subscription.phase = Phase::Paid;
        subscription.round = self
            .dunning(subscription.payment_method_id, subscription.cycle)
            .round(desk.seconds(), subscription.to);
    }

    /// What comes next for it by itself.
    pub(crate) fn next_step(&self, subscription: &Subscription) -> Option<(i64, Step)> {
        let end = subscription.to;
        match (&subscription.manager, subscription.standing) {
            (_, Standing::Terminated | Standing::Paused) => None,
            (Manager::External { auto_terminate, .. }, _) => {
                auto_terminate.then_some((end, Step::Expire))
            }
            // The connector ends it (`userCancel`): without that call access goes on.
            (Manager::Cleeng, Standing::Stopped) => {
                (subscription.round.end == End::Ahead).then_some((end, Step::Terminate))
            }
            (Manager::Cleeng, Standing::Active) => {
                let rule = self.dunning(subscription.payment_method_id, subscription.cycle);
                let mut round = subscription.round;
                // Nothing can be tried without a token.
                if subscription.details_id.is_none() && round.held == Held::Nothing {
                    round.tried = rule.attempts.len();
                }
                rule.next(round, end)
            }
        }
    }

    /// Puts the next moment on the agenda, in place of the one that was there.
    pub(crate) fn plan(&mut self, id: u64) {
        let Some(subscription) = self.subscriptions.get(&id) else {
            return;
        };
        let schedule = self.schedule;
        let next = self
            .next_step(subscription)
            .filter(|(_, step)| schedule == Schedule::Kept || *step == Step::Expire);
        if let Some(slot) = subscription.planned {
            self.agenda.strike(slot);
        }
        let planned = next.map(|(at, _)| {
            self.agenda
                .enter(Moment::from_unix_seconds(at), Due::Subscription(id))
        });
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.planned = planned;
        }
    }

    /// From now on every next step is on the agenda; those whose time has passed unheard are done now, still unheard.
    pub(crate) fn keep_schedule(&mut self, desk: &Desk) {
        if self.schedule == Schedule::Unasked {
            self.schedule = Schedule::Kept;
            self.plan_all();
            self.due_letters(desk);
        }
    }

    pub(crate) fn plan_all(&mut self) {
        let ids: Vec<u64> = self.subscriptions.keys().copied().collect();
        for id in ids {
            self.plan(id);
        }
    }

    pub(crate) fn show_subscription(&self, subscription: &Subscription, desk: &Desk) -> Value {
        let (action, at) = match self.next_step(subscription) {
            Some((at, Step::Authorise)) => ("authorise", at),
            Some((at, Step::Capture)) => ("capture", at),
            Some((_, Step::Terminate | Step::Expire)) | None => {
                let rule = self.dunning(subscription.payment_method_id, subscription.cycle);
                match rule.mode {
                    Mode::AuthoriseFirst => ("authorise", subscription.to),
                    Mode::Direct => ("capture", subscription.to),
                }
            }
        };
        let (unit, amount) = subscription.cycle.unit();
        let external_id = match &subscription.manager {
            Manager::Cleeng => None,
            Manager::External { external_id, .. } => Some(external_id),
        };
        json!({
            "subscriptionId": subscription.id,
            "paymentDetailsId": subscription.details_id,
            "publisherId": desk.publisher_id,
            "customerId": subscription.customer_id,
            "status": subscription.standing.name(),
            "dateFrom": subscription.from,
            "dateTo": subscription.to,
            "nextPaymentAction": action,
            "nextPaymentActionDate": at,
            "subscriptionExternalId": external_id,
            "offerId": subscription.offer_id,
            "paymentCountry": subscription.country,
            "ipAddress": null,
            "inTrial": subscription.phase == Phase::Trial,
            "couponCode": subscription.coupon,
            "pendingSwitchId": null,
            "externalProperties": subscription.properties,
            "paymentMethodId": subscription.payment_method_id,
            "isExternallyManaged": external_id.is_some(),
            "latestPaymentExternalId": subscription.latest_external_id,
            "paymentGateway": "connector",
            "replacedBy": null,
            "originatedFrom": null,
            "renewalCycle": { "completed": subscription.completed, "unit": unit, "amount": amount },
            "source": null,
            "pause": null,
        })
    }
}
