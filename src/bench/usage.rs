//! Processor time and memory of the processes that take part. What cannot be read is said to be so, and never zero.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use super::procfs::{self, Stat};

/// Who spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Party {
    Connector,
    Broker,
    Database,
    Simulator,
    /// The load generator: this process.
    Load,
}

/// Where a party's processes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// These processes and their descendants.
    Here(Vec<u32>),
    /// It runs inside the connector.
    InConnector,
    /// On another machine, in a container, or somebody else's.
    Elsewhere,
}

/// A quantity of one party.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "how", content = "value")]
pub(crate) enum Measure {
    Measured(f64),
    InConnector,
    NotMeasured,
}

/// Processor time at one moment, in ticks; a party that cannot be read has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(BTreeMap<Party, u64>);

/// The parties of a run.
#[derive(Debug, Clone)]
pub(crate) struct Parties(BTreeMap<Party, Place>);

impl Parties {
    pub(crate) fn new(places: impl IntoIterator<Item = (Party, Place)>) -> Parties {
        let mut parties = Parties(places.into_iter().collect());
        parties.set(Party::Load, Place::Here(vec![std::process::id()]));
        parties
    }

    pub(crate) fn set(&mut self, party: Party, place: Place) {
        self.0.insert(party, place);
    }

    pub(crate) fn read(&self) -> Reading {
        let all = processes();
        let ticks = self.0.iter().filter_map(|(party, place)| {
            let found = match place {
                // The load generator's own children are the others.
                Place::Here(pids) if *party == Party::Load => pids.iter().copied().collect(),
                Place::Here(pids) => procfs::family(&all, pids),
                Place::InConnector | Place::Elsewhere => return None,
            };
            let sum = found
                .iter()
                .filter_map(|pid| all.get(pid))
                .fold(0_u64, |sum, stat| sum.saturating_add(stat.ticks));
            (!found.is_empty()).then_some((*party, sum))
        });
        Reading(ticks.collect())
    }

    /// Processor seconds for each thousand of `payments` between two readings.
    pub(crate) fn per_thousand(
        &self,
        from: &Reading,
        to: &Reading,
        payments: u64,
    ) -> BTreeMap<Party, Measure> {
        let spent = |party: &Party| {
            let ticks = to.0.get(party)?.checked_sub(*from.0.get(party)?)?;
            let seconds = float(ticks) / float(procfs::TICKS_PER_SECOND);
            (payments > 0).then(|| seconds * 1000.0 / float(payments))
        };
        self.each(spent)
    }

    /// The most memory since the last [`Parties::forget_peaks`], in MiB; of several processes the largest one.
    pub(crate) fn peaks(&self) -> BTreeMap<Party, Measure> {
        let all = processes();
        self.each(|party| {
            let Some(Place::Here(pids)) = self.0.get(party) else {
                return None;
            };
            let family = match party {
                Party::Load => pids.iter().copied().collect(),
                Party::Connector | Party::Broker | Party::Database | Party::Simulator => {
                    procfs::family(&all, pids)
                }
            };
            let peaks = family.iter().filter_map(|pid| {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
                procfs::peak_kib(&status)
            });
            peaks.max().map(|kib| float(kib) / 1024.0)
        })
    }

    /// Peaks count anew from here, where the kernel lets us; otherwise they go on from the process's start.
    pub(crate) fn forget_peaks(&self) {
        const PEAK_RESIDENT: &str = "5";
        let all = processes();
        for place in self.0.values() {
            if let Place::Here(pids) = place {
                for pid in procfs::family(&all, pids) {
                    fs::write(format!("/proc/{pid}/clear_refs"), PEAK_RESIDENT).unwrap_or_default();
                }
            }
        }
    }

    fn each(&self, measured: impl Fn(&Party) -> Option<f64>) -> BTreeMap<Party, Measure> {
        let measure = |party: &Party, place: &Place| match place {
            Place::InConnector => Measure::InConnector,
            Place::Elsewhere => Measure::NotMeasured,
            Place::Here(_) => measured(party).map_or(Measure::NotMeasured, Measure::Measured),
        };
        self.0
            .iter()
            .map(|(party, place)| (*party, measure(party, place)))
            .collect()
    }
}

/// The process of this machine that listens on the port, if it can be seen.
pub(crate) fn listener(host: &str, port: u16) -> Place {
    let local = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !local {
        return Place::Elsewhere;
    }
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inodes: Vec<u64> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| procfs::listeners(&table, port))
        .collect();
    let all = processes();
    let holders: Vec<u32> = all
        .keys()
        .copied()
        .filter(|pid| holds(*pid, &inodes))
        .collect();
    // A child inherits the socket: the eldest stands for all. What only passes a container's port on is not the server.
    let eldest = holders.iter().copied().find(|pid| {
        all.get(pid)
            .is_some_and(|stat| !holders.contains(&stat.parent) && stat.name != "docker-proxy")
    });
    eldest.map_or(Place::Elsewhere, |pid| Place::Here(vec![pid]))
}

fn holds(pid: u32, inodes: &[u64]) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|link| procfs::socket_inode(link.to_str()?))
        .any(|inode| inodes.contains(&inode))
}

fn processes() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, procfs::stat(&text)?))
        })
        .collect()
}

/// Counts as numbers to divide by; 32 bits are more than any run has.
pub(crate) fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
