//! What may be done to a subscription, and in which state.

use serde_json::{Value, json};

use super::dunning::End;
use super::fail::Fail;
use super::subscription::{Manager, Phase, Standing, Subscription};
use super::wire::SubscriptionChange;
use super::world::{Desk, World};

const TERMINATIONS: [&str; 4] = [
    "paymentCancel",
    "userCancel",
    "publisherCancel",
    "policyViolation",
];

/// The calls that answer with the subscription as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Cancel { reason: String },
    Activate,
    Revive { until: i64 },
    Terminate { kind: String },
    Transfer { customer_id: u64 },
    Pause,
    Resume,
}

impl World {
    /// # Errors
    /// A field makes no sense (400), there is no such subscription (404), or its state does not allow it (422).
    pub(crate) fn act(&mut self, desk: &Desk, id: u64, act: Act) -> Result<Value, Fail> {
        check(desk, &act)?;
        let mut subscription = self.subscription(id)?.clone();
        let standing = subscription.standing;
        match (act, standing) {
            (Act::Cancel { .. }, Standing::Active) => subscription.standing = Standing::Stopped,
            (Act::Activate, Standing::Stopped) | (Act::Resume, Standing::Paused) => {
                subscription.standing = Standing::Active;
                subscription.round.end = End::Ahead;
            }
            (Act::Revive { until }, Standing::Terminated) => {
                subscription.standing = Standing::Active;
                subscription.termination = None;
                self.end_at(desk, &mut subscription, until);
            }
            (Act::Terminate { .. }, Standing::Terminated) => {
                return Err(Fail::unprocessable("Subscription is already terminated"));
            }
            (Act::Terminate { kind }, _) => terminate(desk, &mut subscription, kind),
            (
                Act::Transfer { customer_id },
                Standing::Active | Standing::Stopped | Standing::Paused,
            ) => {
                subscription.customer_id = customer_id;
                // The token is the former customer's.
                subscription.details_id = None;
            }
            (Act::Pause, Standing::Active) => subscription.standing = Standing::Paused,
            (_, standing) => {
                let standing = standing.name();
                return Err(Fail::unprocessable(format!(
                    "this is not possible while the subscription is {standing}"
                )));
            }
        }
        self.keep(subscription);
        self.read_subscription(desk, id)
    }

    /// `PATCH /subscriptions/{id}`, the older way; one parameter at a time.
    ///
    /// # Errors
    /// Not one parameter, or a wrong value (400); unknown (404); against a rule (422).
    pub(crate) fn change_subscription(
        &mut self,
        desk: &Desk,
        id: u64,
        change: SubscriptionChange,
    ) -> Result<Value, Fail> {
        if change.count() != 1 {
            return Err(Fail::invalid("exactly one parameter is taken"));
        }
        let mut subscription = self.subscription(id)?.clone();
        if let Some(status) = &change.status {
            set_status(desk, &mut subscription, status)?;
        }
        if let Some(at) = change.expires_at {
            let is_ours = subscription.manager == Manager::Cleeng;
            if is_ours && (at <= desk.seconds() || at < subscription.to) {
                return Err(Fail::unprocessable(
                    "expiresAt cannot be in the past or shortened",
                ));
            }
            self.end_at(desk, &mut subscription, at);
        }
        if let Some(details) = change.payment_details_id {
            self.attach(&mut subscription, details.0)?;
        }
        if let Some(coupon) = change.coupon_code {
            subscription.coupon = Some(coupon);
        }
        if let Some(in_trial) = change.in_trial {
            subscription.phase = match in_trial {
                true => Phase::Trial,
                false => Phase::Paid,
            };
        }
        if let Some(properties) = change.external_properties {
            subscription.properties = properties;
        }
        if let Some(new) = change.external_id {
            super::wire::external_id(&new)?;
            match &mut subscription.manager {
                Manager::External { external_id, .. } => *external_id = new,
                Manager::Cleeng => {
                    return Err(Fail::unprocessable(
                        "Subscription is not externally managed",
                    ));
                }
            }
        }
        self.keep(subscription);
        let shown = self.read_subscription(desk, id)?;
        Ok(json!({ "success": true, "subscription": shown, "message": "" }))
    }

    /// Its cycles are counted from this new end on.
    pub(crate) fn end_at(&self, desk: &Desk, subscription: &mut Subscription, at: i64) {
        subscription.to = at;
        subscription.anchor = at;
        subscription.completed = 0;
        subscription.round = self
            .dunning(subscription.payment_method_id, subscription.cycle)
            .round(desk.seconds(), at);
    }

    /// The renewals are paid by these details from now on.
    pub(crate) fn attach(&self, subscription: &mut Subscription, id: u64) -> Result<(), Fail> {
        match self.details.get(&id) {
            Some(details) if details.customer_id == subscription.customer_id => {
                subscription.details_id = Some(id);
                subscription.payment_method_id = Some(details.payment_method_id);
                Ok(())
            }
            Some(_) | None => Err(Fail::unprocessable(format!(
                "Payment details with id: {id} not found"
            ))),
        }
    }
}

fn check(desk: &Desk, act: &Act) -> Result<(), Fail> {
    let wrong = match act {
        Act::Cancel { reason } if !(1..=512).contains(&reason.chars().count()) => {
            "cancellationReason"
        }
        Act::Terminate { kind } if !TERMINATIONS.contains(&kind.as_str()) => "terminationType",
        Act::Revive { until } if *until <= desk.seconds() => "expirationDate",
        Act::Transfer { customer_id: 0 } => "customerId",
        Act::Cancel { .. }
        | Act::Activate
        | Act::Revive { .. }
        | Act::Terminate { .. }
        | Act::Transfer { .. }
        | Act::Pause
        | Act::Resume => return Ok(()),
    };
    Err(Fail::invalid(format!("{wrong} value is invalid")))
}

fn set_status(desk: &Desk, subscription: &mut Subscription, status: &str) -> Result<(), Fail> {
    match (status, subscription.standing) {
        ("active", Standing::Active | Standing::Stopped) => {
            subscription.standing = Standing::Active;
            subscription.round.end = End::Ahead;
        }
        ("stopped", Standing::Active | Standing::Stopped) => {
            subscription.standing = Standing::Stopped;
        }
        ("terminated", Standing::Active | Standing::Stopped | Standing::Paused) => {
            terminate(desk, subscription, "status".to_owned());
        }
        ("active" | "stopped" | "terminated", standing) => {
            return Err(Fail::unprocessable(format!(
                "Subscription is {}",
                standing.name()
            )));
        }
        _ => return Err(Fail::invalid("status value is invalid")),
    }
    Ok(())
}

fn terminate(desk: &Desk, subscription: &mut Subscription, kind: String) {
    subscription.standing = Standing::Terminated;
    subscription.termination = Some(kind);
    subscription.to = desk.seconds();
}
