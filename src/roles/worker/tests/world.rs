//! The gateway's door: how each call ends, and what is kept under each idempotency key.

use std::collections::{BTreeMap, VecDeque};

use super::objects::Objects;
use super::script::{Call, Effect, Ending, Kind, Script};
use crate::domain::attempt::Prepared;
use crate::domain::failure::{CallError, Cause};
use crate::domain::ids::{AttemptId, GatewayRef};
use crate::domain::outcome::Outcome;
use crate::domain::payment::Payment;

/// How the gateway lets itself be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// It makes an object first, then charges it: a lost answer is found by reading.
    TwoStep,
    /// Its id is known only from the charge's answer: a lost answer is found by the key.
    OneCall,
}

/// What comes back, if the worker lives to see it.
pub(super) enum Back {
    Answer(Result<Outcome, CallError>),
    Death,
}

/// What is kept under a key.
#[derive(Clone)]
enum Kept {
    Outcome(Outcome),
    Error,
    /// Not done yet: the calls that are left until it is.
    Flight {
        request: Prepared,
        effect: Effect,
        calls_left: u8,
    },
}

pub(super) struct World {
    pub(super) flavour: Flavour,
    pub(super) kind: Kind,
    calls: VecDeque<Call>,
    pub(super) objects: Objects,
    keys: BTreeMap<String, Kept>,
    /// Requests that were sent, reads aside.
    pub(super) requests: usize,
    /// The next request of the charge cannot be put into this gateway's words.
    pub(super) unsayable: bool,
    /// A request was refused for good.
    pub(super) refused: bool,
    /// A key has become useless while its charge may have been done.
    pub(super) key_lost: bool,
}

impl World {
    pub(super) fn new(flavour: Flavour, payment: &Payment, script: &Script) -> World {
        World {
            flavour,
            kind: script.kind,
            calls: script.calls.iter().copied().collect(),
            objects: Objects::new(payment),
            keys: BTreeMap::new(),
            requests: 0,
            unsayable: false,
            refused: false,
            key_lost: false,
        }
    }

    pub(super) fn next_call(&mut self) -> Call {
        self.calls.pop_front().unwrap_or(Call {
            pause_before: 0,
            ending: Ending::Answered,
            effect: Effect::Capture,
            pause_after: 0,
        })
    }

    /// From here on every call ends well; what was on its way has arrived.
    pub(super) fn calm(&mut self) {
        self.calls.clear();
        self.land_all();
    }

    /// The gateway forgets all keys, and what was on its way under them has arrived.
    pub(super) fn forget_keys(&mut self) {
        self.land_all();
        self.key_lost = true;
        self.keys.clear();
    }

    /// Takes a request in under `key`.
    pub(super) fn receive(&mut self, key: AttemptId, request: &Prepared, call: Call) -> Back {
        self.pass_time();
        self.requests += 1;
        let key = key.to_string();
        match call.ending {
            Ending::NotDone(cause) => return Back::Answer(Err(not_done(cause))),
            Ending::TurnedAway => return Back::Answer(Err(turned_away())),
            Ending::LostBefore => return unknown(Cause::TimedOut),
            Ending::KilledBefore => return Back::Death,
            Ending::Answered
            | Ending::Refused
            | Ending::LostAfter(_)
            | Ending::StoredBefore
            | Ending::StoredAfter
            | Ending::Later(_)
            | Ending::KilledAfter => {}
        }
        let answer = match self.keys.get(&key).cloned() {
            Some(Kept::Outcome(outcome)) => Ok(outcome),
            Some(Kept::Error) => Err(CallError::Unknown {
                cause: Cause::StoredError,
            }),
            Some(Kept::Flight { .. }) => Err(CallError::Unknown {
                cause: Cause::InFlight,
            }),
            None => self.first_time(&key, request, call),
        };
        match call.ending {
            Ending::LostAfter(cause) => unknown(cause),
            Ending::KilledAfter => Back::Death,
            Ending::Answered
            | Ending::Refused
            | Ending::StoredBefore
            | Ending::StoredAfter
            | Ending::Later(_)
            | Ending::NotDone(_)
            | Ending::TurnedAway
            | Ending::LostBefore
            | Ending::KilledBefore => Back::Answer(answer),
        }
    }

    pub(super) fn show(&mut self, reference: &GatewayRef, call: Call) -> Back {
        self.pass_time();
        match call.ending {
            Ending::NotDone(cause) => return Back::Answer(Err(not_done(cause))),
            Ending::TurnedAway => return Back::Answer(Err(turned_away())),
            Ending::LostBefore | Ending::LostAfter(_) => {
                return Back::Answer(Err(not_done(Cause::TimedOut)));
            }
            Ending::KilledBefore | Ending::KilledAfter => return Back::Death,
            Ending::Answered
            | Ending::Refused
            | Ending::StoredBefore
            | Ending::StoredAfter
            | Ending::Later(_) => {}
        }
        Back::Answer(match self.objects.find(reference) {
            Some(object) => Ok(self.objects.outcome(object)),
            None => Err(CallError::Refused {
                code: "unknown_object".to_owned(),
            }),
        })
    }

    fn first_time(
        &mut self,
        key: &str,
        request: &Prepared,
        call: Call,
    ) -> Result<Outcome, CallError> {
        let on_its_way = |kept: &Kept| matches!(kept, Kept::Flight { request: other, .. } if other.stage == request.stage);
        assert!(
            !request.stage.moves_money() || !self.keys.values().any(on_its_way),
            "a second key while the first may still move money"
        );
        let server_error = CallError::Unknown {
            cause: Cause::ServerError,
        };
        match call.ending {
            Ending::Refused => {
                self.refused = true;
                Err(CallError::Refused {
                    code: "never".to_owned(),
                })
            }
            Ending::StoredBefore | Ending::StoredAfter => {
                if call.ending == Ending::StoredAfter {
                    self.execute(request, call.effect)?;
                }
                self.key_lost = true;
                self.keys.insert(key.to_owned(), Kept::Error);
                Err(server_error)
            }
            Ending::Later(calls_left) => {
                let flight = Kept::Flight {
                    request: request.clone(),
                    effect: call.effect,
                    calls_left,
                };
                self.keys.insert(key.to_owned(), flight);
                Err(CallError::Unknown {
                    cause: Cause::TimedOut,
                })
            }
            Ending::Answered
            | Ending::LostAfter(_)
            | Ending::KilledAfter
            | Ending::NotDone(_)
            | Ending::TurnedAway
            | Ending::LostBefore
            | Ending::KilledBefore => {
                let outcome = self.execute(request, call.effect)?;
                self.keys
                    .insert(key.to_owned(), Kept::Outcome(outcome.clone()));
                Ok(outcome)
            }
        }
    }

    /// A call has come by: what is on its way is nearer.
    fn pass_time(&mut self) {
        for kept in self.keys.values_mut() {
            if let Kept::Flight { calls_left, .. } = kept {
                *calls_left = calls_left.saturating_sub(1);
            }
        }
        self.land(|calls_left| calls_left == 0);
    }

    fn land_all(&mut self) {
        self.land(|_| true);
    }

    fn land(&mut self, now: impl Fn(u8) -> bool) {
        for (key, kept) in self.keys.clone() {
            match kept {
                Kept::Flight {
                    request,
                    effect,
                    calls_left,
                } if now(calls_left) => match self.execute(&request, effect) {
                    Ok(outcome) => self.keys.insert(key, Kept::Outcome(outcome)),
                    Err(_) => self.keys.remove(&key),
                },
                Kept::Flight { .. } | Kept::Outcome(_) | Kept::Error => None,
            };
        }
    }
}

fn unknown(cause: Cause) -> Back {
    Back::Answer(Err(CallError::Unknown { cause }))
}

fn not_done(cause: Cause) -> CallError {
    CallError::NotDone {
        cause,
        retry_after: None,
    }
}

fn turned_away() -> CallError {
    CallError::Broken {
        code: "401".to_owned(),
    }
}
