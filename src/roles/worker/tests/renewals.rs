//! Renewals: nobody is there, so Cleeng is told of every no.

use super::script::{Call, Effect, Ending, Errand, Kind, Script, charge, handed};
use super::stage::Stage;
use super::world::Flavour;
use crate::broker::Verdict;
use crate::domain::confirmation::Report;
use crate::domain::outcome::DeclineClass;
use crate::domain::payment::{Known, Status, Take};

const KINDS: [Kind; 2] = [Kind::Renewal(Take::Reserve), Kind::Renewal(Take::AtOnce)];

fn script(kind: Kind, calls: Vec<Call>) -> Script {
    Script {
        kind,
        late: false,
        actions: vec![charge()],
        calls,
        last_word: None,
    }
}

fn told(known: &Known) -> Vec<Report> {
    known.confirmations.iter().map(|one| one.report).collect()
}

/// The payment after a charge command that this gateway cannot be told.
async fn refused_by_us(kind: Kind) -> (Known, usize) {
    let stage = Stage::open().await;
    let run = stage.run(Flavour::OneCall, &script(kind, Vec::new())).await;
    run.model.world().unsayable = true;
    let verdict = run.hand(handed(Errand::Charge)).await;
    assert_eq!(verdict, Some(Verdict::Done));
    let published = run.publisher.published.lock().unwrap().len();
    (run.known().await, published)
}

#[tokio::test]
async fn a_renewal_that_we_refuse_is_reported_as_rejected_with_its_decline() {
    for kind in KINDS {
        let (known, published) = refused_by_us(kind).await;
        assert_eq!(known.payment.status, Status::Rejected);
        assert_eq!((told(&known), published), (vec![Report::Rejected], 1));
        let decline = known.payment.decline.unwrap();
        assert_eq!(decline.class, DeclineClass::Hard);
        assert_eq!(decline.code, "stored_method_unreadable");
    }
}

#[tokio::test]
async fn of_a_checkout_that_we_refuse_cleeng_is_told_nothing() {
    let (known, published) = refused_by_us(Kind::Checkout).await;
    assert_eq!(known.payment.status, Status::Rejected);
    assert_eq!((told(&known), published), (Vec::new(), 0));
}

#[tokio::test]
async fn a_decline_of_a_renewal_is_reported_as_rejected() {
    for (kind, effect) in KINDS
        .into_iter()
        .flat_map(|kind| [Effect::Decline, Effect::Action].map(|effect| (kind, effect)))
    {
        let declined = Call {
            pause_before: 0,
            ending: Ending::Answered,
            effect,
            pause_after: 0,
        };
        let stage = Stage::open().await;
        let id = stage
            .play(Flavour::OneCall, &script(kind, vec![declined]))
            .await;
        let known = stage.ledger.known(id).await.unwrap().unwrap();
        assert_eq!(known.payment.status, Status::Rejected);
        assert_eq!(told(&known), [Report::Rejected], "{kind:?} {effect:?}");
    }
}
