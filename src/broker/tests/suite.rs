//! The promises that both brokers keep.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

pub(super) use super::dead::{
    a_dead_letter_that_has_no_queue_to_go_to_stays, a_removed_dead_letter_is_gone_for_good,
    a_replayed_dead_letter_is_back_in_its_queue_as_new,
    looking_thirty_times_at_dead_letters_loses_none,
};
use super::harness::{Recorder, Rig, Running, drain, eventually, message};
use crate::broker::{Headers, Lane, PublishError, Queue, Verdict};

const QUEUE: Queue = Queue::Confirmations;

fn hold() -> Verdict {
    Verdict::Hold {
        error: "credential refused".into(),
    }
}

fn later() -> Verdict {
    Verdict::Later {
        delay: "1s.a".parse().unwrap(),
        error: "gateway away".into(),
    }
}

pub(super) async fn what_is_published_is_taken_once_and_then_gone(rig: Rig) {
    let broker = rig.start().await;
    let sent = message(QUEUE, "one");
    let headers = Headers {
        traceparent: Some("00-a-b-01".into()),
        ..Headers::default()
    };
    let sent = crate::broker::Outgoing {
        headers: headers.clone(),
        ..sent
    };
    broker.publisher().publish(sent.clone()).await.unwrap();
    assert_eq!(broker.depth(&QUEUE).await.unwrap(), 1);
    let taken = drain(&broker, QUEUE, 1).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].body, b"one");
    assert_eq!(taken[0].queue, QUEUE);
    assert_eq!(taken[0].message_id, Some(sent.message_id));
    assert_eq!(taken[0].headers, headers);
    broker.close().await;

    let again = rig.start().await;
    assert!(drain(&again, QUEUE, 0).await.is_empty());
    again.close().await;
}

pub(super) async fn a_failed_message_comes_back_after_its_rung_and_not_before(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, before| if before == 0 { later() } else { Verdict::Done });
    let running = Running::consume(&broker, QUEUE, 10, recorder.clone());
    let sent = message(QUEUE, "again");
    let begun = crate::clock::now();
    broker.publisher().publish(sent.clone()).await.unwrap();
    eventually("taken again", || recorder.count() == 2).await;
    let ((_, first), (second, at)) = (recorder.taken(0), recorder.taken(1));
    assert!(at.duration_since(first) >= Duration::from_millis(990));
    assert!(at.duration_since(first) < Duration::from_secs(3));
    assert_eq!(second.message_id, Some(sent.message_id));
    assert_eq!(second.headers.failures, 1);
    assert_eq!(second.headers.first_error.as_deref(), Some("gateway away"));
    assert!(second.headers.first_failed_at.unwrap() >= begun);
    running.stop().await;
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}

pub(super) async fn a_parked_message_lies_in_the_dead_letters_with_its_history(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, _| Verdict::Park {
        reason: crate::domain::dead::DeadReason::CleengRefused,
        error: "no such order".into(),
    });
    let running = Running::consume(&broker, QUEUE, 10, recorder.clone());
    broker
        .publisher()
        .publish(message(QUEUE, "parked"))
        .await
        .unwrap();
    let dead = drain(&broker, Queue::Dead, 1).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].body, b"parked");
    let headers = &dead[0].headers;
    assert_eq!(headers.reason.as_deref(), Some("cleeng_refused"));
    assert_eq!(headers.source.as_deref(), Some("confirmations"));
    assert_eq!(headers.last_error.as_deref(), Some("no such order"));
    assert_eq!(headers.failures, 1);
    running.stop().await;
    assert_eq!(recorder.count(), 1);
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}

pub(super) async fn a_held_message_pauses_its_lane_and_is_taken_again(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, before| if before == 0 { hold() } else { Verdict::Done });
    let running = Running::consume(&broker, QUEUE, 10, recorder.clone());
    let publisher = broker.publisher();
    publisher.publish(message(QUEUE, "held")).await.unwrap();
    eventually("held", || recorder.finished() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    publisher.publish(message(QUEUE, "next")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(recorder.count(), 1, "the lane is not paused");
    eventually("both taken", || recorder.finished() == 3).await;
    assert_eq!(recorder.taken(1).0.body, b"held");
    assert_eq!(recorder.taken(1).0.headers.failures, 0);
    assert_eq!(recorder.taken(2).0.body, b"next");
    running.stop().await;
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}

pub(super) async fn what_a_paused_consumer_held_is_marked_for_the_next_one(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, _| hold());
    let running = Running::consume(&broker, QUEUE, 10, recorder.clone());
    broker
        .publisher()
        .publish(message(QUEUE, "held"))
        .await
        .unwrap();
    eventually("held", || recorder.finished() >= 1).await;
    running.stop().await;
    // The first one may have done a part of the work.
    let taken = drain(&broker, QUEUE, 1).await;
    assert_eq!(taken.len(), 1);
    assert!(taken[0].redelivered);
    broker.close().await;
}

pub(super) async fn a_message_for_no_queue_is_an_error(rig: Rig) {
    let broker = rig.start().await;
    let nowhere = Queue::Commands {
        gateway: "unknown".parse().unwrap(),
        lane: Lane::Checkout,
    };
    let publisher = broker.publisher();
    // Among others that do arrive: the error must be that of the right one.
    let bodies = (0..50).map(|number| {
        let queue = if number == 20 { nowhere.clone() } else { QUEUE };
        publisher.publish(message(queue, &number.to_string()))
    });
    for (number, result) in join_all(bodies).await.into_iter().enumerate() {
        let expected = if number == 20 {
            Err(PublishError::Unroutable)
        } else {
            Ok(())
        };
        assert_eq!(result, expected, "{number}");
    }
    broker.close().await;
}

pub(super) async fn what_was_not_taken_is_there_after_a_restart(rig: Rig) {
    let broker = rig.start().await;
    for number in 0..20 {
        let sent = message(QUEUE, &format!("{number:02}"));
        broker.publisher().publish(sent).await.unwrap();
    }
    broker.close().await;
    drop(broker);
    let again = rig.start().await;
    let taken = drain(&again, QUEUE, 20).await;
    let mut bodies: Vec<_> = taken.into_iter().map(|delivery| delivery.body).collect();
    bodies.sort();
    let expected: Vec<_> = (0..20).map(|n| format!("{n:02}").into_bytes()).collect();
    assert_eq!(bodies, expected);
    again.close().await;
}

pub(super) async fn what_is_held_at_the_stop_is_there_after_a_restart(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, _| hold());
    let running = Running::consume(&broker, QUEUE, 2, recorder.clone());
    for body in ["a", "b", "c"] {
        let sent = message(QUEUE, body);
        broker.publisher().publish(sent).await.unwrap();
    }
    eventually("held", || recorder.finished() >= 1).await;
    running.stop().await;
    broker.close().await;
    drop(broker);
    let again = rig.start().await;
    let mut taken = drain(&again, QUEUE, 3).await;
    taken.sort_by(|one, other| one.body.cmp(&other.body));
    let bodies: Vec<_> = taken.iter().map(|one| one.body.as_slice()).collect();
    assert_eq!(bodies, [b"a", b"b", b"c"]);
    assert!(taken.iter().all(|one| one.headers.failures == 0));
    again.close().await;
}

pub(super) async fn a_stop_finishes_what_runs_and_leaves_the_rest(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::slow(
        |delivery, _| match delivery.body.first() {
            Some(b'0') => Verdict::Park {
                reason: crate::domain::dead::DeadReason::CleengRefused,
                error: "no".into(),
            },
            Some(_) | None => Verdict::Done,
        },
        |_| Duration::from_millis(400),
    );
    for number in 0..10 {
        let sent = message(QUEUE, &number.to_string());
        broker.publisher().publish(sent).await.unwrap();
    }
    let running = Running::consume(&broker, QUEUE, 4, recorder.clone());
    eventually("four run", || recorder.count() == 4).await;
    running.say_stop();
    running.stop().await;
    assert_eq!(recorder.count(), 4, "a handler was begun after the stop");
    assert_eq!(recorder.finished(), 4);
    let rest = drain(&broker, QUEUE, 6).await;
    assert_eq!(rest.len(), 6);
    assert_eq!(drain(&broker, Queue::Dead, 1).await.len(), 1);
    broker.close().await;
}

pub(super) async fn two_thousand_messages_are_all_taken_once(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::new(|_, _| Verdict::Done);
    let running = Running::consume(&broker, QUEUE, 100, recorder.clone());
    let publisher = broker.publisher();
    let sent = (0..2000).map(|number| publisher.publish(message(QUEUE, &format!("{number:04}"))));
    for result in join_all(sent).await {
        result.unwrap();
    }
    eventually("all taken", || recorder.count() >= 2000).await;
    running.stop().await;
    let expected: Vec<_> = (0..2000).map(|n| format!("{n:04}").into_bytes()).collect();
    assert_eq!(recorder.bodies(), expected);
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}

pub(super) async fn a_slow_message_does_not_hold_up_the_others(rig: Rig) {
    let broker = rig.start().await;
    let recorder = Recorder::slow(
        |_, _| Verdict::Done,
        |delivery| match delivery.body.as_slice() {
            b"slow" => Duration::from_secs(3),
            _ => Duration::ZERO,
        },
    );
    let running = Running::consume(&broker, QUEUE, 5, recorder.clone());
    let publisher = broker.publisher();
    let begun = Instant::now();
    publisher.publish(message(QUEUE, "slow")).await.unwrap();
    for number in 0..50 {
        let sent = message(QUEUE, &number.to_string());
        publisher.publish(sent).await.unwrap();
    }
    eventually("the quick ones", || recorder.finished() == 50).await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    running.stop().await;
    assert_eq!(recorder.finished(), 51);
    assert!(drain(&broker, QUEUE, 0).await.is_empty());
    broker.close().await;
}
