//! Who sends a request, as far as a rate limit counts: an address, or the network that one IPv6 customer has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

/// One client. An IPv6 client is its /64: everybody has that many addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Client {
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6(u64),
}

impl Client {
    fn of(address: IpAddr) -> Client {
        match address.to_canonical() {
            IpAddr::V4(address) => Client::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Client::V6(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
        }
    }

    /// The peer, or where a trusted peer says that the request comes from: the last address of `X-Forwarded-For` that is not a
    /// trusted proxy's. What stands before that one was written by the client, who may write anything.
    pub(super) fn find<'a>(
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
        trusted: &[IpNet],
    ) -> Client {
        let is_trusted = |address: IpAddr| {
            let address = address.to_canonical();
            trusted.iter().any(|network| network.contains(&address))
        };
        let mut sender = peer;
        let mut hops = forwarded.flat_map(|line| line.split(',')).rev();
        while is_trusted(sender) {
            match hops.next().map(read) {
                Some(Some(address)) => sender = address,
                // A trusted proxy that says nothing readable is as far as is known.
                Some(None) | None => break,
            }
        }
        Client::of(sender)
    }
}

/// An address, with or without a port, an IPv6 one with or without brackets.
fn read(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(hop)
        .parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, forwarded: &[&str]) -> Client {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        Client::find(peer.parse().unwrap(), forwarded.iter().copied(), &trusted)
    }

    fn client(address: &str) -> Client {
        Client::of(address.parse().unwrap())
    }

    #[test]
    fn a_client_is_the_last_that_a_trusted_proxy_names() {
        for (peer, forwarded, expected) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            // Who is not trusted may say what it likes.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["9.9.9.9, 198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["9.9.9.9, 198.51.100.1 , 10.2.3.4"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["9.9.9.9", "198.51.100.1, 10.2.3.4"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
            ("10.0.0.1", &["198.51.100.1, unknown, 10.2.3.4"], "10.2.3.4"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["[2001:db8::1]"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            assert_eq!(
                found(peer, forwarded),
                client(expected),
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_ne!(client("198.51.100.1"), client("198.51.100.2"));
    }
}
