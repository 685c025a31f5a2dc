//! What a request does to the gateway's objects, once it is taken in.

use super::objects::State;
use super::script::Effect;
use super::world::{Flavour, World};
use crate::domain::attempt::{Prepared, Stage};
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::GatewayRef;
use crate::domain::outcome::Outcome;

const CONFLICT: CallError = CallError::Unknown {
    cause: Cause::StateConflict,
};

impl World {
    /// Does what is asked, as far as the object's state allows it.
    pub(super) fn execute(
        &mut self,
        request: &Prepared,
        effect: Effect,
    ) -> Result<Outcome, CallError> {
        let named = request.path.strip_prefix("/objects/");
        let named = named.and_then(|name| self.objects.find(&GatewayRef(name.to_owned())));
        let object = match (request.stage, self.flavour, named) {
            (Stage::Create, Flavour::TwoStep, None) => self.objects.make(State::Open),
            (Stage::Charge, Flavour::OneCall, None) => {
                let object = self.objects.make(State::Open);
                self.objects.set(object, effect.state(self.kind));
                object
            }
            (Stage::Charge, Flavour::TwoStep, Some(object)) => {
                if self.objects.states[object] != State::Open {
                    return Err(CONFLICT);
                }
                self.objects.set(object, effect.state(self.kind));
                object
            }
            (Stage::Cancel, _, Some(object)) => match self.objects.states[object] {
                State::Open | State::Action | State::Authorized => {
                    self.objects.set(object, State::Cancelled);
                    object
                }
                State::Pending
                | State::Captured
                | State::Declined
                | State::Cancelled
                | State::Lapsed => return Err(CONFLICT),
            },
            (Stage::Capture, _, Some(object)) => return self.capture(object, effect),
            (Stage::Void, _, Some(object)) => {
                if self.objects.states[object] != State::Authorized {
                    return Err(CONFLICT);
                }
                self.objects.set(object, State::Cancelled);
                object
            }
            (stage, flavour, _) => panic!("{flavour:?} has no {stage:?} to {}", request.path),
        };
        Ok(self.objects.outcome(object))
    }

    fn capture(&mut self, object: usize, effect: Effect) -> Result<Outcome, CallError> {
        match self.objects.states[object] {
            State::Authorized => self.objects.set(object, State::Captured),
            State::Lapsed => return Ok(Outcome::Lapsed { reference: None }),
            State::Captured => panic!("asked again under a new key for money that is taken"),
            State::Cancelled => return Err(CONFLICT),
            State::Open | State::Action | State::Pending | State::Declined => {
                panic!("nothing was ever held")
            }
        }
        if effect == Effect::Pending {
            // Taken, but the answer does not say so yet.
            let reference = self.objects.reference(object);
            return Ok(Outcome::Pending { reference });
        }
        Ok(self.objects.outcome(object))
    }
}
