//! Owns every task of the process: none ends unseen, and all of them stop together, within a limit.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Why the process ends other than by finishing its work after a signal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{task} ended although nobody had asked it to")]
    EndedEarly { task: String },
    #[error("{task} failed")]
    Failed {
        task: String,
        #[source]
        source: anyhow::Error,
    },
    /// What the panic said is in the log, where the panic hook put it.
    #[error("{task} panicked")]
    Panicked { task: String },
    #[error("not finished within the grace period: {}", tasks.join(", "))]
    Late { tasks: Vec<String> },
    #[error("a second signal came before the work in flight was finished")]
    Impatient,
}

/// A signal to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Terminate,
    Interrupt,
}

/// The tasks of the process, by name.
pub(crate) struct Supervisor {
    tasks: JoinSet<anyhow::Result<()>>,
    names: BTreeMap<Id, String>,
    stop: CancellationToken,
}

impl Supervisor {
    /// `stop` is what the tasks are given to watch: once it is cancelled, they finish what they have in hand and end.
    pub(crate) fn new(stop: CancellationToken) -> Supervisor {
        Supervisor {
            tasks: JoinSet::new(),
            names: BTreeMap::new(),
            stop,
        }
    }

    /// Starts a task that runs until the stop token is cancelled.
    pub(crate) fn start(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name.into());
    }

    /// Runs until a signal comes, the stop token is cancelled or a task ends; then stops all and waits `grace` for them.
    ///
    /// # Errors
    /// The first thing that went wrong; the caller exits non-zero. The tasks that are late are aborted.
    pub(crate) async fn run(
        mut self,
        signals: impl Stream<Item = Stop>,
        grace: Duration,
    ) -> Result<(), Failure> {
        let mut signals = std::pin::pin!(signals.fuse());
        let first = tokio::select! {
            () = self.stop.cancelled() => None,
            Some(signal) = signals.next() => {
                tracing::info!(?signal, grace_seconds = grace.as_secs_f64(), "stopping");
                None
            }
            Some(ended) = self.tasks.join_next_with_id() => Some(self.ended_early(ended)),
        };
        self.stop.cancel();
        let drained = self.drain(signals, grace).await;
        match first {
            None => drained,
            Some(first) => {
                if let Err(also) = drained {
                    tracing::error!(failure = %also, "while stopping");
                }
                Err(first)
            }
        }
    }

    /// Waits for the tasks to finish what they have in hand.
    async fn drain(
        &mut self,
        mut signals: impl Stream<Item = Stop> + Unpin,
        grace: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + grace;
        let mut outcome = Ok(());
        loop {
            tokio::select! {
                biased;
                next = self.tasks.join_next_with_id() => match next {
                    None => return outcome,
                    Some(ended) => outcome = outcome.and(self.ended(ended)),
                },
                Some(_) = signals.next() => return Err(Failure::Impatient),
                () = sleep_until(deadline) => {
                    let tasks = self.names.values().cloned().collect();
                    return outcome.and(Err(Failure::Late { tasks }));
                }
            }
        }
    }

    /// A task that ended before the stop: a failure in any case.
    fn ended_early(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> Failure {
        let id = id_of(&ended);
        let task = self.names.get(&id).cloned().unwrap_or_default();
        let failure = match self.ended(ended) {
            Ok(()) => Failure::EndedEarly { task },
            Err(failure) => failure,
        };
        // Logged here because the drain that follows may take its time.
        tracing::error!(%failure, "stopping, because a task ended");
        failure
    }

    fn ended(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> Result<(), Failure> {
        let task = self.names.remove(&id_of(&ended)).unwrap_or_default();
        match ended {
            Ok((_, Ok(()))) => Ok(()),
            Ok((_, Err(source))) => Err(Failure::Failed { task, source }),
            Err(_) => Err(Failure::Panicked { task }),
        }
    }
}

/// SIGTERM and SIGINT of this process, as often as they come.
///
/// # Errors
/// When the system does not let the process listen for them.
pub(crate) fn signals() -> std::io::Result<impl Stream<Item = Stop>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(futures_util::stream::poll_fn(move |context| {
        if terminate.poll_recv(context).is_ready() {
            return std::task::Poll::Ready(Some(Stop::Terminate));
        }
        interrupt.poll_recv(context).map(|_| Some(Stop::Interrupt))
    }))
}

fn id_of(ended: &Result<(Id, anyhow::Result<()>), JoinError>) -> Id {
    match ended {
        Ok((id, _)) => *id,
        Err(error) => error.id(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::time::sleep;

    use super::*;

    const GRACE: Duration = Duration::from_secs(25);

    /// One signal after a second for each of the seconds given.
    fn after(seconds: &[u64]) -> impl Stream<Item = Stop> + use<> {
        stream::iter(seconds.to_vec()).then(|second| async move {
            sleep(Duration::from_secs(second)).await;
            Stop::Terminate
        })
    }

    /// Ends `seconds` after the stop.
    async fn obedient(stop: CancellationToken, seconds: u64) -> anyhow::Result<()> {
        stop.cancelled().await;
        sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }

    fn supervisor() -> (Supervisor, CancellationToken) {
        let stop = CancellationToken::new();
        let mut supervisor = Supervisor::new(stop.clone());
        supervisor.start("ingest", obedient(stop.clone(), 3));
        (supervisor, stop)
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_signal_the_work_in_flight_is_finished() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", obedient(stop, 24));
        let begun = Instant::now();
        supervisor.run(after(&[10]), GRACE).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 34);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_token_stops_as_a_signal_does() {
        let (supervisor, stop) = supervisor();
        stop.cancel();
        supervisor.run(stream::pending(), GRACE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", obedient(stop, 3600));
        let failure = supervisor.run(after(&[1]), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::Late { tasks } if tasks == ["worker"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_unasked_is_a_failure_that_stops_all() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", async { Ok(()) });
        let failure = supervisor.run(stream::pending(), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::EndedEarly { task } if task == "worker"));
        assert!(stop.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_a_task_is_a_failure_that_stops_all() {
        let (mut supervisor, _) = supervisor();
        supervisor.start("worker", async { anyhow::bail!("broker gone") });
        let failure = supervisor.run(stream::pending(), GRACE).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Failed { task, source } if task == "worker" && source.to_string() == "broker gone")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_a_task_is_a_failure_that_stops_all() {
        let (mut supervisor, _) = supervisor();
        supervisor.start("worker", async { panic!("a bug") });
        let failure = supervisor.run(stream::pending(), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::Panicked { task } if task == "worker"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_while_stopping_is_a_failure() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", async move {
            stop.cancelled().await;
            anyhow::bail!("could not hand back")
        });
        let failure = supervisor.run(after(&[1]), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::Failed { task, .. } if task == "worker"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_does_not_wait() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", obedient(stop, 20));
        let begun = Instant::now();
        let failure = supervisor.run(after(&[1, 5]), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::Impatient));
        assert_eq!(begun.elapsed().as_secs(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_is_told_even_when_others_are_late() {
        let (mut supervisor, stop) = supervisor();
        supervisor.start("worker", async { anyhow::bail!("first") });
        supervisor.start("confirmer", obedient(stop, 3600));
        let failure = supervisor.run(stream::pending(), GRACE).await.unwrap_err();
        assert!(matches!(failure, Failure::Failed { task, .. } if task == "worker"));
    }
}
