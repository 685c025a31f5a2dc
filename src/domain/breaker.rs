//! Whether an outside system is away: decided from what its calls give, one after the other.

use super::failure::{CallError, Cause};

/// Closed while the other side answers. Open after too many calls in a row without an answer; then one call at a time is a
/// probe, and any answer closes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breaker {
    /// 0: it never opens.
    threshold: u32,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { probing: bool },
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Call,
    /// The one call that finds out whether the other side is back.
    Probe,
    /// The other side is away, and is probed already.
    Wait,
}

/// What a call tells about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answers, whatever it says.
    Alive,
    /// No connection, no answer, or one that only a broken server gives.
    Silent,
    /// Nothing.
    Neither,
}

/// What became of the breaker by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Closed,
    Same,
}

impl Sign {
    pub(crate) fn of<T>(answer: &Result<T, CallError>) -> Sign {
        match answer {
            Ok(_) | Err(CallError::Refused { .. } | CallError::Broken { .. }) => Sign::Alive,
            Err(CallError::NotDone { cause, .. } | CallError::Unknown { cause }) => match cause {
                Cause::Connect
                | Cause::TimedOut
                | Cause::Reset
                | Cause::ServerError
                | Cause::Unreadable => Sign::Silent,
                Cause::RateLimited | Cause::InFlight | Cause::StateConflict | Cause::Credential => {
                    Sign::Alive
                }
                // Out of the gateway's store: it was broken then, and may be still.
                Cause::StoredError => Sign::Neither,
            },
        }
    }
}

impl Breaker {
    pub(crate) fn new(threshold: u32) -> Breaker {
        Breaker {
            threshold,
            state: State::Closed { failures: 0 },
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { .. } => true,
        }
    }

    /// A call wants to be made. Unless it has to wait, [`Breaker::end`] follows.
    pub(crate) fn begin(&mut self) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Call,
            State::Open { probing: true } => Admission::Wait,
            State::Open { probing: false } => {
                self.state = State::Open { probing: true };
                Admission::Probe
            }
        }
    }

    /// A call that was admitted is over.
    pub(crate) fn end(&mut self, admission: Admission, sign: Sign) -> Change {
        let (state, change) = match (&self.state, sign) {
            (State::Closed { .. }, Sign::Alive) => (State::Closed { failures: 0 }, Change::Same),
            (State::Closed { failures }, Sign::Silent) => {
                let failures = failures.saturating_add(1);
                if self.threshold > 0 && failures >= self.threshold {
                    (State::Open { probing: false }, Change::Opened)
                } else {
                    (State::Closed { failures }, Change::Same)
                }
            }
            (State::Open { .. }, Sign::Alive) => (State::Closed { failures: 0 }, Change::Closed),
            (State::Open { probing }, Sign::Silent | Sign::Neither) => {
                // A call from before the opening is not the probe.
                let probing = *probing && admission != Admission::Probe;
                (State::Open { probing }, Change::Same)
            }
            (State::Closed { failures }, Sign::Neither) => {
                let failures = *failures;
                (State::Closed { failures }, Change::Same)
            }
        };
        self.state = state;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(breaker: &mut Breaker, sign: Sign) -> Change {
        let admission = breaker.begin();
        assert_ne!(admission, Admission::Wait);
        breaker.end(admission, sign)
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::new(1);
        assert_eq!(call(&mut breaker, Sign::Silent), Change::Opened);
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_any_answer_between_them_starts_over() {
        let mut breaker = Breaker::new(3);
        for sign in [Sign::Silent, Sign::Silent, Sign::Alive, Sign::Silent] {
            assert_eq!(call(&mut breaker, sign), Change::Same);
        }
        assert_eq!(call(&mut breaker, Sign::Neither), Change::Same);
        assert_eq!(call(&mut breaker, Sign::Silent), Change::Same);
        assert_eq!(call(&mut breaker, Sign::Silent), Change::Opened);
        assert!(breaker.is_open());
    }

    #[test]
    fn an_open_one_admits_one_probe_at_a_time() {
        let mut breaker = open();
        let probe = breaker.begin();
        assert_eq!(
            (probe, breaker.begin()),
            (Admission::Probe, Admission::Wait)
        );
        assert_eq!(breaker.end(probe, Sign::Silent), Change::Same);
        assert_eq!(breaker.begin(), Admission::Probe);
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let mut breaker = open();
        let probe = breaker.begin();
        breaker.end(probe, Sign::Neither);
        assert_eq!(breaker.begin(), Admission::Probe);
    }

    #[test]
    fn an_answer_closes_it() {
        let mut breaker = open();
        assert_eq!(call(&mut breaker, Sign::Alive), Change::Closed);
        assert_eq!(breaker.begin(), Admission::Call);
    }

    #[test]
    fn a_late_failure_from_before_the_opening_is_not_the_probes() {
        let mut breaker = open();
        assert_eq!(breaker.begin(), Admission::Probe);
        assert_eq!(breaker.end(Admission::Call, Sign::Silent), Change::Same);
        assert_eq!(breaker.begin(), Admission::Wait);
    }

    #[test]
    fn a_threshold_of_zero_never_opens() {
        let mut breaker = Breaker::new(0);
        for _ in 0..1000 {
            assert_eq!(call(&mut breaker, Sign::Silent), Change::Same);
        }
    }

    #[test]
    fn only_silence_counts() {
        let not_done = |cause| {
            Err(CallError::NotDone {
                cause,
                retry_after: None,
            })
        };
        let code = || "401".to_owned();
        let table: [(Result<(), CallError>, Sign); 8] = [
            (Ok(()), Sign::Alive),
            (not_done(Cause::Connect), Sign::Silent),
            (not_done(Cause::RateLimited), Sign::Alive),
            (
                Err(CallError::Unknown {
                    cause: Cause::ServerError,
                }),
                Sign::Silent,
            ),
            (
                Err(CallError::Unknown {
                    cause: Cause::InFlight,
                }),
                Sign::Alive,
            ),
            (
                Err(CallError::Unknown {
                    cause: Cause::StoredError,
                }),
                Sign::Neither,
            ),
            (Err(CallError::Refused { code: code() }), Sign::Alive),
            (Err(CallError::Broken { code: code() }), Sign::Alive),
        ];
        for (answer, sign) in table {
            assert_eq!(Sign::of(&answer), sign, "{answer:?}");
        }
    }
}
