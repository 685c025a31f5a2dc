//! The rate limit of each client: from memory, before anything of a request is read.
//!
//! The numbers are this process's own; several ingests behind one address each allow as much.

mod client;
mod clients;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::problem::Problem;
use crate::config::HttpConfig;
use crate::domain::rate::{Rate, Standing, Turn, Used};
use client::Client;
use clients::Clients;

/// Some megabytes at most.
const MOST_CLIENTS: usize = 50_000;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limit, and what each client has used of it.
pub(super) struct Limiter {
    rate: Rate,
    /// As the header says it (draft-ietf-httpapi-ratelimit-headers-10).
    policy: Option<HeaderValue>,
    trusted: Vec<IpNet>,
    began: Instant,
    clients: Mutex<Clients>,
}

/// What came of asking: a refusal, or nothing against the request; and what the client is told of its standing.
pub(super) struct Told<'a> {
    pub(super) refusal: Option<Problem>,
    standing: Standing,
    limiter: &'a Limiter,
}

impl Limiter {
    /// Nothing when there is no limit.
    pub(super) fn new(config: &HttpConfig) -> Option<Limiter> {
        let rate = Rate::new(NonZeroU32::new(config.rate_limit)?, config.rate_limit_burst);
        let policy = format!(
            "\"default\";q={};w={}",
            rate.burst(),
            seconds(rate.window())
        );
        Some(Limiter {
            rate,
            policy: HeaderValue::from_str(&policy).ok(),
            trusted: config.trusted_proxies.clone(),
            began: Instant::now(),
            clients: Mutex::new(Clients::new(MOST_CLIENTS)),
        })
    }

    /// One request of whoever sent this one.
    pub(super) fn ask(&self, request: &Request) -> Told<'_> {
        let client = self.sender(request);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock, so that a client's times do not go back.
        let now = self.began.elapsed();
        let (used, turn): (Used, Turn) = self.rate.ask(clients.used(client), now);
        clients.note(client, used);
        drop(clients);
        let (refusal, standing) = match turn {
            Turn::Taken(standing) => (None, standing),
            Turn::Refused { wait, standing } => {
                let retry_after = seconds(wait).max(1);
                (Some(Problem::RateLimited { retry_after }), standing)
            }
        };
        Told {
            refusal,
            standing,
            limiter: self,
        }
    }

    fn sender(&self, request: &Request) -> Client {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        // A server that does not say who is connected makes all of them one client.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        // Read only for a peer that may say so; most have no proxy.
        let lines = request.headers().get_all(&FORWARDED_FOR).into_iter();
        Client::find(
            peer,
            lines.map(|line| line.to_str().unwrap_or_default()),
            &self.trusted,
        )
    }
}

impl Told<'_> {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let standing = self.standing;
        let left = format!(
            "\"default\";r={};t={}",
            standing.left,
            seconds(standing.whole_after)
        );
        if let Ok(left) = HeaderValue::from_str(&left) {
            headers.insert(RATE_LIMIT.clone(), left);
        }
        if let Some(policy) = &self.limiter.policy {
            headers.insert(RATE_LIMIT_POLICY.clone(), policy.clone());
        }
    }
}

/// Whole seconds, rounded up: what is told is never too early.
fn seconds(span: Duration) -> u64 {
    let more = u64::from(span.subsec_nanos() > 0);
    span.as_secs().saturating_add(more)
}
