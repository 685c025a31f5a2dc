//! Our own executable as another process: its output goes to a file, and it ends with us.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};

use super::line::Line;

/// How long a process may take until it is ready.
const START: Duration = Duration::from_secs(60);

/// How often it is asked: also how exactly its start is timed.
const LOOK: Duration = Duration::from_millis(5);

/// A running process, killed when dropped.
pub(crate) struct Child {
    name: String,
    process: Process,
    log: PathBuf,
}

impl Child {
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(
        name: &str,
        folder: &Path,
        arguments: &[String],
        variables: &[(String, String)],
    ) -> anyhow::Result<Child> {
        let executable = std::env::current_exe().context("our own executable")?;
        let log = folder.join(format!("{name}.log"));
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("{}", log.display()))?;
        let process = Command::new(executable)
            .args(arguments)
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Child {
            name: name.to_owned(),
            process,
            log,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until this path answers 200; how long that took.
    ///
    /// # Errors
    /// The process ended, or it takes too long.
    pub(crate) async fn ready(
        &mut self,
        address: SocketAddr,
        path: &str,
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        loop {
            self.check()?;
            if let Ok(mut line) = Line::open(address).await
                && let Ok((200, _)) = line.get(path).await
            {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > START {
                bail!(
                    "{} is not ready after {START:?}; see {}",
                    self.name,
                    self.log.display()
                );
            }
            sleep(LOOK).await;
        }
    }

    /// # Errors
    /// It has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "{} has ended ({status}); see {}",
                self.name,
                self.log.display()
            ),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

/// An address of this machine that nobody listens on.
///
/// # Errors
/// There is none.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?)
}
