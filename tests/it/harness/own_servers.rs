//! A broker and a database of one test, to be stopped, killed and frozen: nobody else uses them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Servers;

/// A RabbitMQ and a PostgreSQL that the test may kill. Dropping it stops both and removes their data.
pub(crate) struct OwnServers {
    folder: PathBuf,
    pub(crate) urls: Servers,
}

impl OwnServers {
    /// Starts both. The name tells this test's set from those of the others.
    pub(crate) fn start(name: &str) -> OwnServers {
        OwnServers::start_with(name, None)
    }

    /// As [`OwnServers::start`], with a file of more settings for RabbitMQ.
    pub(crate) fn start_with(name: &str, broker_settings: Option<&Path>) -> OwnServers {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".servers")
            .join(format!("{name}-{}", std::process::id()));
        let told = script(&folder, &["start"], broker_settings).unwrap();
        let url = |variable: &str| {
            let line = told
                .lines()
                .find_map(|line| line.strip_prefix(&format!("export {variable}=")));
            line.unwrap_or_else(|| panic!("scripts/servers said no {variable}: {told}"))
                .trim_matches('\'')
                .to_owned()
        };
        let urls = Servers {
            amqp: url("TEST_AMQP_URL"),
            database: url("TEST_DATABASE_URL"),
        };
        OwnServers { folder, urls }
    }

    /// Runs `scripts/servers` with these arguments on this set.
    pub(crate) async fn tell(&self, arguments: &[&str]) {
        self.attempt(arguments).await.unwrap();
    }

    /// As [`OwnServers::tell`], where a no is an answer, too.
    pub(crate) async fn attempt(&self, arguments: &[&str]) -> Result<(), String> {
        self.ask(arguments).await.map(drop)
    }

    /// What `scripts/servers` prints to these arguments.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let folder = self.folder.clone();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let work = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            script(&folder, &arguments, None)
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        script(&self.folder, &["stop"], None).unwrap();
    }
}

fn script(
    folder: &Path,
    arguments: &[&str],
    broker_settings: Option<&Path>,
) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("scripts/servers"));
    command.args(arguments).env("TEST_SERVERS_DIR", folder);
    if let Some(file) = broker_settings {
        command.env("TEST_BROKER_SETTINGS", file);
    }
    let output = command.output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("scripts/servers {arguments:?}: {complaint}"))
}
