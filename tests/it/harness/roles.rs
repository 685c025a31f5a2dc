//! The roles as processes of their own, as they run in production; a test may kill one and start the next.

use super::{Pair, Process, Setup, World, free_port};

/// A process of the connector and the address of its ops port.
pub(crate) struct Role {
    pub(crate) process: Process,
    pub(crate) ops: String,
}

impl World {
    /// Everything but the connector, on the servers: the test starts the roles itself.
    pub(crate) async fn without_roles(setup: Setup) -> World {
        World::prepare(Pair::Servers, setup).await
    }

    /// Starts a process with this role. Its log's name is the role's, so that successors share one log.
    pub(crate) fn role(&self, role: &str) -> Role {
        self.process(role, &["--role", role])
    }

    /// Starts a process with `run` and these arguments, and with an ops port of its own.
    pub(crate) fn process(&self, name: &str, arguments: &[&str]) -> Role {
        let address = format!("127.0.0.1:{}", free_port());
        let mut env = self.env.clone();
        env.insert("CONNECTOR_OPS__LISTEN".to_owned(), address.clone());
        let all: Vec<&str> = ["run"].iter().chain(arguments).copied().collect();
        let process = Process::start(name, &all, &env, &self.folder);
        Role {
            process,
            ops: format!("http://{address}"),
        }
    }

    /// How often the simulator was asked for this operation.
    pub(crate) async fn requests(&self, operation: &str) -> u64 {
        let ledger = self
            .http
            .get(&format!("{}/_ledger", self.simulator))
            .await
            .json();
        ledger["requests"][operation].as_u64().unwrap_or(0)
    }
}
