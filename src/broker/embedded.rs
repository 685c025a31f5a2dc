//! A durable queue in the ledger's SQLite file: the same promises as RabbitMQ for one process, with nothing to install.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::consumer::Consume;
use self::store::Store;
use self::writer::{EmbeddedPublisher, Writer, write_all};
use super::course::Course;
use super::topology::queues;
use super::{BrokerError, Handler, Publish, Queue};
use crate::config::BrokerConfig;
use crate::domain::ids::GatewayName;

mod consumer;
pub(super) mod dead;
mod store;
mod writer;

/// The queues of one file.
pub(crate) struct Embedded {
    shared: Arc<Shared>,
    store: Store,
    publisher: Arc<EmbeddedPublisher>,
    closing: CancellationToken,
    tracker: TaskTracker,
    /// Held while the queues are served; the system frees it when the process dies.
    lock: Mutex<Option<File>>,
}

/// What publisher and consumers share.
struct Shared {
    writer: Writer,
    /// The queues that exist, each with its alarm.
    wakes: BTreeMap<Queue, Notify>,
    /// The rows in hand.
    leases: Mutex<HashSet<i64>>,
}

impl Embedded {
    pub(super) async fn start(
        path: &Path,
        config: &BrokerConfig,
        gateways: &[GatewayName],
    ) -> Result<Embedded, BrokerError> {
        let lock = lock(path)?;
        let store = Store::open(path)
            .await
            .map_err(|source| BrokerError::OpenQueues {
                path: path.to_owned(),
                source,
            })?;
        let (writer, waiting) = Writer::new();
        let (closing, tracker) = (CancellationToken::new(), TaskTracker::new());
        tracker.spawn(write_all(store.clone(), waiting, closing.clone()));
        let shared = Arc::new(Shared {
            writer,
            wakes: queues(gateways)
                .into_iter()
                .map(|queue| (queue, Notify::new()))
                .collect(),
            leases: Mutex::new(HashSet::new()),
        });
        let publisher = EmbeddedPublisher {
            shared: shared.clone(),
            timeout: config.publish_timeout,
        };
        Ok(Embedded {
            shared,
            store,
            publisher: Arc::new(publisher),
            closing,
            tracker,
            lock: Mutex::new(Some(lock)),
        })
    }

    pub(super) fn publisher(&self) -> Arc<dyn Publish> {
        self.publisher.clone()
    }

    pub(super) async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<(), BrokerError> {
        if !self.shared.wakes.contains_key(&queue) {
            return Err(BrokerError::UnknownQueue(queue.to_string()));
        }
        let course = Course::new(
            queue.clone(),
            handler,
            self.publisher(),
            stop.clone(),
            CancellationToken::new(),
        );
        let consume = Consume {
            shared: self.shared.clone(),
            store: self.store.anew(),
            queue,
            prefetch,
            course: Arc::new(course),
            stop,
        };
        consume.run().await;
        Ok(())
    }

    pub(super) async fn depth(&self, queue: &Queue) -> Result<u64, BrokerError> {
        self.store
            .depth(queue)
            .await
            .map_err(|error| BrokerError::Away(error.to_string()))
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.store.close().await;
        drop(
            self.lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

impl Shared {
    fn lock_leases(&self) -> MutexGuard<'_, HashSet<i64>> {
        // Every change of the set is one call: there is no half-made state to fear.
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leases are in memory: a second process on the same file would do the same work again.
fn lock(path: &Path) -> Result<File, BrokerError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".queues.lock");
    let lock_path = PathBuf::from(name);
    let failed = |source| BrokerError::Lock {
        path: lock_path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BrokerError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
