//! Carries one API call out: faults and the idempotency key around the work, webhooks after it, the answer last.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Reply};
use super::fault::{Answer, Fault, Gate, Kind, Undone};
use super::idempotency::{Begin, Key};
use super::line::Cut;
use super::operation::Operation;
use super::post::Letter;
use super::{Party, Sim, cleeng, clock, simulated, stripe};

/// No client waits longer than this; a hung connection is closed then.
const HANG: Duration = Duration::from_secs(120);

/// How long a payment that is pending stays so.
const SETTLING: Duration = Duration::from_secs(1);

/// A call that was understood and may be carried out.
pub(crate) struct Job {
    pub(crate) party: Party,
    pub(crate) operation: Operation,
    pub(crate) call: Call,
    pub(crate) key: Option<Key>,
    /// The fault a test token brought along.
    pub(crate) fault: Option<Fault>,
    pub(crate) work: Box<dyn FnOnce(&Sim) -> Done + Send>,
}

/// What came of the work.
pub(crate) struct Done {
    pub(crate) reply: Reply,
    /// Is the answer kept under the key?
    pub(crate) keep: bool,
    pub(crate) letters: Vec<Letter>,
    /// A payment that settles by itself a little later.
    pub(crate) later: Option<Later>,
}

/// What happens by itself after a while.
pub(crate) enum Later {
    StripeIntent(String),
    StripeRefund(String),
    SimulatedCharge(String),
    SimulatedRefund(String),
}

/// Why a call is answered without its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unauthorized,
    RateLimited,
    Broken,
    Away,
    KeyInFlight,
    KeyConflict,
}

impl Done {
    pub(crate) fn plain(reply: Reply) -> Self {
        Done {
            reply,
            keep: true,
            letters: Vec::new(),
            later: None,
        }
    }
}

/// The refusal as that party words it.
pub(crate) fn refusal(party: Party, why: Refusal) -> Reply {
    match party {
        Party::Stripe => stripe::fail::refusal(why),
        Party::Simulated => simulated::door::refusal(why),
        Party::Cleeng => cleeng::door::refusal(why),
    }
}

/// Runs the job in a task of its own: a caller that hangs up does not stop the work, as at the real ones.
pub(crate) async fn perform(sim: &Arc<Sim>, job: Job) -> Reply {
    let party = job.party;
    let task = sim.tasks.spawn(carry_out(Arc::clone(sim), job));
    match task.await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::error!(error = %error, "a simulated call failed");
            refusal(party, Refusal::Broken)
        }
    }
}

async fn carry_out(sim: Arc<Sim>, job: Job) -> Reply {
    sim.count(job.operation);
    let fault = match job.fault {
        Some(fault) => Some(fault),
        None => sim
            .faults
            .strike(job.operation, |text| job.call.mentions(text), &sim.mint),
    };
    let kind = fault.map(|fault| fault.kind);
    if let (Some(fault), Some(Kind::Gate(gate))) = (fault, kind) {
        return at_the_gate(&sim, job.party, &job.call.cut, gate, fault).await;
    }
    if let Some(key) = &job.key {
        match sim.keys.begin(job.party, key, clock::now()) {
            Begin::Fresh => {}
            Begin::InFlight => return refusal(job.party, Refusal::KeyInFlight),
            Begin::Conflict => return refusal(job.party, Refusal::KeyConflict),
            Begin::Replay(reply) => {
                let reply = reply.with("idempotent-replayed", "true");
                return hand_over(&sim, job.party, &job.call.cut, reply, kind).await;
            }
        }
    }
    if let (Some(fault), Some(Kind::Slow)) = (fault, kind) {
        pause(&sim, fault.delay).await;
    }
    if let (Some(latency), Party::Stripe | Party::Simulated) =
        (sim.settings.gateway_latency, job.party)
    {
        pause(&sim, latency.at(sim.mint.normal())).await;
    }
    if let Some(Kind::Undone(undone)) = kind {
        return leave_undone(&sim, &job, undone);
    }
    let Job {
        party,
        call,
        key,
        work,
        ..
    } = job;
    let done = work(&sim);
    let mut reply = done.reply;
    if matches!(kind, Some(Kind::Answer(Answer::Broken))) {
        reply = refusal(party, Refusal::Broken);
    }
    if let Some(key) = key {
        let answer = done.keep.then(|| reply.clone());
        sim.keys.finish(party, &key, answer);
    }
    if let Some(what) = done.later {
        later(&sim, what);
    }
    sim.send(done.letters, fault).await;
    hand_over(&sim, party, &call.cut, reply, kind).await
}

async fn at_the_gate(sim: &Sim, party: Party, cut: &Cut, gate: Gate, fault: Fault) -> Reply {
    match gate {
        Gate::Drop => cut.now(),
        Gate::Hang => {
            pause(sim, HANG).await;
            cut.now();
        }
        Gate::Away => return refusal(party, Refusal::Away),
        Gate::Unauthorized => return refusal(party, Refusal::Unauthorized),
        Gate::RateLimited => {
            let seconds = fault.retry_after_seconds.to_string();
            return refusal(party, Refusal::RateLimited).with("retry-after", seconds);
        }
    }
    refusal(party, Refusal::Broken)
}

fn leave_undone(sim: &Sim, job: &Job, undone: Undone) -> Reply {
    let (reply, kept) = match undone {
        Undone::Broken => {
            let reply = refusal(job.party, Refusal::Broken);
            (reply.clone(), Some(reply))
        }
        Undone::Garbage => (garbage(), None),
    };
    if let Some(key) = &job.key {
        sim.keys.finish(job.party, key, kept);
    }
    reply
}

/// The last step: the answer goes out, or what the fault makes of it.
async fn hand_over(sim: &Sim, party: Party, cut: &Cut, reply: Reply, kind: Option<Kind>) -> Reply {
    let Some(Kind::Answer(spoiled)) = kind else {
        return reply;
    };
    match spoiled {
        Answer::Drop => cut.now(),
        Answer::Hang => {
            pause(sim, HANG).await;
            cut.now();
        }
        Answer::Broken => return refusal(party, Refusal::Broken),
        Answer::Garbage => return garbage(),
    }
    reply
}

fn garbage() -> Reply {
    Reply::text(200, "application/json", "{\"id\": \"tru".to_owned())
}

/// Lets it happen by itself after a while.
pub(crate) fn later(sim: &Arc<Sim>, what: Later) {
    sim.tasks.spawn(settle(Arc::clone(sim), what));
}

async fn settle(sim: Arc<Sim>, later: Later) {
    pause(&sim, SETTLING).await;
    let letters = match later {
        Later::StripeIntent(id) => stripe::door::settle(&sim, &id),
        Later::StripeRefund(id) => stripe::door::settle_refund(&sim, &id),
        Later::SimulatedCharge(id) => simulated::work::settle(&sim, &id),
        Later::SimulatedRefund(id) => simulated::work::settle_refund(&sim, &id),
    };
    sim.send(letters, None).await;
}

/// Waits, but not past the stop.
pub(crate) async fn pause(sim: &Sim, span: Duration) {
    tokio::select! {
        () = tokio::time::sleep(span) => {}
        () = sim.stop.cancelled() => {}
    }
}
