//! `demo`: everything in one process on embedded defaults, with a page where a payment can be made at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use url::Url;

use super::{Role, answer};
use crate::config::{Config, Faults};
use crate::connector::{self, Plan};
use crate::supervise::Supervisor;
use crate::telemetry::logging;
use crate::{demo, simulator};

/// Cleeng's ids of the two payment methods, in the simulated Cleeng.
const STRIPE_METHOD: u64 = 100_000_001;
const SIMULATED_METHOD: u64 = 100_000_002;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Port of the page and the payments API; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of /metrics, /livez and /readyz; 0 takes a free one
    #[arg(long, default_value_t = 9090)]
    ops_port: u16,
    /// Keep the stores in this folder; default: a new one under the system's temporary folder, removed at the end
    #[arg(long)]
    data: Option<PathBuf>,
    /// Log level
    #[arg(long, default_value = "warn")]
    log: String,
}
