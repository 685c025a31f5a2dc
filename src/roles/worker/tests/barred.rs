//! A call that the breaker does not admit leaves nothing behind that could be in doubt.

use std::sync::Arc;

use super::script::{Call, Effect, Ending, Errand, Kind, Script, handed};
use super::stage::{Stage, gateway_name};
use super::world::Flavour;
use crate::broker::Verdict;
use crate::config::CallLimits;
use crate::domain::attempt::AttemptState;
use crate::domain::failure::{CallError, Cause};
use crate::gateway::sample::LIMITS;
use crate::roles::breakers::Breakers;

/// The states of the attempts after `before` deliveries, and one more while another delivery probes the gateway.
async fn attempts_when_barred(before: usize) -> Vec<AttemptState> {
    let not_done = Call {
        pause_before: 0,
        ending: Ending::NotDone(Cause::RateLimited),
        effect: Effect::Capture,
        pause_after: 0,
    };
    let script = Script {
        kind: Kind::Checkout,
        late: false,
        actions: Vec::new(),
        calls: vec![not_done],
        last_word: None,
    };
    let stage = Stage::open().await;
    let mut run = stage.run(Flavour::OneCall, &script).await;
    let limits = CallLimits {
        breaker_failures: 1,
        ..LIMITS
    };
    let gateway = (gateway_name(), limits);
    let breakers = Breakers::new([gateway], LIMITS, &run.worker.metrics);
    let guard = breakers.gateway(&gateway_name()).unwrap();
    run.worker.breakers = Arc::new(breakers);
    for _ in 0..before {
        run.hand(handed(Errand::Charge)).await;
    }
    let silent: Result<(), CallError> = Err(CallError::Unknown {
        cause: Cause::TimedOut,
    });
    guard.begin().unwrap().ended(&silent);
    let probe = guard.begin();
    let verdict = run.hand(handed(Errand::Charge)).await;
    assert!(matches!(verdict, Some(Verdict::Hold { .. })), "{verdict:?}");
    drop(probe);
    let known = stage.ledger.known(run.payment_id).await.unwrap().unwrap();
    known.attempts.iter().map(|attempt| attempt.state).collect()
}

#[tokio::test]
async fn nothing_is_written_down_that_the_breaker_does_not_admit() {
    assert_eq!(attempts_when_barred(0).await, []);
}

#[tokio::test]
async fn what_was_surely_not_done_stays_so_while_the_breaker_bars_its_replay() {
    let not_done = AttemptState::NotDone(Cause::RateLimited);
    assert_eq!(attempts_when_barred(1).await, [not_done]);
}
