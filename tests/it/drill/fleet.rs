//! The processes of the drill: two ingests, three workers and two confirmers, on a broker and a database of their own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::harness::{OwnServers, Pair, Process, Setup, Stores, World, free_port};

/// The name of each process and its role.
const ROLES: [(&str, &str); 7] = [
    ("ingest-a", "ingest"),
    ("ingest-b", "ingest"),
    ("worker-a", "worker"),
    ("worker-b", "worker"),
    ("worker-c", "worker"),
    ("confirmer-a", "confirmer"),
    ("confirmer-b", "confirmer"),
];

/// The running processes.
pub(super) struct Fleet {
    pub(super) world: World,
    /// The two ingests' base URLs.
    pub(super) bases: [String; 2],
    second_port: u16,
    ops: BTreeMap<&'static str, u16>,
    processes: Mutex<BTreeMap<&'static str, Process>>,
}

impl Fleet {
    pub(super) async fn start(servers: &OwnServers, seed: u64) -> Fleet {
        let folder = std::env::temp_dir().join(format!("connector-drill-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let stores = Stores::make_on(servers.urls.clone(), Pair::Servers, &folder).await;
        let env = vec![
            ("CONNECTOR_WORKER__SWEEP_EVERY", "5s".to_owned()),
            ("CONNECTOR_CLEENG__SETTLE_TIME", "2s".to_owned()),
            ("CONNECTOR_LOG__LEVEL", "warn".to_owned()),
        ];
        let setup = Setup {
            env,
            seed: Some(seed),
            ..Setup::default()
        };
        let world = World::prepare_on(stores, folder, setup).await;
        let second_port = free_port();
        let bases = [
            world.base.clone(),
            format!("http://127.0.0.1:{second_port}"),
        ];
        let ops = ROLES.iter().map(|(name, _)| (*name, free_port())).collect();
        let fleet = Fleet {
            world,
            bases,
            second_port,
            ops,
            processes: Mutex::new(BTreeMap::new()),
        };
        fleet.all_up().await;
        fleet
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        ROLES.iter().map(|(name, _)| *name)
    }

    /// SIGKILL.
    pub(super) fn kill(&self, name: &str) {
        if let Some(mut process) = self.processes().remove(name) {
            process.kill();
        }
    }

    pub(super) fn revive(&self, name: &'static str) {
        let role = ROLES.iter().find(|(own, _)| *own == name).unwrap().1;
        let mut env = self.world.env.clone();
        let ops = format!("127.0.0.1:{}", self.ops[name]);
        env.insert("CONNECTOR_OPS__LISTEN".to_owned(), ops);
        if name == "ingest-b" {
            let listen = format!("127.0.0.1:{}", self.second_port);
            env.insert("CONNECTOR_HTTP__LISTEN".to_owned(), listen);
        }
        let process = Process::start(name, &["run", "--role", role], &env, &self.world.folder);
        self.processes().insert(name, process);
    }

    /// Starts what is missing and waits until every process is ready.
    pub(super) async fn all_up(&self) {
        for name in Fleet::names() {
            if !self.processes().contains_key(name) {
                self.revive(name);
            }
        }
        for port in self.ops.values() {
            self.world.ready(&format!("http://127.0.0.1:{port}")).await;
        }
    }

    fn processes(&self) -> MutexGuard<'_, BTreeMap<&'static str, Process>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
