//! The calls to Cleeng about what a gateway bills itself, and what is written down before and after each.

use std::time::{Duration, Instant};

use super::{Flow, Run};
use crate::broker::Verdict;
use crate::cleeng::Took;
use crate::clock;
use crate::domain::confirmation::Report;
use crate::domain::external::plan::{Act, Kept};
use crate::domain::external::{Access, Bill, Case, Happened, Held, Linked, Progress};
use crate::domain::failure::CallError;
use crate::domain::ids::CleengPaymentId;
use crate::ledger::LedgerError;
use crate::roles::breakers::Call;
use crate::roles::confirmer::Confirmer;
use crate::roles::confirmer::report::result_of;
use crate::telemetry::labels::CleengCall;
use crate::telemetry::spans;

impl Confirmer {
    /// Written down as being sent, then sent: an answer that does not come is not asked for by sending again.
    pub(super) async fn record(&self, run: &mut Run<'_>, case: &Case) -> Result<Flow, LedgerError> {
        let Some((bill, took, report)) = errand(&run.event.happened) else {
            return Ok(Flow::Again);
        };
        let Some(call) = self.breaker.begin() else {
            return Ok(self.away());
        };
        let Ok(turn) = self.cleeng.turn().await else {
            let error = "the process stops before Cleeng may be called again";
            return self.later(run, None, error).await.map(Flow::Stop);
        };
        let since = clock::now();
        let sending = Some(Progress::Sending { since });
        let id = run.demand.id;
        if !self
            .ledger
            .external_progress(id, case.progress, sending, since)
            .await?
        {
            // Somebody else has just sent it.
            return Ok(Flow::Again);
        }
        let renewed = case.linked.as_ref().map(|linked| linked.access);
        let started = Instant::now();
        let span = spans::cleeng(CleengCall::Report, None);
        let telling = self
            .cleeng
            .record_external(turn, run.event, bill, took, renewed);
        let answer = spans::call(span, |_| "done", telling).await;
        call.ended(&answer);
        self.metrics
            .cleeng_took(CleengCall::Report, started.elapsed());
        self.metrics.reported(report, result_of(&answer));
        let age = clock::now().since(run.demand.received_at);
        self.metrics.told_at_age(result_of(&answer), age);
        let after = match &answer {
            Ok(payment) => Some(Progress::Recorded { payment: *payment }),
            Err(CallError::Unknown { .. }) => sending,
            Err(
                CallError::NotDone { .. } | CallError::Refused { .. } | CallError::Broken { .. },
            ) => None,
        };
        self.hold_on(run, sending, after).await?;
        match answer {
            Ok(_) => Ok(Flow::Again),
            Err(CallError::Refused { code }) => {
                run.refused = Some(code);
                self.keep_external(run, Kept::Refused).await.map(Flow::Stop)
            }
            Err(failure) => self.unsaid(run, "the record of a payment", failure).await,
        }
    }

    /// An answer in hand is a fact, and cannot be had again: the ledger is given some time to take it.
    async fn hold_on(
        &self,
        run: &Run<'_>,
        from: Option<Progress>,
        to: Option<Progress>,
    ) -> Result<(), LedgerError> {
        const TRIES: u32 = 5;
        const PAUSE: Duration = Duration::from_millis(500);
        let mut tries = 0;
        loop {
            let written = self
                .ledger
                .external_progress(run.demand.id, from, to, clock::now())
                .await;
            tries += 1;
            match written {
                Ok(_) => return Ok(()),
                Err(cause) if tries >= TRIES => return Err(cause),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// While Cleeng is away it is asked by a read: that puts nothing in doubt.
    pub(super) async fn probe_external(&self, run: &mut Run<'_>) -> Result<Flow, LedgerError> {
        let (found, seen) = (run.found.clone(), run.seen.clone());
        let flow = self.find(run).await?;
        (run.found, run.seen) = (found, seen);
        match flow {
            Flow::Again if self.breaker.is_open() => Ok(self.away()),
            flow @ (Flow::Again | Flow::Stop(_)) => Ok(flow),
        }
    }

    pub(super) async fn find(&self, run: &mut Run<'_>) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return Ok(self.away());
        };
        let started = Instant::now();
        let asking = self.cleeng.find_external(run.event, clock::now());
        let answer = of_an_access(asking).await;
        self.over(call, &answer, started);
        match answer {
            Ok(found) => {
                run.found = Some(found);
                Ok(Flow::Again)
            }
            Err(failure) => self.unread_external(run, failure).await,
        }
    }

    pub(super) async fn look(
        &self,
        run: &mut Run<'_>,
        access: Access,
    ) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return Ok(self.away());
        };
        let started = Instant::now();
        let answer = of_an_access(self.cleeng.external(access, clock::now())).await;
        self.over(call, &answer, started);
        match answer {
            Ok(seen) => {
                run.seen = Some(seen);
                Ok(Flow::Again)
            }
            Err(failure) => self.unread_external(run, failure).await,
        }
    }

    pub(super) async fn create(
        &self,
        run: &mut Run<'_>,
        payment: CleengPaymentId,
    ) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return Ok(self.away());
        };
        let until = paid_until(&run.event.happened);
        let started = Instant::now();
        let giving = self.cleeng.create_external(run.event, payment, until);
        let answer = of_an_access(giving).await;
        self.over(call, &answer, started);
        match answer {
            Ok(access) => {
                let linked = Linked {
                    access,
                    last_payment: own_payment(run),
                    paid_until: until,
                    ended_at: None,
                };
                self.write_link(run, &linked).await?;
                Ok(Flow::Again)
            }
            Err(CallError::Refused { code }) => {
                // It may be there already: then the search shows it.
                run.refused = Some(code);
                run.found = None;
                Ok(Flow::Again)
            }
            Err(failure) => self.unsaid(run, "giving access", failure).await,
        }
    }

    pub(super) async fn act(
        &self,
        run: &mut Run<'_>,
        case: &Case,
        access: Access,
        act: Act,
    ) -> Result<Flow, LedgerError> {
        let Some(call) = self.breaker.begin() else {
            return Ok(self.away());
        };
        let started = Instant::now();
        let changing = self.cleeng.change_external(access, act, run.event);
        let answer = of_an_access(changing).await;
        self.over(call, &answer, started);
        match answer {
            Ok(()) => self.acted(run, case, access, act).await,
            Err(CallError::Refused { code }) => {
                // It may be so already: then the read shows it.
                run.refused = Some(code);
                run.seen = None;
                Ok(Flow::Again)
            }
            Err(failure) => self.unsaid(run, "a change of an access", failure).await,
        }
    }

    async fn acted(
        &self,
        run: &mut Run<'_>,
        case: &Case,
        access: Access,
        act: Act,
    ) -> Result<Flow, LedgerError> {
        let outcome = match act {
            Act::Renew { until, .. } => {
                let seen = run.seen.take().flatten();
                let linked = Linked {
                    access,
                    last_payment: own_payment(run),
                    paid_until: until.or(seen.and_then(|held: Held| held.paid_until)),
                    ended_at: None,
                };
                self.write_link(run, &linked).await?;
                return Ok(Flow::Again);
            }
            Act::Revive { .. } => {
                run.seen = None;
                return Ok(Flow::Again);
            }
            Act::Cancel => "cancelled",
            Act::Terminate(_) => "ended",
            Act::Transfer => "transferred",
        };
        self.told(run, case, outcome).await.map(Flow::Stop)
    }

    fn over<T>(&self, call: Call, answer: &Result<T, CallError>, started: Instant) {
        call.ended(answer);
        self.metrics
            .cleeng_took(CleengCall::Subscription, started.elapsed());
    }

    fn away(&self) -> Flow {
        let error = format!("{} is away", self.breaker.target());
        Flow::Stop(Verdict::Hold { error })
    }

    async fn unread_external(
        &self,
        run: &mut Run<'_>,
        failure: CallError,
    ) -> Result<Flow, LedgerError> {
        match failure {
            CallError::Refused { code } => {
                run.refused = Some(code);
                self.keep_external(run, Kept::Refused).await.map(Flow::Stop)
            }
            failure @ (CallError::NotDone { .. }
            | CallError::Unknown { .. }
            | CallError::Broken { .. }) => {
                self.unsaid(run, "Cleeng could not be read", failure).await
            }
        }
    }
}

/// What Cleeng is told of a payment; none where the event is about none.
fn errand(happened: &Happened) -> Option<(&Bill, Took<'_>, Report)> {
    match happened {
        Happened::Paid { bill, .. } => Some((bill, Took::Captured, Report::Captured)),
        Happened::Unpaid { bill, reason } => Some((bill, Took::Rejected(reason), Report::Rejected)),
        Happened::Cancelled | Happened::Ended(_) | Happened::Transferred => None,
    }
}

fn paid_until(happened: &Happened) -> Option<crate::domain::moment::Moment> {
    match happened {
        Happened::Paid { paid_until, .. } => *paid_until,
        Happened::Unpaid { .. }
        | Happened::Cancelled
        | Happened::Ended(_)
        | Happened::Transferred => None,
    }
}

fn own_payment(run: &Run<'_>) -> Option<String> {
    run.event.bill().map(|bill| bill.payment.0.clone())
}

/// A call about an access, within its span.
async fn of_an_access<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    let span = spans::cleeng(CleengCall::Subscription, None);
    spans::call(span, |_| "done", call).await
}
