//! What only queues in a file can do to us.

use super::harness::{Rig, drain, message};
use crate::broker::{Broker, BrokerError, PublishError, Queue};
use crate::config::LedgerUrl;

const QUEUE: Queue = Queue::GatewayEvents;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_served_by_one_process_at_a_time() {
    Rig::embedded()
        .run(async |rig: Rig| {
            let first = rig.start().await;
            let second = Broker::start(&rig.config, &rig.ledger, &rig.gateways).await;
            let error = second.err().unwrap();
            assert!(matches!(error, BrokerError::InUse { .. }), "{error}");
            first.close().await;
            let third = rig.start().await;
            third.close().await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_is_not_sqlite_is_refused() {
    Rig::embedded()
        .run(async |rig: Rig| {
            let ledger = LedgerUrl::Postgres("postgres://localhost/x".into());
            let refused = Broker::start(&rig.config, &ledger, &rig.gateways).await;
            assert!(matches!(refused.err(), Some(BrokerError::NeedsSqlite)));
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_commits_what_is_under_way_and_takes_nothing_more() {
    Rig::embedded()
        .run(async |rig: Rig| {
            let broker = rig.start().await;
            let publisher = broker.publisher();
            publisher.publish(message(QUEUE, "last")).await.unwrap();
            broker.close().await;
            let late = publisher.publish(message(QUEUE, "late")).await;
            assert!(matches!(late, Err(PublishError::Away(_))), "{late:?}");
            assert!(!publisher.ready());
            drop(broker);
            let again = rig.start().await;
            assert_eq!(drain(&again, QUEUE, 1).await.len(), 1);
            again.close().await;
        })
        .await;
}
