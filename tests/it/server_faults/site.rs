//! Ingest, worker and confirmer as processes of their own, on servers that the test may ill-treat.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::harness::{OwnServers, Pair, Role, Setup, Stores, World, body};
use crate::outages::{assert_once, assert_refused_in_time, taken};

/// How many payments are under way around a fault, and how long one begins after the other.
const PAYMENTS: u32 = 20;
const PACE: Duration = Duration::from_millis(60);

/// Dropped in this order: whoever uses the servers goes before them.
pub(super) struct Site {
    roles: [Role; 3],
    pub(super) world: World,
    /// How many payments have been seen to be charged.
    charged: Cell<u64>,
}

impl Site {
    pub(super) async fn start(servers: &OwnServers, env: Vec<(&'static str, String)>) -> Site {
        let folder =
            std::env::temp_dir().join(format!("connector-faults-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let stores = Stores::make_on(servers.urls.clone(), Pair::Servers, &folder).await;
        let setup = Setup {
            env,
            ..Setup::default()
        };
        let world = World::prepare_on(stores, folder, setup).await;
        let roles = ["ingest", "worker", "confirmer"].map(|role| world.role(role));
        let site = Site {
            roles,
            world,
            charged: Cell::new(0),
        };
        site.ready().await;
        site
    }

    /// The same processes are there and say that they can work. Nothing here ever starts one anew.
    pub(super) async fn ready(&self) {
        for role in &self.roles {
            self.world.ready(&role.ops).await;
        }
    }

    /// Payments begin before, during and after the fault; each is charged once and recorded once, by the same processes.
    pub(super) async fn works_through(&self, what: &str, fault: impl Future<Output = ()>) {
        let ((), paid) = tokio::join!(
            async {
                sleep(PACE * (PAYMENTS / 3)).await;
                fault.await;
            },
            self.payers(what)
        );
        for (id, order) in paid {
            self.charged_once(&id, order).await;
        }
        self.ready().await;
    }

    /// The payment is charged once and recorded once.
    pub(super) async fn charged_once(&self, id: &str, order: u64) {
        assert_once(&self.world, id, order).await;
        self.charged.set(self.charged.get() + 1);
    }

    /// Two payments that are refused in time while the fault lasts. The first one's payer comes back with this key and
    /// order; the second one's does not.
    pub(super) async fn refused(&self, what: &str) -> (String, u64) {
        let (order, left) = (
            self.world.order("simulated").await,
            self.world.order("simulated").await,
        );
        let (key, other) = (format!("refused-{what}"), format!("given-up-{what}"));
        tokio::join!(
            assert_refused_in_time(&self.world, &key, order),
            assert_refused_in_time(&self.world, &other, left)
        );
        (key, order)
    }

    /// The refused request once more, under its key.
    pub(super) async fn taken_after_all(&self, (key, order): (String, u64)) {
        let answer = taken(&self.world, &key, order).await;
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        self.charged_once(&id, order).await;
    }

    /// Money moved for the payments that were taken, and for none that was refused and not tried again.
    pub(super) async fn nothing_else_moved(&self) {
        let url = format!("{}/_ledger", self.world.simulator);
        let ledger = self.world.http.get(&url).await.json();
        let moved = ledger["moneyMoved"].as_object().unwrap().values();
        let moved: u64 = moved.map(|times| times.as_u64().unwrap()).sum();
        assert_eq!(moved, self.charged.get(), "{}", ledger["moneyMoved"]);
    }

    async fn payers(&self, what: &str) -> Vec<(String, u64)> {
        let payers = (0..PAYMENTS).map(|number| async move {
            sleep(PACE * number).await;
            let (gateway, token) = match number % 2 {
                0 => ("stripe", "pm_card_visa"),
                _ => ("simulated", "tok_ok"),
            };
            let order = self.world.order(gateway).await;
            let key = format!("{what}-{number}");
            let id = self.insist(&key, order, gateway, token).await;
            (id, order)
        });
        join_all(payers).await
    }

    /// The same request under the same key, until it is taken.
    async fn insist(&self, key: &str, order: u64, gateway: &str, token: &str) -> String {
        let url = format!("{}/v1/payments", self.world.base);
        self.world
            .eventually(key, async |world| {
                let request = body(order, gateway, token);
                let header = [("Idempotency-Key", key)];
                let answer = world.http.try_post(&url, &header, &request).await?;
                assert!([202, 409, 503].contains(&answer.status), "{}", answer.text);
                let id = (answer.status == 202).then(|| answer.json()["id"].clone())?;
                Some(id.as_str().unwrap().to_owned())
            })
            .await
    }
}
