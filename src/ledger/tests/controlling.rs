//! Pauses: set, seen from another process, and ended.

use sqlx::Executor;

use super::stores::Store;
use crate::domain::moment::Moment;
use crate::domain::pause::{Pause, Side};
use crate::ledger::LedgerError;

fn stripe() -> Side {
    Side::Gateway("stripe".parse().unwrap())
}

pub(super) async fn a_pause_lasts_until_it_is_ended(store: &Store) {
    let (operator, process) = (store.open().await, store.open().await);
    // Other controls are no pauses.
    process
        .claim_sweep(Moment(1), std::time::Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(process.pauses().await.unwrap(), []);
    for (side, because, at) in [
        (stripe(), Some("maintenance"), 5),
        (Side::Confirmations, None, 6),
    ] {
        let since = operator.pause(&side, because, Moment(at)).await.unwrap();
        assert_eq!(since, Moment(at));
    }
    let expected = [
        Pause {
            side: Side::Confirmations,
            since: Moment(6),
            because: None,
        },
        Pause {
            side: stripe(),
            since: Moment(5),
            because: Some("maintenance".to_owned()),
        },
    ];
    assert_eq!(process.pauses().await.unwrap(), expected);
    assert!(operator.resume(&stripe()).await.unwrap());
    assert!(!operator.resume(&stripe()).await.unwrap());
    assert_eq!(process.pauses().await.unwrap(), expected[..1]);
}

pub(super) async fn a_second_pause_keeps_its_beginning(store: &Store) {
    let ledger = store.open().await;
    let steps = [
        (Some("first"), "first"),
        (None, "first"),
        (Some("second"), "second"),
    ];
    for (at, (because, kept)) in (1..).zip(steps) {
        let since = ledger.pause(&stripe(), because, Moment(at)).await.unwrap();
        assert_eq!(since, Moment(1));
        let pauses = ledger.pauses().await.unwrap();
        assert_eq!(pauses[0].because.as_deref(), Some(kept));
    }
}

pub(super) async fn a_pause_of_a_later_build_is_unreadable(store: &Store) {
    let ledger = store.open().await;
    let mut raw = store.raw().await;
    raw.execute("INSERT INTO controls (name, value, updated_at) VALUES ('pause moon', '', 1)")
        .await
        .unwrap();
    let error = ledger.pauses().await.unwrap_err();
    assert!(
        matches!(
            error,
            LedgerError::Unreadable {
                column: "controls.name"
            }
        ),
        "{error}"
    );
}
