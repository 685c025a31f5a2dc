//! The breakers of one process: one for each gateway, one for Cleeng; all its tasks share them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::CallLimits;
use crate::domain::breaker::{Admission, Breaker, Change, Sign};
use crate::domain::failure::CallError;
use crate::domain::ids::GatewayName;
use crate::telemetry::metrics::Metrics;

/// How Cleeng is called among the gateways.
const CLEENG: &str = "cleeng";

pub(crate) struct Breakers {
    gateways: BTreeMap<GatewayName, Arc<Guard>>,
    cleeng: Arc<Guard>,
}

/// Watches over the calls to one outside system.
pub(crate) struct Guard {
    target: String,
    breaker: Mutex<Breaker>,
    metrics: Arc<Metrics>,
}

/// A call that may be made. Dropped without an end it tells nothing.
#[must_use = "what came of the call has to be told"]
pub(crate) struct Call {
    guard: Arc<Guard>,
    admission: Admission,
    sign: Sign,
}

impl Breakers {
    pub(crate) fn new(
        gateways: impl IntoIterator<Item = (GatewayName, CallLimits)>,
        cleeng: CallLimits,
        metrics: &Arc<Metrics>,
    ) -> Breakers {
        Breakers {
            gateways: gateways
                .into_iter()
                .map(|(name, limits)| (name.clone(), Guard::new(name.as_str(), limits, metrics)))
                .collect(),
            cleeng: Guard::new(CLEENG, cleeng, metrics),
        }
    }

    pub(crate) fn gateway(&self, name: &GatewayName) -> Option<Arc<Guard>> {
        self.gateways.get(name).cloned()
    }

    pub(crate) fn cleeng(&self) -> Arc<Guard> {
        Arc::clone(&self.cleeng)
    }
}

impl Guard {
    fn new(target: &str, limits: CallLimits, metrics: &Arc<Metrics>) -> Arc<Guard> {
        metrics.breaker_unused(target);
        Arc::new(Guard {
            target: target.to_owned(),
            breaker: Mutex::new(Breaker::new(limits.breaker_failures)),
            metrics: Arc::clone(metrics),
        })
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn is_open(&self) -> bool {
        self.breaker().is_open()
    }

    /// Asks for a call; nothing while the other side is away and somebody probes it already.
    pub(crate) fn begin(self: &Arc<Guard>) -> Option<Call> {
        let admission = self.breaker().begin();
        (admission != Admission::Wait).then(|| Call {
            guard: Arc::clone(self),
            admission,
            sign: Sign::Neither,
        })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// The call is over, and this came of it.
    pub(crate) fn ended<T>(mut self, answer: &Result<T, CallError>) {
        self.sign = Sign::of(answer);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let change = self.guard.breaker().end(self.admission, self.sign);
        match change {
            Change::Opened => self.guard.metrics.breaker_opened(&self.guard.target),
            Change::Closed => self.guard.metrics.breaker_closed(&self.guard.target),
            Change::Same => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::sample::LIMITS;

    fn guard() -> Arc<Guard> {
        let limits = CallLimits {
            breaker_failures: 1,
            ..LIMITS
        };
        let metrics = Arc::new(Metrics::new([]).unwrap());
        Breakers::new([("stripe".parse().unwrap(), limits)], limits, &metrics)
            .gateway(&"stripe".parse().unwrap())
            .unwrap()
    }

    fn away() -> Result<(), CallError> {
        Err(CallError::Unknown {
            cause: crate::domain::failure::Cause::TimedOut,
        })
    }

    #[test]
    fn the_gauge_follows_the_breaker() {
        let guard = guard();
        let shown = |value: u8| {
            let line = format!("connector_breaker_open{{target=\"stripe\"}} {value}");
            assert!(guard.metrics.encode().unwrap().contains(&line), "{line}");
        };
        shown(0);
        guard.begin().unwrap().ended(&away());
        shown(1);
        guard.begin().unwrap().ended(&Ok(()));
        shown(0);
    }

    #[test]
    fn a_probe_that_is_broken_off_lets_the_next_one_go() {
        let guard = guard();
        guard.begin().unwrap().ended(&away());
        let probe = guard.begin().unwrap();
        assert!(guard.begin().is_none());
        drop(probe);
        assert!(guard.begin().is_some() && guard.is_open());
    }
}
