//! The gateways' lists through their adapters: page by page to the end, and as strict about a page as the real ones.

use std::collections::BTreeSet;

use serde_json::json;

use super::side::{Side, euro, sides};
use crate::domain::moment::Moment;
use crate::domain::reconcile::ChargeState;
use crate::gateway::listing::{Cursor, Feed, Listed};
use crate::simulator::clock;
use crate::simulator::tests::{Bench, charge};

/// Every entry of a list, and how many pages it took.
async fn all(side: &Side, feed: Feed, since: Moment) -> (Vec<Listed>, usize) {
    let lists = side.gateway.lists().expect("it can list");
    let (mut entries, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = lists.page(feed, since, after.as_ref()).await.unwrap();
        pages += 1;
        entries.extend(page.entries);
        match page.next {
            Some(next) => after = Some(next),
            None => return (entries, pages),
        }
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end_page_by_page() {
    let bench = Bench::start().await;
    for number in 0..105 {
        let body = charge("tok_ok");
        let made = bench.simulated(&format!("k{number}"), &body).await;
        assert_eq!(made.status, 200);
        bench.intent("").await;
    }
    let hour_ago = Moment(clock::now().0 - 3_600_000);
    for side in sides(&bench) {
        let (entries, pages) = all(&side, Feed::Charges, hour_ago).await;
        assert_eq!((entries.len(), pages), (105, 2), "{}", side.name);
        let ids: BTreeSet<_> = entries
            .iter()
            .map(|entry| {
                let Listed::Charge(charge) = entry else {
                    panic!("{entry:?}")
                };
                charge.reference.0.clone()
            })
            .collect();
        assert_eq!(ids.len(), 105);
        let later = Moment(clock::now().0 + 3_600_000);
        let (none, pages) = all(&side, Feed::Charges, later).await;
        assert_eq!((none.len(), pages), (0, 1));
        for feed in [Feed::Refunds, Feed::Disputes] {
            assert!(all(&side, feed, hour_ago).await.0.is_empty());
        }
        let unknown = Cursor("never_made".to_owned());
        let lists = side.gateway.lists().unwrap();
        let page = lists.page(Feed::Charges, hour_ago, Some(&unknown)).await;
        assert!(page.is_err(), "{}", side.name);
        assert!(side.gateway.probe().await.unwrap().date.is_some());
    }
    for path in ["payment_intents?limit=101", "payment_intents?limit=0"] {
        assert_eq!(bench.stripe_get(path).await.status, 400, "{path}");
    }
    for path in [
        "charges?limit=101",
        "charges?since=1",
        "charges?createdFrom=x",
    ] {
        let answer = bench.get_simulated(path).await;
        assert!(answer["error"]["code"].is_string(), "{path}: {answer}");
    }
}

#[tokio::test]
async fn what_other_hands_did_stands_in_the_lists() {
    let bench = Bench::start().await;
    let captured = bench.charged("k1", "tok_ok", true).await;
    let intent = bench.intent("").await;
    let confirm = format!("payment_intents/{intent}/confirm");
    bench
        .stripe(&confirm, "", "payment_method=pm_card_visa")
        .await;
    for id in [&captured, &intent] {
        bench
            .control(
                "POST",
                "/_gateway/refunds",
                json!({ "id": id, "amount": 300 }),
            )
            .await;
        bench
            .control("POST", "/_gateway/disputes", json!({ "id": id }))
            .await;
    }
    let hour_ago = Moment(clock::now().0 - 3_600_000);
    for (side, id) in sides(&bench).into_iter().zip([&intent, &captured]) {
        let (charges, _) = all(&side, Feed::Charges, hour_ago).await;
        let [Listed::Charge(charge)] = charges.as_slice() else {
            panic!("{}: {charges:?}", side.name)
        };
        assert_eq!(
            (&charge.reference.0, charge.state),
            (id, ChargeState::Taken(euro(999)))
        );
        let (refunds, _) = all(&side, Feed::Refunds, hour_ago).await;
        let [Listed::Refund { of, refund }] = refunds.as_slice() else {
            panic!("{}: {refunds:?}", side.name)
        };
        assert_eq!((&of.0, refund.amount), (id, euro(300)));
        let (disputes, _) = all(&side, Feed::Disputes, hour_ago).await;
        let [Listed::Dispute { of, .. }] = disputes.as_slice() else {
            panic!("{}: {disputes:?}", side.name)
        };
        assert_eq!(&of.0, id);
    }
}
