//! What a dead letter would lead to if it were sent back now: the plans, asked ahead of time.

#[cfg(test)]
pub(super) mod tests;

use std::time::Duration;

use super::attempt::{AttemptState, Stage};
use super::confirmation::{ConfirmationId, Delivery};
use super::dead::DeadReason;
use super::delivery;
use super::message::{About, Body};
use super::moment::Moment;
use super::payment::Known;
use super::plan::{self, Doubt, FollowUp, Seen, Step, Trigger};
use super::queue::Queue;
use super::reopening::Reopening;

/// All that a forecast is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) source: Option<&'a Queue>,
    /// Nothing when the message cannot be read.
    pub(crate) body: Option<&'a Body>,
    /// Nothing when the ledger has no such payment.
    pub(crate) known: Option<&'a Known>,
    /// Whether the payment's gateway is configured here.
    pub(crate) gateway_configured: bool,
    pub(crate) reopening: Reopening,
    pub(crate) settle_time: Duration,
    pub(crate) now: Moment,
}

/// The next thing that would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forecast {
    /// A request that was surely never done is sent: it moves money.
    Charge,
    /// The payment's state is read at its gateway.
    LookUp,
    /// A request whose answer was lost is sent again, under its own key: the gateway does it once.
    SameKey,
    /// The payment is ended at its gateway, since its time is over.
    Cancel,
    Expire,
    /// The payer or the gateway is waited for.
    Wait,
    /// What Cleeng asked for is looked at anew, from what is known by then.
    LookAgain,
    /// Cleeng is told.
    Deliver,
    /// Cleeng is read before anything is sent.
    ReadBack,
    /// Another confirmation of the payment comes first.
    AwaitEarlier,
    /// All is done already.
    Nothing,
    /// Cleeng may have it already and cannot be asked, or has later news by now.
    OnlyForced,
    /// It would come back: only an operator can settle the payment.
    Stuck(Doubt),
    /// It would come back for this reason.
    ComesBack(DeadReason),
    /// It does not say where it came from.
    NoSource,
}

/// The idempotency key of the payment's request that is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenKey {
    pub(crate) expires_at: Moment,
    pub(crate) alive: bool,
}

impl Forecast {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Forecast::Charge => "charge",
            Forecast::LookUp => "look_up",
            Forecast::SameKey => "replay_under_same_key",
            Forecast::Cancel => "cancel",
            Forecast::Expire => "expire",
            Forecast::Wait => "wait",
            Forecast::LookAgain => "look_again",
            Forecast::Deliver => "deliver",
            Forecast::ReadBack => "read_back",
            Forecast::AwaitEarlier => "await_earlier",
            Forecast::Nothing => "nothing",
            Forecast::OnlyForced => "only_forced",
            Forecast::Stuck(_) => "stuck",
            Forecast::ComesBack(_) => "comes_back",
            Forecast::NoSource => "no_source",
        }
    }

    /// For an operator, after "a replay …".
    pub(crate) fn sentence(self) -> String {
        let fixed = match self {
            Forecast::Charge => "charges at the gateway: nothing was done there yet",
            Forecast::LookUp => "reads the payment at its gateway, and goes on from what it says",
            Forecast::SameKey => "sends the open request again, under its own key",
            Forecast::Cancel => "ends the payment at its gateway: its time is over",
            Forecast::Expire => "lets the payment expire: its time is over, nothing was charged",
            Forecast::Wait => "waits for the payer or the gateway",
            Forecast::LookAgain => {
                "looks anew at what Cleeng asked for, and does what is still to do"
            }
            Forecast::Deliver => "delivers to Cleeng",
            Forecast::ReadBack => "reads what Cleeng has, and delivers only what is missing",
            Forecast::AwaitEarlier => "waits for an earlier confirmation of the payment",
            Forecast::Nothing => "does nothing: all is done already",
            Forecast::OnlyForced => {
                "is made only with --force: Cleeng may have it already and cannot be asked, or has later news of the payment; sending it may double the record"
            }
            Forecast::NoSource => "is not possible: it does not say from which queue it came",
            Forecast::Stuck(doubt) => {
                return format!("comes back: the payment stays in doubt ({})", doubt.label());
            }
            Forecast::ComesBack(reason) => return format!("comes back ({})", reason.label()),
        };
        fixed.to_owned()
    }

    /// Whether the message would only come back to the dead letters.
    pub(crate) fn is_futile(self) -> bool {
        match self {
            Forecast::Stuck(_) | Forecast::ComesBack(_) => true,
            Forecast::Charge
            | Forecast::LookUp
            | Forecast::SameKey
            | Forecast::Cancel
            | Forecast::Expire
            | Forecast::Wait
            | Forecast::LookAgain
            | Forecast::Deliver
            | Forecast::ReadBack
            | Forecast::AwaitEarlier
            | Forecast::Nothing
            | Forecast::OnlyForced
            | Forecast::NoSource => false,
        }
    }
}

pub(crate) fn forecast(situation: &Situation<'_>) -> Forecast {
    let Some(source) = situation.source else {
        return Forecast::NoSource;
    };
    let Some(body) = situation.body else {
        return Forecast::ComesBack(DeadReason::Undecodable);
    };
    if let Body::Confirm {
        confirmation_id, ..
    } = body
    {
        return match (source, situation.known) {
            (Queue::Commands { .. } | Queue::GatewayEvents | Queue::Dead, _) => {
                Forecast::ComesBack(DeadReason::WrongQueue)
            }
            (Queue::Confirmations, None) => Forecast::ComesBack(DeadReason::UnknownPayment),
            (Queue::Confirmations, Some(known)) => confirmation(situation, known, *confirmation_id),
        };
    }
    if let (Queue::Confirmations, Body::Answer { .. }) = (source, body) {
        return Forecast::LookAgain;
    }
    match (source, situation.known) {
        (Queue::Confirmations | Queue::Dead, _) => Forecast::ComesBack(DeadReason::WrongQueue),
        (Queue::Commands { .. } | Queue::GatewayEvents, None) => without_payment(body),
        (Queue::Commands { .. } | Queue::GatewayEvents, Some(_))
            if !situation.gateway_configured =>
        {
            Forecast::ComesBack(DeadReason::UnknownGateway)
        }
        (Queue::Commands { .. } | Queue::GatewayEvents, Some(known)) => match trigger(body) {
            Some(trigger) => command(&trigger, known, situation.now),
            None => Forecast::LookAgain,
        },
    }
}

/// The key of the latest request that is still open.
pub(crate) fn open_key(known: &Known, now: Moment) -> Option<OpenKey> {
    let mut latest_first = known.attempts.iter().rev();
    let open = latest_first.find(|attempt| attempt.state.is_open())?;
    Some(OpenKey {
        expires_at: open.key_expires_at,
        alive: now < open.key_expires_at,
    })
}

/// An event that is about nothing of ours is done with; everything else names its payment.
fn without_payment(body: &Body) -> Forecast {
    match body {
        Body::GatewayEvent {
            payment_id: None, ..
        } => Forecast::Nothing,
        Body::GatewayEvent { .. }
        | Body::Charge { .. }
        | Body::Continue { .. }
        | Body::Recheck { .. }
        | Body::Capture { .. }
        | Body::Void { .. }
        | Body::Refund { .. }
        | Body::Confirm { .. } => Forecast::ComesBack(DeadReason::UnknownPayment),
        Body::Demand { .. } | Body::Answer { .. } => Forecast::LookAgain,
    }
}

/// None: not a matter of the payment's own plan.
fn trigger(body: &Body) -> Option<Trigger> {
    match body {
        Body::Charge { .. } | Body::Confirm { .. } => Some(Trigger::Charge),
        Body::Continue { .. } => Some(Trigger::Continue),
        Body::Recheck { .. } => Some(Trigger::Sweep),
        Body::Capture { .. } => Some(Trigger::Capture),
        Body::Void { .. } => Some(Trigger::Void),
        Body::GatewayEvent {
            about: About::Payment,
            reference,
            ..
        } => Some(Trigger::Event(reference.clone())),
        Body::GatewayEvent { .. }
        | Body::Refund { .. }
        | Body::Demand { .. }
        | Body::Answer { .. } => None,
    }
}

fn command(trigger: &Trigger, known: &Known, now: Moment) -> Forecast {
    match plan::next(trigger, known, Seen::Nothing, now) {
        Step::ReadOrder | Step::Begin => Forecast::Charge,
        Step::Follow(FollowUp::Capture) => Forecast::Charge,
        Step::Follow(FollowUp::Void) => Forecast::Cancel,
        Step::Send(id) => {
            let attempt = known.attempts.iter().find(|attempt| attempt.id == id);
            let fresh = |state| matches!(state, AttemptState::NotDone(_));
            match attempt {
                Some(attempt) if matches!(attempt.request.stage, Stage::Cancel | Stage::Void) => {
                    Forecast::Cancel
                }
                Some(attempt) if attempt.request.stage.moves_money() && !fresh(attempt.state) => {
                    Forecast::SameKey
                }
                Some(_) | None => Forecast::Charge,
            }
        }
        Step::Reopen(_) => Forecast::Charge,
        Step::LookUp(_) => Forecast::LookUp,
        Step::Cancel(_) => Forecast::Cancel,
        Step::Expire => Forecast::Expire,
        Step::AwaitPayer | Step::AwaitGateway => Forecast::Wait,
        Step::Stuck(doubt) => Forecast::Stuck(doubt),
        Step::Fail => Forecast::ComesBack(DeadReason::TooManyAttempts),
        Step::Failed => Forecast::ComesBack(DeadReason::PaymentFailed),
        Step::Foreign => Forecast::ComesBack(DeadReason::ReferenceMismatch),
        // A worker that finds nothing to do queues what Cleeng is still owed.
        Step::Rest if is_owed(known) => Forecast::Deliver,
        Step::Rest => Forecast::Nothing,
    }
}

fn is_owed(known: &Known) -> bool {
    let mut all = known.confirmations.iter();
    all.any(|one| one.delivery == Delivery::Queued)
}

/// As the confirmer would find it after the confirmation was taken up again.
fn confirmation(situation: &Situation<'_>, known: &Known, id: ConfirmationId) -> Forecast {
    if situation.reopening == Reopening::OnlyForced {
        return Forecast::OnlyForced;
    }
    let mut known = known.clone();
    if let Some(delivery) = situation.reopening.delivery() {
        let own = known.confirmations.iter_mut().find(|one| one.id == id);
        if let Some(own) = own {
            own.delivery = delivery;
        }
    }
    match delivery::next(&known, id, situation.now, situation.settle_time) {
        delivery::Step::Send { .. } => Forecast::Deliver,
        delivery::Step::ReadBack | delivery::Step::Settle { .. } => Forecast::ReadBack,
        delivery::Step::AwaitEarlier => Forecast::AwaitEarlier,
        delivery::Step::Done => Forecast::Nothing,
        delivery::Step::GivenUp => Forecast::ComesBack(DeadReason::GivenUp),
        delivery::Step::Unknown => Forecast::ComesBack(DeadReason::UnknownConfirmation),
    }
}
