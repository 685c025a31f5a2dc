//! What an operator sees and leaves: the log, the processes, the searches, and that none of them reads a whole table.

use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::samples::{START, accepted, change, facts, moved, renewed, written};
use super::stores::Store;
use crate::domain::deed::{Deed, DeedKind, Operator, Via};
use crate::domain::flow::Flow;
use crate::domain::ids::{GatewayRef, PaymentId};
use crate::domain::moment::Moment;
use crate::domain::payment::{Payment, Status};
use crate::domain::presence::Presence;
use crate::ledger::{Ledger, SearchBy, Standing, StandingOf};

fn deed(payment: Option<PaymentId>, at: i64) -> Deed {
    let anna = Operator::new("anna", "their maintenance", Via::Console).unwrap();
    Deed::new(
        DeedKind::Replay,
        &anna,
        "message 1".to_owned(),
        payment,
        Moment(at),
    )
}

pub(super) async fn deeds_are_read_newest_first_and_by_their_payment(store: &Store) {
    let ledger = store.open().await;
    let payment = PaymentId(Uuid::now_v7());
    let mut deeds = Vec::new();
    for at in 1..=3 {
        let one = deed((at != 2).then_some(payment), at);
        ledger.note_deed(&one).await.unwrap();
        // An answer that was lost: the same entry again is nothing.
        ledger.note_deed(&one).await.unwrap();
        deeds.push(one);
    }
    let [first, second, third] = deeds.try_into().unwrap();
    let newest = ledger.deeds(None, 2).await.unwrap();
    assert_eq!(newest, [third.clone(), second.clone()]);
    let rest = ledger.deeds(Some(second.id), 2).await.unwrap();
    assert_eq!(rest, std::slice::from_ref(&first));
    assert_eq!(ledger.deeds_about(payment).await.unwrap(), [first, third]);
}

pub(super) async fn the_log_is_only_ever_added_to(store: &Store) {
    let ledger = store.open().await;
    let kept = deed(None, 1);
    ledger.note_deed(&kept).await.unwrap();
    let mut raw = store.raw().await;
    for change in [
        "UPDATE operator_log SET by_whom = 'nobody'",
        "DELETE FROM operator_log",
    ] {
        let refused = raw.execute(change).await.unwrap_err().to_string();
        assert!(refused.contains("only ever added to"), "{refused}");
    }
    assert_eq!(ledger.deeds(None, 10).await.unwrap(), [kept]);
}

pub(super) async fn processes_are_seen_until_they_have_been_silent_for_an_hour(store: &Store) {
    let ledger = store.open().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let presence = |roles: &str| Presence {
        roles: vec![roles.to_owned()],
        flow: Flow::empty(START),
        ..Presence::default()
    };
    let later = Moment(START.0 + 3_599_000);
    ledger
        .tell_presence(one, &presence("worker"), START)
        .await
        .unwrap();
    ledger
        .tell_presence(two, &presence("ingest"), later)
        .await
        .unwrap();
    let seen = ledger.presences(later).await.unwrap();
    let roles: Vec<&str> = seen
        .iter()
        .map(|seen| seen.presence.roles[0].as_str())
        .collect();
    assert_eq!(roles, ["worker", "ingest"]);
    let end = Moment(START.0 + 3_601_000);
    assert_eq!(ledger.presences(end).await.unwrap().len(), 1);
    ledger
        .tell_presence(two, &presence("confirmer"), end)
        .await
        .unwrap();
    let seen = ledger.presences(later).await.unwrap();
    assert_eq!((seen.len(), seen[0].id, seen[0].at), (1, two, end));
    assert_eq!(seen[0].presence, presence("confirmer"));
}

async fn found(ledger: &Ledger, by: &SearchBy, before: Option<PaymentId>) -> Vec<PaymentId> {
    let page = ledger.search(by, before, 2).await.unwrap();
    page.iter().map(|known| known.payment.id).collect()
}

async fn with_order(ledger: &Ledger, payment: &Payment, reference: &str) -> Payment {
    let mut read = payment.clone();
    read.order = Some(facts());
    read.progress.reference = Some(GatewayRef(reference.to_owned()));
    read.version = written(ledger.commit(change(&read).into()).await.unwrap());
    read
}

pub(super) async fn payments_are_found_by_each_of_their_ids_page_by_page(store: &Store) {
    let ledger = store.open().await;
    let mut ids = Vec::new();
    for order in 1..=3 {
        let payment = accepted(&ledger, order).await;
        let reference = format!("pi_{order}");
        ids.push(with_order(&ledger, &payment, &reference).await);
    }
    let renewal = renewed(&ledger, 9, 77, 5).await;
    let id = |place: usize| ids[place].id;
    let customer = SearchBy::Customer(4_000_000_000);
    assert_eq!(found(&ledger, &customer, None).await, [id(2), id(1)]);
    assert_eq!(found(&ledger, &customer, Some(id(1))).await, [id(0)]);
    assert!(found(&ledger, &customer, Some(id(0))).await.is_empty());
    assert_eq!(found(&ledger, &SearchBy::Order(2), None).await, [id(1)]);
    let reference = SearchBy::Reference("pi_3".to_owned());
    assert_eq!(found(&ledger, &reference, None).await, [id(2)]);
    assert_eq!(
        found(&ledger, &SearchBy::Subscription(77), None).await,
        [renewal.id]
    );
    assert_eq!(
        found(&ledger, &SearchBy::All, None).await,
        [renewal.id, id(2)]
    );

    moved(&ledger, &ids[0], Status::Failed).await;
    moved(&ledger, &ids[1], Status::InDoubt).await;
    moved(&ledger, &ids[2], Status::Captured).await;
    assert_eq!(found(&ledger, &SearchBy::Failed, None).await, [id(0)]);
    assert_eq!(found(&ledger, &SearchBy::InDoubt, None).await, [id(1)]);
    assert_eq!(
        found(&ledger, &SearchBy::Open, None).await,
        [renewal.id, id(1)]
    );
}

pub(super) async fn what_has_not_settled_is_counted_by_status(store: &Store) {
    let ledger = store.open().await;
    let none = Standing {
        payments: Vec::new(),
        demands_kept: 0,
    };
    assert_eq!(ledger.standing().await.unwrap(), none);
    for order in 1..=4 {
        let payment = accepted(&ledger, order).await;
        let status = match order {
            1 | 2 => Status::InDoubt,
            3 => Status::Failed,
            _ => Status::Captured,
        };
        moved(&ledger, &payment, status).await;
    }
    let standing = ledger.standing().await.unwrap();
    let of = |status, count| StandingOf {
        status,
        count,
        oldest: START,
    };
    let expected = [of(Status::Failed, 1), of(Status::InDoubt, 2)];
    assert_eq!(standing.payments, expected);
}

/// Rows enough that a whole table would be the dearest way.
const MANY: &str = "INSERT INTO payments (id, version, order_id, gateway, operation, status, method, published, holds_order, \
     idempotency_key, body_hash, created_at, updated_at, expires_at, customer_id, reference, subscription_id, due_at, \
     payment_details_id, renewal_take) \
     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000) \
     SELECT 'id-' || CAST(1000000 + n AS TEXT), 1, n, 'stripe', 'initial-payment', \
     CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'captured' END, '{}', TRUE, FALSE, 'key-' || CAST(n AS TEXT), '', n, n, n, n, \
     'pi_' || CAST(n AS TEXT), CASE WHEN n % 10 = 0 THEN n END, n, n, 'reserve' FROM numbers";

/// By the databases' own word: which index each query goes through.
pub(super) async fn every_search_goes_through_its_index(store: &Store) {
    drop(store.open().await);
    let mut raw = store.raw().await;
    for prepare in [MANY, "ANALYZE payments"] {
        raw.execute(prepare).await.unwrap();
    }
    let sqlite = matches!(store, Store::Sqlite { .. });
    let (explain, column) = match sqlite {
        true => ("EXPLAIN QUERY PLAN", "detail"),
        false => ("EXPLAIN", "QUERY PLAN"),
    };
    let searches: [(SearchBy, &str, &[&str]); 8] = [
        (
            SearchBy::All,
            "",
            &["payments_pkey", "sqlite_autoindex_payments_1"],
        ),
        (SearchBy::Open, "", &["payments_unsettled"]),
        (SearchBy::InDoubt, "", &["payments_unsettled"]),
        (SearchBy::Failed, "", &["payments_unsettled"]),
        (SearchBy::Order(7), "7", &["payments_order"]),
        (SearchBy::Customer(7), "7", &["payments_customer"]),
        (SearchBy::Subscription(7), "7", &["payments_subscription"]),
        (
            SearchBy::Reference(String::new()),
            "'pi_7'",
            &["payments_reference"],
        ),
    ];
    for (by, argument, indices) in searches {
        let condition = by.condition().replace("$1", argument);
        let query = format!(
            "{explain} SELECT * FROM payments WHERE {condition} AND id < 'id-9' ORDER BY id DESC LIMIT 5"
        );
        let rows = raw.fetch_all(sqlx::query(AssertSqlSafe(query))).await;
        let rows = rows.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(column)).collect();
        let plan = plan.join("\n");
        let through = |index: &&str| {
            let ways = ["USING INDEX", "using", "on"].map(|word| format!("{word} {index}"));
            ways.iter().any(|way| plan.contains(way))
        };
        let whole = plan.ends_with("SCAN payments") || plan.contains("Seq Scan");
        assert!(indices.iter().any(through) && !whole, "{by:?}: {plan}");
    }
}
