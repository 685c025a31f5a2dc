//! A broker of one test's own, and a handler that remembers.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::broker::topology::Topology;
use crate::broker::{Broker, Delivery, Handler, Headers, Outgoing, Queue, Verdict};
use crate::config::{BrokerConfig, BrokerTls, BrokerUrl, LedgerUrl};
use crate::domain::ids::GatewayName;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Rig {
    pub(super) config: BrokerConfig,
    pub(super) ledger: LedgerUrl,
    pub(super) gateways: Vec<GatewayName>,
    /// Where to clean up.
    amqp: Option<String>,
    directory: PathBuf,
}

impl Rig {
    pub(super) fn embedded() -> Rig {
        Rig::new(BrokerUrl::Embedded, None)
    }

    pub(super) fn rabbitmq() -> Rig {
        let url = amqp_url();
        Rig::new(BrokerUrl::Amqp(url.clone().into()), Some(url))
    }

    fn new(url: BrokerUrl, amqp: Option<String>) -> Rig {
        let prefix = format!("test-{}", Uuid::new_v4());
        let directory = std::env::temp_dir().join(&prefix);
        std::fs::create_dir(&directory).unwrap();
        Rig {
            config: BrokerConfig {
                url,
                tls: BrokerTls::default(),
                prefix,
                publish_timeout: Duration::from_secs(10),
                publish_window: 100,
            },
            ledger: LedgerUrl::Sqlite(directory.join("ledger.sqlite")),
            gateways: vec!["stripe".parse().unwrap()],
            amqp,
            directory,
        }
    }

    /// Runs the test, and cleans up also when it fails.
    pub(super) async fn run<F: Future<Output = ()>>(self, test: impl FnOnce(Rig) -> F) {
        let result = AssertUnwindSafe(test(self.clone())).catch_unwind().await;
        if let Some(url) = &self.amqp {
            delete_all(url, &Topology::new(&self.config.prefix, &self.gateways)).await;
        }
        std::fs::remove_dir_all(&self.directory).unwrap();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    }

    pub(super) async fn start(&self) -> Arc<Broker> {
        let broker = Broker::start(&self.config, &self.ledger, &self.gateways)
            .await
            .unwrap();
        let publisher = broker.publisher();
        eventually("ready", || publisher.ready()).await;
        Arc::new(broker)
    }
}

type Decide = dyn Fn(&Delivery, usize) -> Verdict + Send + Sync;
type Takes = dyn Fn(&Delivery) -> Duration + Send + Sync;

/// The handlers' memory. `decide` gets the delivery and how many were taken before it.
pub(super) struct Recorder {
    pub(super) seen: Mutex<Vec<(Delivery, Instant)>>,
    decide: Box<Decide>,
    takes: Box<Takes>,
    finished: Mutex<usize>,
}

impl Recorder {
    pub(super) fn new(
        decide: impl Fn(&Delivery, usize) -> Verdict + Send + Sync + 'static,
    ) -> Arc<Recorder> {
        Recorder::slow(decide, |_| Duration::ZERO)
    }

    pub(super) fn slow(
        decide: impl Fn(&Delivery, usize) -> Verdict + Send + Sync + 'static,
        takes: impl Fn(&Delivery) -> Duration + Send + Sync + 'static,
    ) -> Arc<Recorder> {
        Arc::new(Recorder {
            seen: Mutex::new(Vec::new()),
            decide: Box::new(decide),
            takes: Box::new(takes),
            finished: Mutex::new(0),
        })
    }

    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(super) fn finished(&self) -> usize {
        *self.finished.lock().unwrap()
    }

    /// The bodies, sorted, repetitions kept.
    pub(super) fn bodies(&self) -> Vec<Vec<u8>> {
        let seen = self.seen.lock().unwrap();
        let mut bodies: Vec<_> = seen.iter().map(|(taken, _)| taken.body.clone()).collect();
        bodies.sort();
        bodies
    }

    pub(super) fn taken(&self, at: usize) -> (Delivery, Instant) {
        self.seen.lock().unwrap()[at].clone()
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn take(&self, delivery: &Delivery) -> Verdict {
        let before = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((delivery.clone(), Instant::now()));
            seen.len() - 1
        };
        sleep((self.takes)(delivery)).await;
        *self.finished.lock().unwrap() += 1;
        (self.decide)(delivery, before)
    }
}

/// A consumer in the background.
pub(super) struct Running {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    pub(super) fn consume(
        broker: &Arc<Broker>,
        queue: Queue,
        prefetch: u16,
        handler: Arc<dyn Handler>,
    ) -> Running {
        let (broker, stop) = (broker.clone(), CancellationToken::new());
        let (mut tasks, token) = (JoinSet::new(), stop.clone());
        tasks.spawn(async move {
            let consumed = broker.consume(queue, prefetch, handler, token).await;
            consumed.unwrap();
        });
        Running { stop, tasks }
    }

    pub(super) fn say_stop(&self) {
        self.stop.cancel();
    }

    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        let stopped = tokio::time::timeout(PATIENCE, self.tasks.join_next()).await;
        stopped.unwrap().unwrap().unwrap();
    }
}

/// What is in a queue, taken out of it: waits for `count` messages and for a moment longer.
pub(super) async fn drain(broker: &Arc<Broker>, queue: Queue, count: usize) -> Vec<Delivery> {
    let recorder = Recorder::new(|_, _| Verdict::Done);
    let running = Running::consume(broker, queue, 50, recorder.clone());
    eventually("drained", || recorder.count() >= count).await;
    sleep(Duration::from_millis(200)).await;
    running.stop().await;
    let seen = recorder.seen.lock().unwrap();
    seen.iter().map(|(delivery, _)| delivery.clone()).collect()
}

pub(super) fn message(queue: Queue, body: &str) -> Outgoing {
    Outgoing {
        queue,
        delay: None,
        message_id: Uuid::new_v4(),
        body: body.as_bytes().to_vec(),
        headers: Headers::default(),
    }
}

pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where the broker is"
)]
pub(super) fn amqp_url() -> String {
    std::env::var("TEST_AMQP_URL").expect(
        "TEST_AMQP_URL must name a RabbitMQ to test with: eval \"$(scripts/servers start)\"",
    )
}

pub(super) async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap()
}

async fn delete_all(url: &str, topology: &Topology) {
    let connection = connect(url).await;
    let channel = connection.create_channel().await.unwrap();
    for row in &topology.queues {
        let name = row.name.as_str().into();
        let deleted = channel.queue_delete(name, QueueDeleteOptions::default());
        deleted.await.unwrap();
    }
    for row in &topology.exchanges {
        let name = row.name.as_str().into();
        let deleted = channel.exchange_delete(name, ExchangeDeleteOptions::default());
        deleted.await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}
