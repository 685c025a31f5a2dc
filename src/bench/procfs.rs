//! What Linux says of processes under /proc, read from its texts. Pure: the files are opened elsewhere.

use std::collections::{BTreeMap, BTreeSet};

/// `USER_HZ`: what the kernel counts processor time in towards programs, whatever its own clock.
pub(crate) const TICKS_PER_SECOND: u64 = 100;

/// `/proc/PID/stat`, as far as it is of use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) parent: u32,
    /// User and system time, with that of children that have ended and were waited for.
    pub(crate) ticks: u64,
}

/// Nothing when the text is not one of these.
pub(crate) fn stat(text: &str) -> Option<Stat> {
    // The name stands in brackets and may hold brackets and spaces itself.
    let (before, after) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = [11, 12, 13, 14]
        .into_iter()
        .map(number)
        .try_fold(0_u64, |sum, ticks| sum.checked_add(ticks?))?;
    Some(Stat {
        name: name.to_owned(),
        parent: u32::try_from(number(1)?).ok()?,
        ticks,
    })
}

/// `VmHWM` of `/proc/PID/status` in KiB: the most memory that was ever resident.
pub(crate) fn peak_kib(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(kib)
}

/// The number in a text such as `  51234 kB`.
pub(crate) fn kib(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The inodes of the sockets that listen on `port`, from `/proc/net/tcp` or `tcp6`.
pub(crate) fn listeners(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let here = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTEN;
            here.then(|| fields.get(9)?.parse().ok())?
        })
        .collect()
}

/// The inode in a link such as `socket:[12345]`.
pub(crate) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

/// These processes and everything that descends from them.
pub(crate) fn family(all: &BTreeMap<u32, Stat>, roots: &[u32]) -> BTreeSet<u32> {
    let mut found: BTreeSet<u32> = roots
        .iter()
        .copied()
        .filter(|pid| all.contains_key(pid))
        .collect();
    loop {
        let children: Vec<u32> = all
            .iter()
            .filter(|(pid, stat)| found.contains(&stat.parent) && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if children.is_empty() {
            return found;
        }
        found.extend(children);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_counts_the_children_that_ended_and_survives_odd_names() {
        let text =
            "4242 (a (b) c) S 17 4242 4242 0 -1 4194560 900 0 0 0 150 50 7 3 20 0 9 0 12345 1 2 3";
        let found = stat(text).unwrap();
        assert_eq!(
            (found.name.as_str(), found.parent, found.ticks),
            ("a (b) c", 17, 210)
        );
        assert_eq!(stat("4242 (x) S 17 1"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn the_peak_is_read_in_kib() {
        let text = "Name:\tx\nVmPeak:\t  999999 kB\nVmHWM:\t   51234 kB\nVmRSS:\t   1 kB\n";
        assert_eq!(peak_kib(text), Some(51_234));
        assert_eq!(peak_kib("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn only_who_listens_on_the_port_is_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1628 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5150 1 0 100 0 0 10 0\n   \
            1: 0100007F:1628 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 5151 1 0 20 4 30 10 -1\n   \
            2: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5152 1 0 100 0 0 10 0\n";
        assert_eq!(listeners(table, 5672), [5150]);
        assert_eq!(listeners(table, 5432), [5152]);
        assert!(listeners(table, 80).is_empty());
        assert_eq!(socket_inode("socket:[5150]"), Some(5150));
        assert_eq!(socket_inode("/dev/null"), None);
    }

    #[test]
    fn a_family_is_the_process_and_all_below_it() {
        let of = |parent| Stat {
            name: String::new(),
            parent,
            ticks: 1,
        };
        let all = BTreeMap::from([
            (1, of(0)),
            (10, of(1)),
            (11, of(10)),
            (12, of(11)),
            (20, of(1)),
        ]);
        assert_eq!(family(&all, &[10]), BTreeSet::from([10, 11, 12]));
        assert_eq!(family(&all, &[99]), BTreeSet::new());
    }
}
