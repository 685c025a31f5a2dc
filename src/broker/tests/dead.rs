//! What an operator may count on: looking takes nothing away, and a replay is in its queue before it leaves the dead letters.

use std::sync::Arc;

use super::harness::{Rig, drain, message};
use crate::broker::{
    Broker, DeadLetter, DeadLetters, Headers, Outgoing, PublishError, Queue, ReplayError,
};
use crate::domain::moment::Moment;

const SOURCE: &str = "confirmations";

/// A broker with these dead letters, running as the connector does.
async fn with_dead(rig: &Rig, bodies: &[&str], source: &str) -> Arc<Broker> {
    let broker = rig.start().await;
    for body in bodies {
        let sent = Outgoing {
            headers: Headers {
                failures: 7,
                first_failed_at: Some(Moment(1)),
                last_error: Some("no".into()),
                traceparent: Some("00-a-b-01".into()),
                reason: Some("too_old".into()),
                source: Some(source.into()),
                ..Headers::default()
            },
            ..message(Queue::Dead, body)
        };
        broker.publisher().publish(sent).await.unwrap();
    }
    broker
}

async fn open(rig: &Rig) -> DeadLetters {
    let opened = DeadLetters::open(&rig.config, &rig.ledger, &rig.gateways).await;
    opened.unwrap()
}

/// One look from first to last: what is there.
async fn look(rig: &Rig) -> Vec<DeadLetter> {
    let mut session = open(rig).await;
    let letters = session.fetch(100).await.unwrap();
    session.close().await;
    letters
}

fn bodies(letters: &[DeadLetter]) -> Vec<&[u8]> {
    let mut bodies: Vec<_> = letters.iter().map(|one| one.body.as_slice()).collect();
    bodies.sort_unstable();
    bodies
}

pub(crate) async fn looking_thirty_times_at_dead_letters_loses_none(rig: Rig) {
    let broker = with_dead(&rig, &["a", "b", "c"], SOURCE).await;
    for round in 0..30 {
        let letters = look(&rig).await;
        assert_eq!(bodies(&letters), [b"a", b"b", b"c"], "{round}");
        let headers = &letters[0].headers;
        assert_eq!((headers.failures, headers.replayed), (7, 0));
        assert!(letters[0].parked_at.is_some());
    }
    broker.close().await;
}

pub(crate) async fn a_replayed_dead_letter_is_back_in_its_queue_as_new(rig: Rig) {
    let broker = with_dead(&rig, &["a", "b", "c"], SOURCE).await;
    let mut session = open(&rig).await;
    let letters = session.fetch(100).await.unwrap();
    let chosen = letters.iter().find(|one| one.body == b"b").unwrap();
    session.replay(chosen).await.unwrap();
    session.close().await;
    assert_eq!(bodies(&look(&rig).await), [b"a", b"c"]);
    let taken = drain(&broker, Queue::Confirmations, 1).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].message_id, Some(chosen.message_id));
    let expected = Headers {
        traceparent: Some("00-a-b-01".into()),
        replayed: 1,
        ..Headers::default()
    };
    assert_eq!(
        (&taken[0].body, &taken[0].headers),
        (&b"b".to_vec(), &expected)
    );
    broker.close().await;
}

pub(crate) async fn a_dead_letter_that_has_no_queue_to_go_to_stays(rig: Rig) {
    let broker = with_dead(&rig, &["a"], "commands.unknown.checkout").await;
    let mut session = open(&rig).await;
    let letters = session.fetch(100).await.unwrap();
    let replayed = session.replay(&letters[0]).await;
    assert!(
        matches!(
            replayed,
            Err(ReplayError::Publish(PublishError::Unroutable))
        ),
        "{replayed:?}"
    );
    session.close().await;
    assert_eq!(look(&rig).await.len(), 1);
    broker.close().await;
}

pub(crate) async fn a_removed_dead_letter_is_gone_for_good(rig: Rig) {
    let broker = with_dead(&rig, &["a", "b"], SOURCE).await;
    let mut session = open(&rig).await;
    let letters = session.fetch(100).await.unwrap();
    let chosen = letters.iter().find(|one| one.body == b"a").unwrap();
    session.remove(chosen).await.unwrap();
    session.close().await;
    assert_eq!(bodies(&look(&rig).await), [b"b"]);
    broker.close().await;
}
