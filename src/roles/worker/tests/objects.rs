//! What is true at the gateway: its objects for one payment, and the money that it took.

use super::script::Effect;
use crate::domain::ids::GatewayRef;
use crate::domain::money::Money;
use crate::domain::outcome::{Decline, DeclineClass, NextAction, Outcome, Progress};
use crate::domain::payment::Payment;
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
}

pub(super) struct Objects {
    /// What their names begin with.
    name: String,
    amount: Money,
    pub(super) states: Vec<State>,
    charges: u32,
}

impl Objects {
    pub(super) fn new(payment: &Payment) -> Objects {
        Objects {
            name: payment.id.to_string(),
            amount: payment.order.as_ref().unwrap().amount,
            states: Vec::new(),
            charges: 0,
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
        }
    }
}

impl Effect {
    pub(super) fn state(self) -> State {
        match self {
            Effect::Capture => State::Captured,
            Effect::Authorize => State::Authorized,
            Effect::Decline => State::Declined,
            Effect::Action => State::Action,
            Effect::Pending => State::Pending,
        }
    }
}
