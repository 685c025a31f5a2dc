//! The post office: signs the gateways' webhooks, sends them until they are taken, and remembers every try.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;

use super::fault::{Fault, Mail};
use super::operation::Operation;
use super::{Party, Sim, clock, perform, signature};

/// The waits between tries; after the last one the webhook is given up.
const BACKOFF: [Duration; 12] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(5),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// A webhook to send. `stale` is what an older event about the same object would have said.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) party: Party,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) stale: Option<(String, String)>,
}

/// The client and the log of what was sent.
pub(crate) struct Post {
    http: reqwest::Client,
    log: Mutex<HashMap<String, Sent>>,
}

/// One webhook and how it fared, as `GET /_webhooks` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) gateway: &'static str,
    pub(crate) attempts: u32,
    pub(crate) delivered: u32,
    pub(crate) last_status: Option<u16>,
    pub(crate) body: String,
    #[serde(skip)]
    party: Party,
    #[serde(skip)]
    place: usize,
}

impl Post {
    /// # Errors
    /// The client could not be built.
    pub(crate) fn new() -> io::Result<Self> {
        // Another part of the process may have chosen a provider already; any will do for plain HTTP.
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("a crypto provider was installed before");
        }
        let http = reqwest::ClientBuilder::new()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(io::Error::other)?;
        let log = Mutex::default();
        Ok(Post { http, log })
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        let mut sent: Vec<Sent> = self.log().values().cloned().collect();
        sent.sort_by_key(|sent| sent.place);
        sent
    }

    /// The webhook of that event, to send it again.
    pub(crate) fn letter(&self, id: &str) -> Option<Letter> {
        let log = self.log();
        let sent = log.get(id)?;
        Some(Letter {
            party: sent.party,
            id: sent.id.clone(),
            body: sent.body.clone(),
            stale: None,
        })
    }

    pub(crate) fn clear(&self) {
        self.log().clear();
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.http
    }

    /// A webhook is in the log from its beginning.
    pub(crate) fn open(&self, party: Party, id: &str, body: &str) {
        let mut log = self.log();
        let place = log.len();
        log.entry(id.to_owned()).or_insert_with(|| Sent {
            id: id.to_owned(),
            gateway: slug(party),
            attempts: 0,
            delivered: 0,
            last_status: None,
            body: body.to_owned(),
            party,
            place,
        });
    }

    pub(crate) fn note(&self, id: &str, status: Option<u16>) {
        if let Some(sent) = self.log().get_mut(id) {
            sent.attempts = sent.attempts.saturating_add(1);
            sent.last_status = status;
            if is_taken(status) {
                sent.delivered = sent.delivered.saturating_add(1);
            }
        }
    }

    fn log(&self) -> MutexGuard<'_, HashMap<String, Sent>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    /// Sends the webhooks of one happening; returns at once, unless the fault wants the first delivery before the answer.
    /// Without an address there is nobody to write to, and nothing is kept.
    pub(crate) async fn send(self: &Arc<Self>, letters: Vec<Letter>, fault: Option<Fault>) {
        if self.settings.webhook_base.is_none() {
            return;
        }
        for letter in letters {
            self.post.open(letter.party, &letter.id, &letter.body);
            let fault = match fault.filter(|fault| fault.mail().is_some()) {
                Some(fault) => Some(fault),
                None => Operation::webhook_of(letter.party).and_then(|operation| {
                    let mentions = |text: &str| letter.body.contains(text);
                    self.faults.strike(operation, mentions, &self.mint)
                }),
            };
            self.send_one(letter, fault).await;
        }
    }

    async fn send_one(self: &Arc<Self>, letter: Letter, fault: Option<Fault>) {
        let delay = fault.map_or(Duration::ZERO, |fault| fault.delay);
        match fault.and_then(|fault| fault.mail()) {
            Some(Mail::Lost) => {}
            Some(Mail::First) => {
                if !is_taken(self.attempt(&letter).await) {
                    self.carry(vec![letter], Duration::from_millis(200));
                }
            }
            Some(Mail::Duplicate) => {
                self.carry(vec![letter.clone()], Duration::ZERO);
                self.carry(vec![letter], Duration::ZERO);
            }
            Some(Mail::Delay) => self.carry(vec![letter], delay),
            Some(Mail::Stale) => {
                let old = letter.stale.clone().map(|(id, body)| Letter {
                    party: letter.party,
                    id,
                    body,
                    stale: None,
                });
                if let Some(old) = &old {
                    self.post.open(old.party, &old.id, &old.body);
                }
                self.carry(std::iter::once(letter).chain(old).collect(), Duration::ZERO);
            }
            None => self.carry(vec![letter], Duration::ZERO),
        }
    }

    /// Delivers these, one after the other, in a task of its own.
    fn carry(self: &Arc<Self>, letters: Vec<Letter>, delay: Duration) {
        let sim = Arc::clone(self);
        self.tasks.spawn(async move {
            perform::pause(&sim, delay).await;
            for letter in letters {
                sim.deliver(&letter).await;
            }
        });
    }

    async fn deliver(&self, letter: &Letter) {
        for wait in BACKOFF {
            if self.stop.is_cancelled() || is_taken(self.attempt(letter).await) {
                return;
            }
            perform::pause(self, wait).await;
        }
        tracing::warn!(event.id = %letter.id, "simulated webhook given up");
    }

    /// One try; the status that came back, if one did. Without an address it counts as taken.
    async fn attempt(&self, letter: &Letter) -> Option<u16> {
        let (secret, header) = match letter.party {
            Party::Stripe => (&self.settings.stripe_webhook_secret, "stripe-signature"),
            Party::Simulated => (
                &self.settings.simulated_webhook_secret,
                "simulated-signature",
            ),
            // These go their own way, by Cleeng's clock.
            Party::Cleeng => return Some(200),
        };
        let Some(base) = &self.settings.webhook_base else {
            return Some(200);
        };
        let url = format!(
            "{}/{}",
            base.as_str().trim_end_matches('/'),
            slug(letter.party)
        );
        let signature = signature::sign(secret, clock::now().unix_seconds(), &letter.body);
        let request = self
            .post
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static(header), signature)
            .body(letter.body.clone());
        let status = tokio::select! {
            sent = request.send() => sent.ok().map(|response| response.status().as_u16()),
            () = self.stop.cancelled() => None,
        };
        self.post.note(&letter.id, status);
        status
    }
}

fn is_taken(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

fn slug(party: Party) -> &'static str {
    match party {
        Party::Stripe => "stripe",
        Party::Simulated => "simulated",
        Party::Cleeng => "cleeng",
    }
}
