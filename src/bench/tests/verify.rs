//! Every way in which the books can be wrong.

use super::*;

fn id(payment: u64) -> Uuid {
    Uuid::from_u128(payment.into())
}

fn accepted(payment: u64) -> Sent {
    sent(payment, Answer::Accepted(id(payment)))
}

fn sent(payment: u64, answer: Answer) -> Sent {
    Sent {
        order_id: payment,
        amount: 999,
        answer,
    }
}

fn taken(payment: u64) -> Taken {
    Taken {
        reference: id(payment).to_string(),
        id: format!("ch_{payment}"),
        amount: 999,
    }
}

fn recorded(payment: u64) -> Recorded {
    Recorded {
        external_id: format!("ch_{payment}"),
        order_id: payment,
        amount: 999,
        captured: true,
        subscription_id: None,
        at: 1,
    }
}

#[test]
fn books_that_agree_are_fine() {
    let all = [
        accepted(1),
        sent(2, Answer::Refused),
        sent(3, Answer::Lost),
        sent(4, Answer::Lost),
    ];
    let found = verify(
        &all,
        &[],
        &[taken(1), taken(4)],
        &[recorded(4), recorded(1)],
    );
    let counts = (
        found.accepted,
        found.refused,
        found.lost,
        found.lost_and_found,
    );
    assert_eq!((counts, found.violations), ((1, 1, 2, 1), 0), "{found:?}");
    assert_eq!((found.taken, found.recorded), (2, 2));
}

#[test]
fn every_way_to_be_wrong_is_one_violation() {
    type Books = (Vec<Taken>, Vec<Recorded>);
    let with = |change: fn(&mut Taken, &mut Recorded)| -> Books {
        let (mut taken, mut recorded) = (taken(1), recorded(1));
        change(&mut taken, &mut recorded);
        (vec![taken], vec![recorded])
    };
    let one = accepted(1);
    let cases: [(&str, Sent, Books); 13] = [
        ("no charge", one, (vec![], vec![recorded(1)])),
        ("no record", one, (vec![taken(1)], vec![])),
        ("neither", one, (vec![], vec![])),
        (
            "charged twice",
            one,
            (vec![taken(1), taken(1)], vec![recorded(1)]),
        ),
        (
            "recorded twice",
            one,
            (vec![taken(1)], vec![recorded(1), recorded(1)]),
        ),
        (
            "another amount charged",
            one,
            with(|taken, _| taken.amount = 1),
        ),
        (
            "another amount recorded",
            one,
            with(|_, recorded| recorded.amount = 1),
        ),
        (
            "recorded as another charge",
            one,
            with(|_, recorded| recorded.external_id = "ch_9".into()),
        ),
        (
            "not captured",
            one,
            with(|_, recorded| recorded.captured = false),
        ),
        (
            "refused and recorded",
            sent(1, Answer::Refused),
            (vec![], vec![recorded(1)]),
        ),
        (
            "refused and charged",
            sent(1, Answer::Refused),
            (vec![taken(1)], vec![]),
        ),
        (
            "lost and only charged",
            sent(1, Answer::Lost),
            (vec![taken(1)], vec![]),
        ),
        (
            "lost and only recorded",
            sent(1, Answer::Lost),
            (vec![], vec![recorded(1)]),
        ),
    ];
    for (what, sent, (taken, recorded)) in cases {
        let found = verify(&[sent], &[], &taken, &recorded);
        assert_eq!(found.violations, 1, "{what}: {found:?}");
    }
    let stranger = verify(&[], &[], &[], &[recorded(7)]);
    assert_eq!(stranger.violations, 1, "{stranger:?}");
}

#[test]
fn many_violations_are_counted_and_the_first_listed() {
    let all: Vec<Sent> = (0..100).map(accepted).collect();
    let found = verify(&all, &[], &[], &[]);
    assert_eq!((found.violations, found.listed.len()), (100, LISTED));
}

#[test]
fn the_ledgers_own_count_is_compared() {
    let mut found = verify(&[accepted(1)], &[], &[taken(1)], &[recorded(1)]);
    found.compare_ledger(1);
    assert_eq!(found.violations, 0);
    found.compare_ledger(2);
    assert_eq!(found.violations, 1);
}

/// The renewal of subscription 5, by a payment and an order that only the connector and Cleeng know.
fn renewed(order: u64) -> (Taken, Recorded) {
    let mut record = recorded(order);
    record.subscription_id = Some(5);
    (taken(order), record)
}

const DUE: Renewal = Renewal {
    subscription_id: 5,
    amount: 999,
};

#[test]
fn a_renewal_is_in_both_books_beside_the_payments() {
    let (charge, record) = renewed(80);
    let found = verify(
        &[accepted(1)],
        &[DUE],
        &[charge, taken(1)],
        &[recorded(1), record],
    );
    assert_eq!((found.accepted, found.renewals), (1, 1));
    assert_eq!(found.violations, 0, "{found:?}");
}

#[test]
fn every_way_in_which_a_renewal_can_be_wrong_is_found() {
    type Books = (Vec<Taken>, Vec<Recorded>);
    let with = |change: fn(&mut Taken, &mut Recorded)| -> Books {
        let (mut charge, mut record) = renewed(80);
        change(&mut charge, &mut record);
        (vec![charge], vec![record])
    };
    let ((one, first), (two, second)) = (renewed(80), renewed(81));
    let cases: [(&str, usize, Books); 8] = [
        ("neither", 1, (vec![], vec![])),
        ("only charged", 2, (vec![one.clone()], vec![])),
        ("only recorded", 1, (vec![], vec![first.clone()])),
        (
            "charged twice",
            1,
            (vec![one.clone(), two.clone()], vec![first.clone()]),
        ),
        ("renewed twice", 2, (vec![one, two], vec![first, second])),
        ("another amount", 1, with(|charge, _| charge.amount = 1)),
        ("not captured", 1, with(|_, record| record.captured = false)),
        (
            "another subscription",
            3,
            with(|_, record| record.subscription_id = Some(6)),
        ),
    ];
    for (what, violations, (taken, recorded)) in cases {
        let found = verify(&[], &[DUE], &taken, &recorded);
        assert_eq!(found.violations, violations, "{what}: {found:?}");
    }
}
