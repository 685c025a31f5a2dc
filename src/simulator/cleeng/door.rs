//! Where Cleeng's requests come in: the publisher token, the path, and the body's form are checked before anything is done.

use std::sync::Arc;

use super::routes;
use super::world::Desk;
use crate::simulator::call::{Call, Reply};
use crate::simulator::operation::Operation;
use crate::simulator::perform::{self, Done, Job, Refusal};
use crate::simulator::{Party, Sim, clock};

pub(crate) use super::fail::refusal;

/// Answers one request.
pub(crate) async fn answer(sim: &Arc<Sim>, call: Call) -> Reply {
    if call.header("x-publisher-token") != Some(sim.settings.publisher_token.as_str()) {
        return refusal(Refusal::Unauthorized);
    }
    let job = Job {
        party: Party::Cleeng,
        operation: operation(&call),
        call: call.clone(),
        key: None,
        fault: None,
        work: Box::new(move |sim| {
            let desk = sim.cleeng_desk();
            let (result, next) = {
                let mut world = sim.cleeng();
                let result = routes::run(&mut world, &desk, &call);
                (result, world.agenda.next().map(|(at, _)| at))
            };
            sim.ring(next, desk.now);
            Done::plain(match result {
                Ok((status, body)) => Reply::json(status, &body),
                Err(fail) => fail.reply(),
            })
        }),
    };
    perform::perform(sim, job).await
}

impl Sim {
    pub(crate) fn cleeng_desk(&self) -> Desk {
        let micros = clock::micros();
        Desk {
            publisher_id: self.settings.publisher_id,
            payment_method_id: self.settings.payment_method_id,
            now: self.clock.at(micros),
            micros,
        }
    }
}

/// Everything about orders is one operation, reads too: a connector cannot go on without its order.
fn operation(call: &Call) -> Operation {
    let segments = call.segments("/cleeng/3.1");
    match (call.method.as_str(), segments.first().copied()) {
        (_, Some("orders")) => Operation::CleengOrder,
        ("GET", _) => Operation::CleengRead,
        (_, Some("payments")) => Operation::CleengPayment,
        (_, Some("subscriptions" | "passes")) => Operation::CleengSubscription,
        (_, _) => Operation::CleengDetails,
    }
}
