//! The queues of this process's roles: each with its own consumer, paused and resumed as operators say.

use std::sync::Arc;

use anyhow::Context;
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::controls::{self, Controls};
use super::{Parts, gauges, reconciled, sweep};
use crate::broker::{BrokerError, Lane, Queue};
use crate::config::{Role, WorkerConfig};
use crate::domain::pause::Side;
use crate::ledger::Ledger;
use crate::roles::confirmer::Confirmer;
use crate::roles::counted::Counted;
use crate::roles::worker::Worker;

/// One queue and who takes its messages.
struct Consumer<'a> {
    parts: &'a Parts,
    queue: Queue,
    prefetch: u16,
    handler: Arc<Counted>,
    controls: watch::Receiver<Controls>,
    stop: &'a CancellationToken,
}

/// Consumes every queue of this process's roles until all have drained.
pub(super) async fn consume(
    parts: &Parts,
    ledger: &Ledger,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (controls, known) = watch::channel(Controls::default());
    let consumers = consumers(parts, ledger, &known, stop);
    let consumers = consumers.into_iter().map(Consumer::run);
    let consumed = async { try_join_all(consumers).await.context("a consumer ended") };
    let watched = async {
        controls::watch(ledger, &controls, stop).await;
        anyhow::Ok(())
    };
    let refreshed = async {
        gauges::refresh(parts, ledger, stop).await;
        anyhow::Ok(())
    };
    let swept = async {
        if parts.roles.contains(&Role::Worker) {
            tokio::join!(
                sweep::run(parts, ledger, stop),
                reconciled::run(parts, ledger, stop)
            );
        }
        anyhow::Ok(())
    };
    tokio::try_join!(consumed, watched, refreshed, swept)?;
    parts.served.cancelled().await;
    Ok(())
}

fn consumers<'a>(
    parts: &'a Parts,
    ledger: &Ledger,
    controls: &watch::Receiver<Controls>,
    stop: &'a CancellationToken,
) -> Vec<Consumer<'a>> {
    let consumer = |queue, prefetch, handler: &Arc<Counted>| Consumer {
        parts,
        queue,
        prefetch,
        handler: Arc::clone(handler),
        controls: controls.clone(),
        stop,
    };
    let mut consumers = Vec::new();
    if parts.roles.contains(&Role::Worker) {
        let metrics = Arc::clone(&parts.metrics);
        let worker = Arc::new(Counted::new(worker(parts, ledger), Role::Worker, metrics));
        let limits = &parts.config.worker;
        let queues = worker_queues(parts).into_iter();
        consumers.extend(queues.map(|queue| {
            let prefetch = in_hand(&queue, limits);
            consumer(queue, prefetch, &worker)
        }));
    }
    if parts.roles.contains(&Role::Confirmer) {
        let metrics = Arc::clone(&parts.metrics);
        let confirmer = confirmer(parts, ledger);
        let confirmer = Arc::new(Counted::new(confirmer, Role::Confirmer, metrics));
        let prefetch = parts.config.confirmer.concurrency;
        consumers.push(consumer(Queue::Confirmations, prefetch, &confirmer));
    }
    consumers
}

impl Consumer<'_> {
    /// Consumes while the queue is not paused; returns after the stop, when nothing is in hand any more.
    async fn run(mut self) -> Result<(), BrokerError> {
        let Some(side) = Side::of(&self.queue) else {
            return self.take(self.stop.clone()).await;
        };
        while self.until_open(&side).await {
            let lane = self.stop.child_token();
            let mut controls = self.controls.clone();
            let shut = async {
                let paused = |known: &Controls| known.pause(&side).is_some();
                if controls.wait_for(paused).await.is_ok() {
                    lane.cancel();
                }
            };
            // What is in hand when the pause comes is finished; what was not begun is the broker's again.
            tokio::try_join!(self.take(lane.clone()), async {
                tokio::select! {
                    () = shut => {}
                    () = self.stop.cancelled() => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    async fn take(&self, stop: CancellationToken) -> Result<(), BrokerError> {
        let handler = Arc::clone(&self.handler);
        let queue = self.queue.clone();
        let broker = &self.parts.broker;
        broker
            .consume(queue, self.prefetch, handler as _, stop)
            .await
    }

    /// Waits while the queue is paused, or while it is not known whether it is. `false`: the process stops.
    async fn until_open(&mut self, side: &Side) -> bool {
        let known = self.wait(Controls::is_read).await;
        if known.is_none() {
            return false;
        }
        let pause = self.controls.borrow().pause(side).cloned();
        let Some(pause) = pause else {
            return !self.stop.is_cancelled();
        };
        let metrics = Arc::clone(&self.parts.metrics);
        metrics.lane_shut(&self.queue, pause.because.as_deref());
        let open = |known: &Controls| known.pause(side).is_none();
        if self.wait(open).await.is_none() {
            return false;
        }
        self.handler.forget(&self.queue);
        metrics.lane_opened(&self.queue);
        true
    }

    /// Nothing when the process stops first.
    async fn wait(&mut self, wanted: impl FnMut(&Controls) -> bool) -> Option<()> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            seen = self.controls.wait_for(wanted) => seen.ok().map(drop),
        }
    }
}

/// How many messages of a worker's queue are in hand at once: a batch of renewals takes its time, and leaves the rest to payers.
fn in_hand(queue: &Queue, limits: &WorkerConfig) -> u16 {
    match queue {
        Queue::Commands {
            lane: Lane::Billing,
            ..
        } => limits.billing_concurrency,
        Queue::Commands {
            lane: Lane::Checkout,
            ..
        }
        | Queue::GatewayEvents
        | Queue::Confirmations
        | Queue::Dead => limits.concurrency,
    }
}

pub(super) fn worker_queues(parts: &Parts) -> Vec<Queue> {
    let mine = parts
        .config
        .gateways
        .keys()
        .filter(|name| parts.only.is_empty() || parts.only.contains(*name));
    let commands = mine.flat_map(|gateway| {
        [Lane::Checkout, Lane::Billing].map(|lane| Queue::Commands {
            gateway: gateway.clone(),
            lane,
        })
    });
    commands.chain([Queue::GatewayEvents]).collect()
}

fn worker(parts: &Parts, ledger: &Ledger) -> Worker {
    Worker {
        ledger: ledger.clone(),
        gateways: Arc::clone(&parts.gateways),
        cleeng: Arc::clone(&parts.cleeng),
        breakers: Arc::clone(&parts.breakers),
        publisher: parts.publisher(),
        metrics: Arc::clone(&parts.metrics),
        publisher_id: parts.config.cleeng.publisher_id,
        limits: parts.config.worker.clone(),
    }
}

fn confirmer(parts: &Parts, ledger: &Ledger) -> Confirmer {
    Confirmer {
        ledger: ledger.clone(),
        cleeng: Arc::clone(&parts.cleeng),
        breaker: parts.breakers.cleeng(),
        metrics: Arc::clone(&parts.metrics),
        settle_time: parts.config.cleeng.settle_time,
        termination: parts.config.cleeng.termination_type,
        limits: parts.config.confirmer.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_billing_queue_has_a_number_of_its_own_in_hand() {
        let limits = WorkerConfig {
            concurrency: 96,
            billing_concurrency: 8,
            max_age: Duration::ZERO,
            event_max_age: Duration::ZERO,
            sweep_every: Duration::ZERO,
        };
        for (name, wanted) in [
            ("commands.stripe.checkout", 96),
            ("commands.stripe.billing", 8),
            ("gateway-events", 96),
        ] {
            let queue = name.parse().unwrap();
            assert_eq!(in_hand(&queue, &limits), wanted, "{name}");
        }
    }
}
