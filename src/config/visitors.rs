//! Who may reach the public API from where: the pages of browsers, and the proxies that are believed.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::value::Wrong;

/// The origins of pages that may call the API, several separated by commas; an empty text is none.
pub(super) fn origins(text: &str) -> Result<Vec<String>, Wrong> {
    listed(text).map(origin).collect()
}

/// The networks whose `X-Forwarded-For` is believed, several separated by commas; an empty text is none.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, Wrong> {
    listed(text).map(network).collect()
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    let whole = (!text.trim().is_empty()).then_some(text);
    whole
        .into_iter()
        .flat_map(|all| all.split(','))
        .map(str::trim)
}

/// Exactly as a browser sends it: it is compared letter by letter.
fn origin(text: &str) -> Result<String, Wrong> {
    if text.contains('*') {
        return Err(Wrong::new(
            "an origin with a wildcard",
            "name each origin in full, such as \"https://shop.example\"",
        ));
    }
    let url = Url::parse(text).ok();
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return Err(Wrong::new(
            "not the origin of a page",
            "write scheme and host, and the port where it is not the usual one, such as \"https://shop.example\"",
        ));
    };
    if url.scheme() == "http" && !is_this_machine(&url) {
        return Err(Wrong::new(
            "an origin over plain http: anybody on the way could change the page that pays",
            "write https; http is for localhost only",
        ));
    }
    let exact = url.origin().ascii_serialization();
    if text != exact {
        return Err(Wrong::new(
            "not as a browser sends it, so it would never match",
            format!("write {exact}, without a path, a slash at the end or the usual port"),
        ));
    }
    Ok(exact)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn network(text: &str) -> Result<IpNet, Wrong> {
    let remedy = "write an address or a network, such as \"10.0.0.7\" or \"10.0.0.0/8\", several separated by commas";
    let alone = || text.parse::<IpAddr>().map(IpNet::from).ok();
    let network: IpNet = text
        .parse()
        .ok()
        .or_else(alone)
        .ok_or_else(|| Wrong::new("not a network", remedy))?;
    if network.prefix_len() == 0 {
        return Err(Wrong::new(
            "every address: then each client could say what its own address is",
            "name the addresses of your proxies only",
        ));
    }
    if network.trunc() != network {
        return Err(Wrong::new(
            "an address within a network, where the network itself is meant",
            format!("write {}", network.trunc()),
        ));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exactly_what_a_browser_sends() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443",
            "https://xn--bcher-kva.example",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(origins(good).unwrap(), [good]);
        }
        for bad in [
            "*",
            "null",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example/pay",
            "https://shop.example?x",
            "https://shop.example:443",
            "https://Shop.example",
            "https://bücher.example",
            "https://u:p@shop.example",
            "http://shop.example",
            "ftp://shop.example",
            "shop.example",
            "https://a.example,",
            "https://a.example https://b.example",
        ] {
            assert!(origins(bad).is_err(), "{bad}");
        }
        assert_eq!(origins("").unwrap(), [""; 0]);
        assert_eq!(
            origins("https://a.example, https://b.example").unwrap(),
            ["https://a.example", "https://b.example"]
        );
    }

    #[test]
    fn a_network_is_written_as_one() {
        let read = |text: &str| {
            networks(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read("").unwrap(), [""; 0]);
        assert_eq!(
            read("10.0.0.0/8, fd00::/8").unwrap(),
            ["10.0.0.0/8", "fd00::/8"]
        );
        assert_eq!(read("10.0.0.7,::1").unwrap(), ["10.0.0.7/32", "::1/128"]);
        for bad in [
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/33",
            "proxy",
            "10.0.0.0/8,",
        ] {
            assert!(networks(bad).is_err(), "{bad}");
        }
    }
}
