//! The keys of servers, known by their hashes only, and changed without a restart: their file is read again when it changes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::sleep;

use crate::config::{ApiKeysConfig, KeyHashes};
use crate::telemetry::labels::KeyFile;
use crate::telemetry::metrics::Metrics;

/// How often the file is looked at. By its content: a mounted secret is replaced by another file of the same age.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub(super) struct ApiKeys {
    hashes: RwLock<KeyHashes>,
    file: Option<PathBuf>,
}

/// What a look at the file has shown. A file that cannot be used changes nothing: the keys that were known are known on.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Keys(KeyHashes),
    Unusable(String),
}

impl ApiKeys {
    pub(super) fn new(config: &ApiKeysConfig) -> ApiKeys {
        ApiKeys {
            hashes: RwLock::new(config.hashes.clone()),
            file: config.file.clone(),
        }
    }

    /// Every hash is compared: the time taken does not tell which one matched.
    pub(super) fn know(&self, key: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let known = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        known
            .0
            .iter()
            .fold(false, |found, known| found | bool::from(known.ct_eq(&hash)))
    }

    /// Looks at the file again and again, for ever; at nothing when the keys are from none.
    pub(super) async fn keep(&self, metrics: &Metrics) {
        let Some(file) = &self.file else {
            return;
        };
        let mut last = None;
        loop {
            let seen = look(file).await;
            if last.as_ref() != Some(&seen) {
                self.take(&seen, metrics);
                last = Some(seen);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn take(&self, seen: &Seen, metrics: &Metrics) {
        match seen {
            Seen::Keys(hashes) => {
                let mut known = self.hashes.write().unwrap_or_else(PoisonError::into_inner);
                let result = match *known == *hashes {
                    true => KeyFile::Unchanged,
                    false => KeyFile::Changed,
                };
                known.clone_from(hashes);
                metrics.api_key_file(result, &format!("{} keys", hashes.0.len()));
            }
            Seen::Unusable(why) => metrics.api_key_file(KeyFile::Unusable, why),
        }
    }
}

async fn look(file: &Path) -> Seen {
    read(tokio::fs::read_to_string(file).await)
}

fn read(text: io::Result<String>) -> Seen {
    match text {
        Ok(text) => KeyHashes::read(&text).map_or_else(Seen::Unusable, Seen::Keys),
        Err(error) => Seen::Unusable(format!("it cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(keys: &[&str]) -> KeyHashes {
        KeyHashes(keys.iter().map(|key| Sha256::digest(key).into()).collect())
    }

    #[test]
    fn a_file_that_cannot_be_used_changes_nothing() {
        let keys = ApiKeys::new(&ApiKeysConfig {
            hashes: hashes(&["old"]),
            file: None,
        });
        let metrics = Metrics::new([]).unwrap();
        let bad = "connector_api_key_file_unusable";
        for unusable in [
            read(Err(io::Error::from(io::ErrorKind::NotFound))),
            read(Ok(String::new())),
            read(Ok("abcd".to_owned())),
        ] {
            assert!(matches!(unusable, Seen::Unusable(_)), "{unusable:?}");
            keys.take(&unusable, &metrics);
            assert!(keys.know("old"));
            assert!(metrics.encode().unwrap().contains(&format!("{bad} 1")));
        }
        let text = format!(
            "# both, for a while\n{}\n",
            hex::encode(Sha256::digest("new"))
        );
        keys.take(&read(Ok(text)), &metrics);
        assert!(keys.know("new") && !keys.know("old"));
        assert!(metrics.encode().unwrap().contains(&format!("{bad} 0")));
    }
}
