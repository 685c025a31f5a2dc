//! The promise behind everything: any order and repetition of events ends in one charge, whatever is killed or lost.
//!
//! The real worker runs on a real ledger against a model of a gateway ([`model`]). Scripts ([`script`]) say what is delivered
//! and how each call ends; [`run`] plays them, and [`truth`] compares what the ledger says with what the gateway
//! knows.

mod barred;
mod billing;
mod deeds;
mod draw;
mod holds;
mod model;
mod objects;
mod renewals;
mod run;
mod script;
mod stage;
mod stories;
mod truth;
mod world;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use draw::{checkouts, holds, renewals};
use script::Script;
use stage::Stage;
use world::Flavour;

/// Enough to meet most pairs of faults; each property takes about ten seconds.
const CASES: u32 = 1000;

fn play_many(flavour: Flavour, scripts: impl Strategy<Value = Script>) {
    let runtime = runtime();
    let stage = runtime.block_on(Stage::open());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    // The same scripts in every run, so that a run fails for a change and not by luck. To explore further, raise CASES.
    let dice = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let ended = TestRunner::new_with_rng(config, dice).run(&scripts, |script| {
        runtime.block_on(stage.play(flavour, &script));
        Ok(())
    });
    if let Err(failure) = ended {
        panic!("{failure}");
    }
}

/// One script, written by hand or found by the property.
fn play(flavour: Flavour, script: &Script) {
    let runtime = runtime();
    runtime.block_on(async {
        let stage = Stage::open().await;
        stage.play(flavour, script).await;
    });
}

/// One thread: what runs at once takes turns only where it waits.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn any_order_and_repetition_of_events_ends_in_one_charge_where_the_id_comes_first() {
    play_many(Flavour::TwoStep, checkouts());
}

#[test]
fn any_order_and_repetition_of_events_ends_in_one_charge_where_the_charge_gives_the_id() {
    play_many(Flavour::OneCall, checkouts());
}

#[test]
fn what_is_held_is_taken_once_or_given_up_where_the_id_comes_first() {
    play_many(Flavour::TwoStep, holds());
}

#[test]
fn what_is_held_is_taken_once_or_given_up_where_the_charge_gives_the_id() {
    play_many(Flavour::OneCall, holds());
}

#[test]
fn a_stored_method_is_charged_once_for_a_renewal_where_the_id_comes_first() {
    play_many(Flavour::TwoStep, renewals());
}

#[test]
fn a_stored_method_is_charged_once_for_a_renewal_where_the_charge_gives_the_id() {
    play_many(Flavour::OneCall, renewals());
}
