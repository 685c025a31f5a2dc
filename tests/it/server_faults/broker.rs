//! What befalls a RabbitMQ: restarts, lost connections, a freeze, an alarm, a queue deleted under its consumer.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::site::Site;
use crate::harness::{OwnServers, Queues, World, run};
use crate::outages::{assert_once, taken};

/// Longer than a publish may take.
const FREEZE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_the_brokers_restarts_and_lost_connections() {
    let servers = OwnServers::start("faults-restarts");
    let site = Site::start(&servers, Vec::new()).await;
    site.works_through("closed", async {
        servers
            .tell(&["ctl", "close_all_connections", "maintenance"])
            .await;
    })
    .await;
    site.works_through("stopped", async {
        servers.tell(&["ctl", "stop_app"]).await;
        let refused = site.refused("stopped").await;
        servers.tell(&["ctl", "start_app"]).await;
        site.taken_after_all(refused).await;
    })
    .await;
    let waiting = pay_later(&site.world).await;
    site.works_through("restarted", servers.tell(&["restart-broker"]))
        .await;
    for (id, order) in waiting {
        site.charged_once(&id, order).await;
    }
    site.nothing_else_moved().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_a_frozen_broker_its_memory_alarm_and_a_deleted_queue() {
    let servers = OwnServers::start("faults-freeze");
    let site = Site::start(&servers, Vec::new()).await;
    site.works_through("frozen", async {
        servers.tell(&["pause-broker"]).await;
        let refused = site.refused("frozen").await;
        sleep(FREEZE).await;
        servers.tell(&["resume-broker"]).await;
        site.taken_after_all(refused).await;
    })
    .await;
    site.works_through("alarm", async {
        servers
            .tell(&["ctl", "set_vm_memory_high_watermark", "0.00001"])
            .await;
        let refused = site.refused("alarm").await;
        let (code, told, _) = run(&["doctor"], &site.world.env);
        let alarm = told
            .lines()
            .find(|line| line.starts_with("fault    broker alarm"));
        assert!(code == 1 && alarm.is_some(), "{told}");
        servers
            .tell(&["ctl", "set_vm_memory_high_watermark", "0.4"])
            .await;
        site.taken_after_all(refused).await;
    })
    .await;
    site.nothing_else_moved().await;
    drop(site);
    what_a_deleted_queue_held_expires(&servers).await;
}

/// Payments whose commands wait on a rung of the ladder, since the gateway had no time for them.
async fn pay_later(world: &World) -> Vec<(String, u64)> {
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "rate_limited", "times": 3, "retryAfter": 5 }))
        .await;
    let mut paid = Vec::new();
    for _ in 0..3 {
        paid.push(world.pay("simulated", "tok_ok").await);
    }
    let queues = Queues::of(world).await;
    world
        .eventually("three commands are on the ladder", async |_| {
            let mut waiting = 0;
            for rung in ["delay.5s.a", "delay.5s.b", "delay.5s.c"] {
                waiting += queues.depth(rung).await;
            }
            (waiting == 3).then_some(())
        })
        .await;
    paid
}

/// An operator deletes the queue under its consumer: what lay there is lost, so the payer is not charged any more and the
/// sweep says so; what comes afterwards is charged as ever.
async fn what_a_deleted_queue_held_expires(servers: &OwnServers) {
    let env = vec![
        ("CONNECTOR_WORKER__SWEEP_EVERY", "1s".to_owned()),
        ("CONNECTOR_WORKER__CONCURRENCY", "1".to_owned()),
        ("CONNECTOR_CHECKOUT__DEADLINE", "4s".to_owned()),
    ];
    let site = Site::start(servers, env).await;
    let world = &site.world;
    world
        .fault(json!({ "operation": "simulated.charge", "fault": "slow", "probability": 1.0, "delayMs": 900 }))
        .await;
    let mut paid = Vec::new();
    for _ in 0..6 {
        paid.push(world.pay("simulated", "tok_ok").await);
    }
    let queue = format!("{}.commands.simulated.checkout", world.stores.prefix);
    servers.tell(&["ctl", "delete_queue", &queue]).await;
    world.clear_faults().await;
    let order = world.order("simulated").await;
    let answer = taken(world, "after-the-deletion", order).await;
    let later = answer.json()["id"].as_str().unwrap().to_owned();
    assert_once(world, &later, order).await;
    let mut lost = 0;
    for (id, order) in &paid {
        let payment = world
            .eventually("the payment is settled", async |world| {
                let payment = world.payment(id).await;
                is_settled(&payment).then_some(payment)
            })
            .await;
        let records = world.records(id, *order).await;
        if payment["status"] == "captured" {
            assert_eq!((records.moved, records.statuses()), (1, vec!["captured"]));
        } else {
            lost += 1;
            assert_eq!(payment["status"], "expired", "{payment}");
            assert_eq!((records.moved, records.cleeng.len()), (0, 0), "{payment}");
        }
    }
    assert!(lost > 0, "the deleted queue held nothing");
}

fn is_settled(payment: &Value) -> bool {
    let confirmation = payment["confirmation"]["status"].as_str();
    match payment["status"].as_str() {
        Some("captured") => confirmation == Some("delivered"),
        Some("expired") => confirmation != Some("queued"),
        _ => false,
    }
}
