//! What only a broker at the end of a wire can do to us.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::harness::{Recorder, Rig, Running, amqp_url, connect, drain, eventually, message};
use super::proxy::Proxy;
use crate::broker::examine::{self, Trial};
use crate::broker::topology::Difference;
use crate::broker::{Broker, BrokerError, PublishError, Queue, Verdict, declare, diff};
use crate::config::BrokerUrl;

const QUEUE: Queue = Queue::Confirmations;

async fn behind_a_proxy(rig: Rig) -> (Rig, Proxy) {
    let proxy = Proxy::to(&amqp_url()).await;
    let mut rig = rig;
    rig.config.url = BrokerUrl::Amqp(proxy.url().into());
    (rig, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_connections_are_cut() {
    Rig::rabbitmq().run(cut_in_the_middle).await;
}

async fn cut_in_the_middle(rig: Rig) {
    let (rig, proxy) = behind_a_proxy(rig).await;
    let broker = rig.start().await;
    let recorder = Recorder::slow(
        |delivery, _| match delivery.headers.failures {
            // Some take the way over the ladder, so that settling is cut too.
            0 if delivery.body.ends_with(b"7") => Verdict::Later {
                delay: "1s.a".parse().unwrap(),
                error: "once more".into(),
            },
            _ => Verdict::Done,
        },
        |_| Duration::from_millis(2),
    );
    let running = Running::consume(&broker, QUEUE, 50, recorder.clone());
    let mut senders = JoinSet::new();
    for lane in 0..10 {
        let publisher = broker.publisher();
        senders.spawn(async move {
            for number in 0..300 {
                let sent = message(QUEUE, &format!("{lane}-{number:03}"));
                // As ingest would: told of a failure, the sender sends again.
                while publisher.publish(sent.clone()).await.is_err() {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    for taken in [300, 1200, 2400] {
        eventually("progress", || recorder.count() > taken).await;
        proxy.cut();
    }
    senders.join_all().await;
    eventually("all taken, and all that failed a second time", || {
        let seen = recorder.seen.lock().unwrap();
        let mut done = BTreeSet::new();
        for (delivery, _) in seen.iter() {
            let again = delivery.headers.failures > 0;
            if again || !delivery.body.ends_with(b"7") {
                done.insert(delivery.body.clone());
            }
        }
        done.len() == 3000
    })
    .await;
    let taken = recorder.count();
    assert!(
        taken < 3300 + 600,
        "{taken} taken: more than the cuts explain"
    );
    running.stop().await;
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unconfirmed_at_a_cut_is_sent_again_and_then_confirmed() {
    Rig::rabbitmq().run(resent).await;
}

async fn resent(rig: Rig) {
    let direct = rig.clone().start().await;
    let (rig, proxy) = behind_a_proxy(rig).await;
    let broker = rig.start().await;
    let publisher = broker.publisher();
    proxy.mute(true);
    let sent = message(QUEUE, "sent twice");
    let mut sends = JoinSet::new();
    let (again, copy) = (publisher.clone(), sent.clone());
    sends.spawn(async move { again.publish(copy).await });
    while direct.depth(&QUEUE).await.unwrap() == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    proxy.cut();
    // The confirm must not slip through.
    sleep(Duration::from_millis(100)).await;
    proxy.mute(false);
    assert_eq!(sends.join_next().await.unwrap().unwrap(), Ok(()));
    let copies = drain(&direct, QUEUE, 2).await;
    assert_eq!(copies.len(), 2);
    let ids = copies.iter().map(|copy| copy.message_id);
    assert!(ids.eq([Some(sent.message_id); 2]));
    broker.close().await;
    direct.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_does_not_answer_costs_no_more_than_the_publish_timeout() {
    Rig::rabbitmq().run(unanswered).await;
}

async fn unanswered(rig: Rig) {
    let (mut rig, proxy) = behind_a_proxy(rig).await;
    rig.config.publish_timeout = Duration::from_millis(500);
    let broker = rig.start().await;
    proxy.mute(true);
    let begun = Instant::now();
    let result = broker.publisher().publish(message(QUEUE, "lost?")).await;
    assert_eq!(result, Err(PublishError::TimedOut));
    assert!(begun.elapsed() >= Duration::from_millis(500));
    assert!(begun.elapsed() < Duration::from_millis(900));
    proxy.mute(false);
    assert_eq!(drain(&broker, QUEUE, 1).await.len(), 1);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_a_publish_fails_at_once_and_work_goes_on_when_it_is_back() {
    Rig::rabbitmq().run(away).await;
}

async fn away(rig: Rig) {
    let (mut rig, proxy) = behind_a_proxy(rig).await;
    rig.config.publish_timeout = Duration::from_secs(2);
    proxy.down();
    let broker = Broker::start(&rig.config, &rig.ledger, &rig.gateways)
        .await
        .map(Arc::new)
        .unwrap();
    let publisher = broker.publisher();
    let recorder = Recorder::new(|_, _| Verdict::Done);
    let running = Running::consume(&broker, QUEUE, 10, recorder.clone());
    let begun = Instant::now();
    let refused = publisher.publish(message(QUEUE, "early")).await;
    assert!(matches!(refused, Err(PublishError::Away(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_millis(200));
    assert!(!publisher.ready());
    assert!(matches!(
        broker.depth(&QUEUE).await,
        Err(BrokerError::Away(_))
    ));

    proxy.up();
    eventually("ready", || publisher.ready()).await;
    publisher.publish(message(QUEUE, "now")).await.unwrap();
    eventually("taken", || recorder.count() == 1).await;

    proxy.down();
    eventually("noticed", || !publisher.ready()).await;
    let begun = Instant::now();
    let refused = publisher.publish(message(QUEUE, "late")).await;
    assert!(matches!(refused, Err(PublishError::Away(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_millis(200));
    proxy.up();
    running.stop().await;
    broker.close().await;
    assert!(!publisher.ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_topology_can_be_declared_twice_and_its_gaps_are_told() {
    Rig::rabbitmq().run(declared_twice).await;
}

async fn declared_twice(rig: Rig) {
    let missing = diff(&rig.config, &rig.gateways).await.unwrap();
    assert_eq!(missing.len(), 19 + 23);
    let name = format!("{}.dead", rig.config.prefix);
    assert!(missing.contains(&Difference::MissingQueue { name }));
    declare(&rig.config, &rig.gateways).await.unwrap();
    declare(&rig.config, &rig.gateways).await.unwrap();
    assert_eq!(diff(&rig.config, &rig.gateways).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_existing_queue_with_other_arguments_is_a_clear_error() {
    Rig::rabbitmq().run(incompatible).await;
}

async fn incompatible(rig: Rig) {
    let name = format!("{}.gateway-events", rig.config.prefix);
    let connection = connect(&amqp_url()).await;
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let classic = channel.queue_declare(name.as_str().into(), options, FieldTable::default());
    classic.await.unwrap();

    let error = declare(&rig.config, &rig.gateways).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, BrokerError::Incompatible { .. }), "{text}");
    assert!(
        text.contains(&name) && text.contains("inequivalent arg"),
        "{text}"
    );
    assert!(text.contains("delete it"), "{text}");
    let differences = diff(&rig.config, &rig.gateways).await.unwrap();
    let told = |difference: &Difference| match difference {
        Difference::Incompatible { name: told, .. } => *told == name,
        Difference::MissingExchange { .. } | Difference::MissingQueue { .. } => false,
    };
    assert!(differences.iter().any(told), "{differences:?}");

    // The process stays up and not ready, until an operator has repaired it.
    let broker = Broker::start(&rig.config, &rig.ledger, &rig.gateways)
        .await
        .unwrap();
    sleep(Duration::from_millis(300)).await;
    assert!(!broker.publisher().ready());
    channel
        .queue_delete(
            name.as_str().into(),
            lapin::options::QueueDeleteOptions::default(),
        )
        .await
        .unwrap();
    let publisher = broker.publisher();
    eventually("ready", || publisher.ready()).await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_examined_and_nothing_is_left_behind() {
    Rig::rabbitmq()
        .run(async |rig: Rig| {
            let server = examine::server(&rig.config).await.unwrap();
            assert_eq!(server.product, "RabbitMQ");
            let examined = examine::examine(&rig.config, &rig.gateways).await;
            let empty = examined.unwrap().unwrap();
            assert!(!empty.differences.unwrap().is_empty());
            assert_eq!(empty.dead_letters, None);
            assert!(matches!(empty.trial, Trial::Failed(why) if why.contains("bind a queue")));
            declare(&rig.config, &rig.gateways).await.unwrap();
            for _ in 0..2 {
                let examined = examine::examine(&rig.config, &rig.gateways).await;
                let examined = examined.unwrap().unwrap();
                assert_eq!(examined.differences.unwrap(), []);
                assert_eq!(examined.dead_letters, Some(0));
                assert_eq!(examined.trial, Trial::Passed);
            }
        })
        .await;
}
