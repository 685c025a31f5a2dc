//! What is true at the gateway: its objects for one payment, and the money that it took.

use super::script::{Effect, Kind};
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass, NextAction, Outcome, Progress};
use crate::domain::payment::{Payment, Take};
use crate::domain::secret::Secret;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Action,
    Pending,
    Authorized,
    Captured,
    Declined,
    Cancelled,
    /// What it held ran out.
    Lapsed,
}

pub(super) struct Objects {
    /// What their names begin with.
    name: String,
    pub(super) amount: Money,
    pub(super) states: Vec<State>,
    charges: u32,
    captures: u32,
}

impl Objects {
    pub(super) fn new(payment: &Payment) -> Objects {
        Objects {
            name: payment.id.to_string(),
            amount: payment.order.as_ref().unwrap().amount,
            states: Vec::new(),
            charges: 0,
            captures: 0,
        }
    }

    pub(super) fn has(&self, state: State) -> bool {
        self.states.contains(&state)
    }

    pub(super) fn reference(&self, object: usize) -> GatewayRef {
        GatewayRef(format!("{}_{object}", self.name))
    }

    pub(super) fn move_all(&mut self, from: State, to: State) {
        for object in 0..self.states.len() {
            if self.states[object] == from {
                self.set(object, to);
            }
        }
    }

    pub(super) fn make(&mut self, state: State) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    pub(super) fn set(&mut self, object: usize, to: State) {
        let had_money = matches!(self.states[object], State::Authorized | State::Captured);
        if !had_money && matches!(to, State::Authorized | State::Captured) {
            self.charges += 1;
            assert!(self.charges <= 1, "the payer was charged twice");
        }
        if self.states[object] != State::Captured && to == State::Captured {
            self.captures += 1;
            assert!(self.captures <= 1, "the money was taken twice");
        }
        self.states[object] = to;
    }

    pub(super) fn find(&self, reference: &GatewayRef) -> Option<usize> {
        (0..self.states.len()).find(|object| self.reference(*object) == *reference)
    }

    pub(super) fn outcome(&self, object: usize) -> Outcome {
        let reference = self.reference(object);
        let (amount, stored) = (self.amount, None);
        match self.states[object] {
            State::Open => Outcome::Opened {
                progress: Progress {
                    customer: None,
                    reference: Some(reference),
                },
            },
            State::Action => Outcome::RequiresAction {
                reference,
                action: NextAction::Redirect {
                    url: Secret::new("https://bank.example/3ds".to_owned()),
                },
            },
            State::Pending => Outcome::Pending { reference },
            State::Authorized => Outcome::Authorized {
                reference,
                amount,
                stored,
                capture_before: None,
            },
            State::Captured => Outcome::Captured {
                reference,
                amount,
                stored,
            },
            State::Declined => Outcome::Rejected {
                reference: Some(reference),
                decline: Decline {
                    class: DeclineClass::Soft,
                    code: "insufficient_funds".to_owned(),
                },
            },
            State::Cancelled => Outcome::Cancelled { reference },
            State::Lapsed => Outcome::Lapsed {
                reference: Some(reference),
            },
        }
    }
}

impl Effect {
    /// A payment that reserves takes nothing yet, and for a renewal there is no payer who could act.
    pub(super) fn state(self, kind: Kind) -> State {
        match self {
            Effect::Capture => kind.taken(),
            Effect::Authorize if kind == Kind::Renewal(Take::AtOnce) => State::Captured,
            Effect::Authorize => State::Authorized,
            Effect::Action if matches!(kind, Kind::Renewal(_)) => State::Declined,
            Effect::Decline => State::Declined,
            Effect::Action => State::Action,
            Effect::Pending => State::Pending,
        }
    }
}

impl Kind {
    /// What a charge that goes well comes to.
    pub(super) fn taken(self) -> State {
        match self.reserves() {
            true => State::Authorized,
            false => State::Captured,
        }
    }
}
