//! What befalls a PostgreSQL: a restart, SIGKILL, a freeze, and a lock on which every connection of the pool waits.

use sqlx::{ConnectOptions, Connection, Executor};

use super::site::Site;
use crate::harness::{OwnServers, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_the_databases_restart_death_freeze_and_locks() {
    let servers = OwnServers::start("faults-database");
    let site = Site::start(&servers, Vec::new()).await;
    site.works_through("restarted", servers.tell(&["restart-database"]))
        .await;
    site.works_through("killed", async {
        servers.tell(&["kill-database"]).await;
        let refused = site.refused("killed").await;
        servers.tell(&["start-database"]).await;
        site.taken_after_all(refused).await;
    })
    .await;
    site.works_through("frozen", async {
        servers.tell(&["pause-database"]).await;
        // Longer than a statement may take: each answer waits for its time-out.
        let refused = [
            site.refused("frozen").await,
            site.refused("still-frozen").await,
        ];
        servers.tell(&["resume-database"]).await;
        for one in refused {
            site.taken_after_all(one).await;
        }
    })
    .await;
    site.works_through("locked", async {
        let refused = while_the_payments_are_locked(&site.world, async {
            [
                site.refused("locked").await,
                site.refused("still-locked").await,
            ]
        })
        .await;
        for one in refused {
            site.taken_after_all(one).await;
        }
    })
    .await;
    site.nothing_else_moved().await;
}

/// A migration by hand, say: nobody else may even read the table meanwhile.
async fn while_the_payments_are_locked<T>(world: &World, work: impl Future<Output = T>) -> T {
    let url = &world.env["CONNECTOR_LEDGER__URL"];
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut session = options.connect().await.unwrap();
    let mut lock = session.begin().await.unwrap();
    lock.execute("LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let done = work.await;
    lock.rollback().await.unwrap();
    done
}
