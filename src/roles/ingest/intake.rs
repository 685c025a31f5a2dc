//! Refusing new payments of a gateway while too many of its commands wait: decided from memory, before anything is written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::problem::Problem;
use crate::clock;
use crate::domain::ids::GatewayName;
use crate::domain::waiting::{Begun, Change, Intake, Waiting};
use crate::telemetry::metrics::Metrics;

/// What waits for each gateway. The process looks at the queues and tells [`Intakes::seen`].
pub(crate) struct Intakes {
    /// Empty when there is no limit.
    gateways: BTreeMap<GatewayName, Mutex<Waiting>>,
    metrics: Arc<Metrics>,
    asked: AtomicBool,
    asking: Notify,
}

impl Intakes {
    /// `limit` 0: nothing is refused, and nobody needs to look.
    pub(super) fn new<'a>(
        gateways: impl Iterator<Item = &'a GatewayName>,
        limit: u64,
        metrics: Arc<Metrics>,
    ) -> Intakes {
        let gateways = match limit {
            0 => BTreeMap::new(),
            _limit => gateways
                .map(|name| (name.clone(), Mutex::new(Waiting::new(limit))))
                .collect(),
        };
        for name in gateways.keys() {
            metrics.shedding_unused(name);
        }
        Intakes {
            gateways,
            metrics,
            asked: AtomicBool::new(false),
            asking: Notify::new(),
        }
    }

    /// The gateways whose queues are to be looked at.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = &GatewayName> {
        self.gateways.keys()
    }

    /// Whether a payment was asked for since this was asked last.
    pub(crate) fn asked_lately(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }

    /// Returns when a payment is asked for.
    pub(crate) async fn asked(&self) {
        self.asking.notified().await;
    }

    /// A look at the gateway's queue begins.
    pub(crate) fn begin(&self, gateway: &GatewayName) -> Option<Begun> {
        self.gateways.get(gateway).map(|known| lock(known).begin())
    }

    /// What the look showed; nothing when it failed.
    pub(crate) fn seen(&self, gateway: &GatewayName, begun: Begun, depth: Option<u64>) {
        let Some(known) = self.gateways.get(gateway) else {
            return;
        };
        let mut waiting = lock(known);
        if let Some(depth) = depth {
            waiting.seen(begun, depth, clock::now());
        }
        self.decide(gateway, &mut waiting);
    }

    /// For a request of which only the caller is known: refused when no gateway takes any.
    pub(super) fn any(&self) -> Result<(), Problem> {
        if self.gateways.is_empty() {
            return Ok(());
        }
        if !self.asked.swap(true, Ordering::Relaxed) {
            self.asking.notify_one();
        }
        let mut all = self.gateways.iter();
        let shut = all.all(|(name, known)| self.decide(name, &mut lock(known)) == Intake::Shed);
        match shut {
            true => Err(Problem::Overloaded),
            false => Ok(()),
        }
    }

    /// One more payment for the gateway; it counts as waiting until the guard is dropped, and then if it was queued.
    pub(super) fn enter(&self, gateway: &GatewayName) -> Result<UnderWay<'_>, Problem> {
        let Some(known) = self.gateways.get(gateway) else {
            return Ok(UnderWay(None));
        };
        let mut waiting = lock(known);
        match self.decide(gateway, &mut waiting) {
            Intake::Admit => {
                waiting.enter();
                Ok(UnderWay(Some(known)))
            }
            Intake::Shed => Err(Problem::Overloaded),
        }
    }

    /// A payment's command is in the gateway's queue.
    pub(super) fn queued(&self, gateway: &GatewayName) {
        if let Some(known) = self.gateways.get(gateway) {
            lock(known).queued();
        }
    }

    fn decide(&self, gateway: &GatewayName, waiting: &mut Waiting) -> Intake {
        let now = clock::now();
        let (intake, change) = waiting.intake(now);
        match change {
            Change::Began => {
                let (many, limit) = (waiting.estimate(now), waiting.limit());
                self.metrics.shedding_began(gateway, many, limit);
            }
            Change::Ended => self.metrics.shedding_ended(gateway, waiting.estimate(now)),
            Change::Same => {}
        }
        intake
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A payment that is being taken in.
#[must_use = "the payment counts until it is dropped"]
pub(super) struct UnderWay<'a>(Option<&'a Mutex<Waiting>>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.0 {
            lock(waiting).leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intakes(limit: u64) -> (Intakes, [GatewayName; 2]) {
        let names: [GatewayName; 2] = ["one".parse().unwrap(), "two".parse().unwrap()];
        let metrics = Arc::new(Metrics::new(&names).unwrap());
        (Intakes::new(names.iter(), limit, metrics), names)
    }

    fn show(intakes: &Intakes, gateway: &GatewayName, depth: u64) {
        let begun = intakes.begin(gateway).unwrap();
        intakes.seen(gateway, begun, Some(depth));
    }

    #[test]
    fn a_full_queue_shuts_its_own_gateway_and_all_of_them_the_door() {
        let (intakes, [one, two]) = intakes(10);
        show(&intakes, &one, 10);
        assert_eq!(intakes.enter(&one).err(), Some(Problem::Overloaded));
        assert!(intakes.enter(&two).is_ok() && intakes.any().is_ok());
        show(&intakes, &two, 10);
        assert_eq!(intakes.any(), Err(Problem::Overloaded));
        let text = intakes.metrics.encode().unwrap();
        assert!(text.contains("connector_shedding{gateway=\"two\"} 1"));
        show(&intakes, &two, 8);
        assert!(intakes.any().is_ok() && intakes.enter(&two).is_ok());
        let text = intakes.metrics.encode().unwrap();
        assert!(text.contains("connector_shedding{gateway=\"two\"} 0"));
    }

    #[test]
    fn many_at_once_do_not_get_past_the_limit_before_the_next_look() {
        let (intakes, [one, _]) = intakes(3);
        show(&intakes, &one, 0);
        let held: Vec<_> = (0..5).map(|_| intakes.enter(&one)).collect();
        assert_eq!(held.iter().filter(|entered| entered.is_ok()).count(), 3);
        drop(held);
        // They were not queued after all.
        assert!(intakes.enter(&one).is_ok());
        for _ in 0..3 {
            intakes.queued(&one);
        }
        assert!(intakes.enter(&one).is_err());
    }

    #[test]
    fn without_a_limit_nobody_looks_and_nothing_is_refused() {
        let (intakes, [one, _]) = intakes(0);
        assert_eq!(intakes.gateways().count(), 0);
        assert!(intakes.any().is_ok() && intakes.enter(&one).is_ok());
    }
}
