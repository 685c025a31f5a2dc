//! What each client has used, of a bounded number of clients.

use std::collections::HashMap;
use std::mem;

use super::client::Client;
use crate::domain::rate::Used;

/// Two generations: when the younger one is full it becomes the older one, and what was there is forgotten. So a client is
/// remembered until at least `most` others have come, and no request has to look for one to forget.
#[derive(Debug)]
pub(super) struct Clients {
    most: usize,
    young: HashMap<Client, Used>,
    old: HashMap<Client, Used>,
}

impl Clients {
    /// Twice `most` are kept, and no more.
    pub(super) fn new(most: usize) -> Clients {
        Clients {
            most,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// What a client has used; nothing, when it is new or forgotten.
    pub(super) fn used(&self, client: Client) -> Used {
        let known = self.young.get(&client).or_else(|| self.old.get(&client));
        known.copied().unwrap_or_default()
    }

    pub(super) fn note(&mut self, client: Client, used: Used) {
        if self.young.len() >= self.most && !self.young.contains_key(&client) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(client, used);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::domain::rate::Rate;

    fn client(number: u32) -> Client {
        Client::V4(Ipv4Addr::from_bits(number))
    }

    fn some_use() -> Used {
        let one = NonZeroU32::MIN;
        Rate::new(one, one)
            .ask(Used::default(), Duration::from_secs(5))
            .0
    }

    #[test]
    fn however_many_clients_come_only_so_many_are_kept() {
        let mut clients = Clients::new(100);
        for number in 0..10_000 {
            clients.note(client(number), some_use());
            assert!(clients.young.len() + clients.old.len() <= 200);
        }
    }

    #[test]
    fn a_client_is_remembered_while_fewer_than_most_others_come() {
        let mut clients = Clients::new(100);
        clients.note(client(0), some_use());
        for number in 1..=100 {
            clients.note(client(number), some_use());
            assert_eq!(clients.used(client(0)), some_use());
        }
        // Who comes again is young again.
        clients.note(client(0), some_use());
        for number in 200..=298 {
            clients.note(client(number), some_use());
        }
        assert_eq!(clients.used(client(0)), some_use());
        assert_eq!(clients.used(client(5)), Used::default());
    }
}
