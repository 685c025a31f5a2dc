//! One installation for one test: the simulator and the roles as real processes, on the embedded stores or on real servers.

mod callers;
mod cleeng;
mod client;
pub(crate) mod contract;
mod own_servers;
mod process;
mod proxy;
mod queues;
mod roles;
mod stores;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use callers::{SERVER_KEY, hash_of};
pub(crate) use cleeng::statuses;
pub(crate) use client::{Answer, Http};
pub(crate) use own_servers::OwnServers;
pub(crate) use process::{Process, run};
pub(crate) use proxy::{Proxy, Wire};
pub(crate) use queues::Queues;
pub(crate) use roles::Role;
pub(crate) use stores::{Pair, Servers, Stores, server};

/// Cleeng's ids of the two payment methods.
const STRIPE_METHOD: u64 = 100_000_001;
const SIMULATED_METHOD: u64 = 100_000_002;

/// How long anything may take until a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a test may want to be different.
#[derive(Default, Clone)]
pub(crate) struct Setup {
    /// More environment variables of the connector.
    pub(crate) env: Vec<(&'static str, String)>,
    /// The simulated gateways send no webhooks.
    pub(crate) no_webhooks: bool,
    /// Neither does the simulated Cleeng, until somebody subscribes; beside `no_webhooks` only.
    pub(crate) nobody_subscribed: bool,
    /// Of the simulator's dice.
    pub(crate) seed: Option<u64>,
}

/// A running installation. Dropping it kills its processes and removes what it made.
pub(crate) struct World {
    pub(crate) http: Http,
    pub(crate) base: String,
    pub(crate) ops: String,
    pub(crate) simulator: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) roles: BTreeMap<&'static str, Process>,
    pub(crate) stores: Stores,
    pub(crate) folder: PathBuf,
    _simulator: Process,
}

impl World {
    /// Starts the simulator and one process with all roles, and waits until it is ready.
    pub(crate) async fn start(pair: Pair) -> World {
        World::start_with(pair, Setup::default()).await
    }

    pub(crate) async fn start_with(pair: Pair, setup: Setup) -> World {
        let mut world = World::prepare(pair, setup).await;
        world.run("all", &[]);
        world.ready(&world.ops.clone()).await;
        world
    }

    /// Everything but the connector itself.
    pub(crate) async fn prepare(pair: Pair, setup: Setup) -> World {
        let folder = std::env::temp_dir().join(format!("connector-it-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let stores = Stores::make(pair, &folder).await;
        World::prepare_on(stores, folder, setup).await
    }

    /// As `prepare`, with stores that the test has made.
    pub(crate) async fn prepare_on(stores: Stores, folder: PathBuf, setup: Setup) -> World {
        let (port, ops_port, sim_port) = (free_port(), free_port(), free_port());
        let base = format!("http://127.0.0.1:{port}");
        let simulator = format!("http://127.0.0.1:{sim_port}");
        let listen = format!("127.0.0.1:{sim_port}");
        let hooks = format!("{base}/v1/webhooks/");
        let seed = setup.seed.unwrap_or(1).to_string();
        let mut arguments = vec!["simulator", "--listen", &listen, "--seed", &seed];
        let cleengs = format!("{hooks}cleeng");
        match (setup.no_webhooks, setup.nobody_subscribed) {
            (true, true) => {}
            (true, false) => arguments.extend(["--cleeng-webhooks", &cleengs]),
            (false, _) => arguments.extend(["--webhooks", &hooks]),
        }
        let process = Process::start("simulator", &arguments, &BTreeMap::new(), &folder);
        let mut env = environment(&simulator, port, ops_port);
        env.extend(stores.env());
        env.extend(
            setup
                .env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let world = World {
            http: Http::new(),
            base,
            ops: format!("http://127.0.0.1:{ops_port}"),
            simulator,
            env,
            roles: BTreeMap::new(),
            stores,
            folder,
            _simulator: process,
        };
        world
            .eventually("the simulator answers", async |world| {
                world
                    .http
                    .try_get(&format!("{}/_ledger", world.simulator))
                    .await
                    .filter(|answer| answer.status == 200)
            })
            .await;
        world
    }

    /// Starts a process of the connector under a name, with `run` and these arguments.
    pub(crate) fn run(&mut self, name: &'static str, arguments: &[&str]) {
        self.run_with(name, arguments, &[]);
    }

    /// As `run`, with other values for some variables.
    pub(crate) fn run_with(
        &mut self,
        name: &'static str,
        arguments: &[&str],
        env: &[(&str, String)],
    ) {
        let mut variables = self.env.clone();
        variables.extend(
            env.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let all: Vec<&str> = ["run"].iter().chain(arguments).copied().collect();
        let process = Process::start(name, &all, &variables, &self.folder);
        self.roles.insert(name, process);
    }

    /// Waits until the process with this ops port is ready.
    pub(crate) async fn ready(&self, ops: &str) {
        self.eventually("the connector is ready", async |world| {
            world
                .http
                .try_get(&format!("{ops}/readyz"))
                .await
                .filter(|answer| answer.status == 200)
        })
        .await;
    }

    /// Asks again and again until there is something; panics with the logs when it never comes.
    pub(crate) async fn eventually<T>(
        &self,
        what: &str,
        ask: impl AsyncFn(&World) -> Option<T>,
    ) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ask(self).await {
                return found;
            }
            if Instant::now() > end {
                self.tell_logs();
                panic!("not within {PATIENCE:?}: {what}");
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    fn tell_logs(&self) {
        for entry in std::fs::read_dir(&self.folder).unwrap().flatten() {
            if entry.path().extension().is_some_and(|kind| kind == "log") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let tail: Vec<&str> = text.lines().rev().take(40).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                println!("--- {} ---\n{}", entry.path().display(), tail.join("\n"));
            }
        }
    }

    /// A new order at the simulated Cleeng, for this gateway.
    pub(crate) async fn order(&self, gateway: &str) -> u64 {
        self.order_with(gateway, json!({})).await
    }

    pub(crate) async fn order_with(&self, gateway: &str, more: Value) -> u64 {
        let method = method(gateway);
        // A customer of its own: nobody buys one subscription twice.
        static CUSTOMERS: AtomicU64 = AtomicU64::new(200_000_000);
        let customer = CUSTOMERS.fetch_add(1, Ordering::Relaxed);
        let mut order = json!({
            "totalMinor": 999, "currency": "EUR", "paymentMethodId": method, "customerId": customer
        });
        order
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = self
            .http
            .post(&format!("{}/_orders", self.simulator), &order)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["id"].as_u64().unwrap()
    }

    /// Sends a payment; the answer as it is.
    pub(crate) async fn submit(&self, key: &str, body: &Value) -> Answer {
        self.http
            .post_with(
                &format!("{}/v1/payments", self.base),
                &[("Idempotency-Key", key)],
                body,
            )
            .await
    }

    /// A payment of a new order with this token; its id.
    pub(crate) async fn pay(&self, gateway: &str, token: &str) -> (String, u64) {
        let order = self.order(gateway).await;
        let answer = self
            .submit(&format!("key-{order}"), &body(order, gateway, token))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        (answer.json()["id"].as_str().unwrap().to_owned(), order)
    }

    pub(crate) async fn payment(&self, id: &str) -> Value {
        let answer = self
            .http
            .get(&format!("{}/v1/payments/{id}", self.base))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Waits until the payment has this status and its confirmation this one.
    pub(crate) async fn settled(&self, id: &str, status: &str, confirmation: &str) -> Value {
        let what = format!("payment {id} is {status} with its confirmation {confirmation}");
        self.eventually(&what, async |world| {
            let answer = world
                .http
                .try_get(&format!("{}/v1/payments/{id}", world.base))
                .await?;
            let payment: Value = serde_json::from_str(&answer.text).ok()?;
            let fits =
                payment["status"] == status && payment["confirmation"]["status"] == confirmation;
            fits.then_some(payment)
        })
        .await
    }

    /// Queues a fault at the simulator.
    pub(crate) async fn fault(&self, rule: Value) {
        let answer = self
            .http
            .post(&format!("{}/_faults", self.simulator), &rule)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub(crate) async fn clear_faults(&self) {
        self.http
            .delete(&format!("{}/_faults", self.simulator))
            .await;
    }

    /// What the outside world has on record for one payment and its order.
    pub(crate) async fn records(&self, id: &str, order: u64) -> Records {
        let url = format!("{}/_ledger?reference={id}&orderId={order}", self.simulator);
        // Stripe's metadata carries both; the filter is an "and" there.
        let ledger = self.http.get(&url).await.json();
        Records {
            moved: ledger["moneyMoved"][id].as_u64().unwrap_or(0),
            cleeng: ledger["cleeng"]["payments"].as_array().unwrap().clone(),
        }
    }

    pub(crate) async fn metrics(&self) -> String {
        self.http.get(&format!("{}/metrics", self.ops)).await.text
    }

    /// Everything that the processes have logged.
    pub(crate) fn logs(&self) -> String {
        let entries = std::fs::read_dir(&self.folder).unwrap().flatten();
        let logs =
            entries.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "log"));
        logs.map(|entry| std::fs::read_to_string(entry.path()).unwrap())
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Processes first: they hold the files.
        self.roles.clear();
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

/// How often money moved for a payment, and what Cleeng has recorded for its order.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) moved: u64,
    pub(crate) cleeng: Vec<Value>,
}

impl Records {
    /// The statuses of Cleeng's records, in their order.
    pub(crate) fn statuses(&self) -> Vec<&str> {
        self.cleeng
            .iter()
            .map(|payment| payment["status"].as_str().unwrap())
            .collect()
    }
}

/// Cleeng's id of the payment method.
pub(crate) fn method(gateway: &str) -> u64 {
    match gateway {
        "stripe" => STRIPE_METHOD,
        _ => SIMULATED_METHOD,
    }
}

/// The body of a payment.
pub(crate) fn body(order: u64, gateway: &str, token: &str) -> Value {
    json!({ "orderId": order, "gateway": gateway, "paymentMethod": { "token": token }, "returnUrl": "https://shop.example/back" })
}

/// A port that nobody listens on: below the range from which the system gives ports to connections, and no two tests of
/// this run get the same one.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        let spread = u16::try_from(std::process::id() % 50).unwrap() * 200;
        let port = 20_000 + (spread + offset) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn environment(simulator: &str, port: u16, ops_port: u16) -> BTreeMap<String, String> {
    let pairs = [
        ("CONNECTOR_HTTP__LISTEN", format!("127.0.0.1:{port}")),
        ("CONNECTOR_OPS__LISTEN", format!("127.0.0.1:{ops_port}")),
        (
            "CONNECTOR_CLEENG__BASE_URL",
            format!("{simulator}/cleeng/3.1"),
        ),
        (
            "CONNECTOR_CLEENG__PUBLISHER_TOKEN",
            "simulated-publisher-token".to_owned(),
        ),
        ("CONNECTOR_CLEENG__PUBLISHER_ID", "558186818".to_owned()),
        (
            "CONNECTOR_CLEENG__WEBHOOK_SECRET",
            "simulated-cleeng-webhook-secret".to_owned(),
        ),
        ("CONNECTOR_CLEENG__TIMEOUT", "1s".to_owned()),
        ("CONNECTOR_CLEENG__SETTLE_TIME", "1500ms".to_owned()),
        (
            "CONNECTOR_GATEWAYS__STRIPE__BASE_URL",
            format!("{simulator}/stripe"),
        ),
        (
            "CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY",
            "sk_test_simulated".to_owned(),
        ),
        (
            "CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY",
            "pk_test_simulated".to_owned(),
        ),
        (
            "CONNECTOR_GATEWAYS__STRIPE__WEBHOOK_SECRET",
            "whsec_simulated".to_owned(),
        ),
        (
            "CONNECTOR_GATEWAYS__STRIPE__PAYMENT_METHOD_ID",
            STRIPE_METHOD.to_string(),
        ),
        ("CONNECTOR_GATEWAYS__STRIPE__TIMEOUT", "1s".to_owned()),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__BASE_URL",
            format!("{simulator}/simulated"),
        ),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__SECRET_KEY",
            "simulated-secret-key".to_owned(),
        ),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__WEBHOOK_SECRET",
            "simulated-webhook-secret".to_owned(),
        ),
        (
            "CONNECTOR_GATEWAYS__SIMULATED__PAYMENT_METHOD_ID",
            SIMULATED_METHOD.to_string(),
        ),
        ("CONNECTOR_GATEWAYS__SIMULATED__TIMEOUT", "1s".to_owned()),
        ("CONNECTOR_LOG__LEVEL", "info".to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
