//! Webhooks on their way: one letter for each endpoint, tried until it is answered with 200, at growing intervals of Cleeng's clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::agenda::Due;
use super::endpoint::Endpoint;
use super::payment::Status;
use super::subscription::Standing;
use super::topic::Topic;
use super::world::{Desk, World};
use crate::domain::moment::Moment;

/// The waits between tries, in seconds; after the last one it is given up. No page tells the real ones.
const BACKOFF: [u64; 9] = [10, 60, 300, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

/// Something to tell.
#[derive(Debug)]
pub(crate) struct News {
    topic: Topic,
    /// The subscription, payment or payment details it is about.
    subject: u64,
    data: Value,
    awaits: Awaits,
}

/// What the connector will have done once it has dealt with the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaits {
    Report { subscription: u64, beyond: u64 },
    Termination(u64),
    Refund { payment: u64, beyond: i64 },
    Capture(u64),
    Released(u64),
    Nothing,
}

/// One webhook for one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: u64,
    pub(crate) subject: u64,
    pub(crate) endpoint: Endpoint,
    pub(crate) body: String,
    pub(crate) awaits: Awaits,
    pub(crate) tries: usize,
    pub(crate) luck: Luck,
    pub(crate) fate: Fate,
}

/// Were the dice for faults thrown?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Open,
    Drawn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    UnderWay,
    Taken,
    Lost,
    GivenUp,
}

impl News {
    pub(crate) fn new(topic: Topic, subject: u64, data: Value, awaits: Awaits) -> Self {
        News {
            topic,
            subject,
            data,
            awaits,
        }
    }
}

impl World {
    /// Tells everybody who has subscribed to the topic.
    pub(crate) fn announce(&mut self, desk: &Desk, news: News) {
        let heard = self.endpoints.get(&news.topic);
        let endpoints: Vec<Endpoint> = heard
            .into_iter()
            .flatten()
            .filter(|endpoint| endpoint.takes(&news.data))
            .cloned()
            .collect();
        let body = json!({
            "broadcasterId": desk.publisher_id,
            "topic": news.topic.name(),
            "data": news.data,
        });
        let body = body.to_string();
        for endpoint in endpoints {
            let id = self.next();
            let letter = Letter {
                id,
                subject: news.subject,
                endpoint,
                body: body.clone(),
                awaits: news.awaits,
                tries: 0,
                luck: Luck::Open,
                fate: Fate::UnderWay,
            };
            self.letters.insert(id, letter);
            self.agenda.enter(desk.now, Due::Letter(id));
        }
    }

    /// Does what is due and returns the letters that are to be tried now.
    pub(crate) fn due_letters(&mut self, desk: &Desk) -> Vec<Letter> {
        let mut letters = Vec::new();
        while let Some((_, due)) = self.agenda.take(desk.now) {
            match due {
                Due::Subscription(id) => self.fire(desk, id),
                Due::Letter(id) => {
                    let letter = self.letters.get(&id);
                    let letter = letter.filter(|letter| letter.fate == Fate::UnderWay);
                    letters.extend(letter.cloned());
                }
            }
        }
        letters
    }

    /// The dice were thrown for it.
    pub(crate) fn draw(&mut self, id: u64) {
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.luck = Luck::Drawn;
        }
    }

    pub(crate) fn put_off(&mut self, id: u64, until: Moment) {
        self.agenda.enter(until, Due::Letter(id));
    }

    pub(crate) fn lose(&mut self, id: u64) {
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.fate = Fate::Lost;
        }
    }

    /// One try is over. Only a 200 counts.
    pub(crate) fn note(&mut self, now: Moment, id: u64, status: Option<u16>) {
        let Some(letter) = self.letters.get_mut(&id) else {
            return;
        };
        let wait = BACKOFF.get(letter.tries).copied();
        letter.tries = letter.tries.saturating_add(1);
        match (status, wait) {
            (Some(200), _) => {
                letter.fate = Fate::Taken;
                self.awaited.push(letter.awaits);
            }
            (_, Some(seconds)) => {
                let at = now.plus(Duration::from_secs(seconds));
                self.agenda.enter(at, Due::Letter(id));
            }
            (_, None) => letter.fate = Fate::GivenUp,
        }
    }

    /// The letter before this one about the same thing, to the same endpoint.
    pub(crate) fn earlier(&self, letter: &Letter) -> Option<Letter> {
        let of_the_same = |earlier: &&Letter| {
            earlier.subject == letter.subject && earlier.endpoint.url == letter.endpoint.url
        };
        self.letters
            .range(..letter.id)
            .map(|(_, earlier)| earlier)
            .rfind(of_the_same)
            .cloned()
    }

    /// Sends it once more, from the start.
    pub(crate) fn again(&mut self, desk: &Desk, id: u64) -> bool {
        let Some(letter) = self.letters.get_mut(&id) else {
            return false;
        };
        letter.tries = 0;
        letter.fate = Fate::UnderWay;
        self.agenda.enter(desk.now, Due::Letter(id));
        true
    }

    /// Is something still to be reported that a webhook asked for?
    pub(crate) fn is_awaiting(&mut self) -> bool {
        let mut awaited = std::mem::take(&mut self.awaited);
        awaited.retain(|awaits| !self.is_settled(*awaits));
        self.awaited = awaited;
        !self.awaited.is_empty()
    }

    /// Has what the letter asked for been reported?
    fn is_settled(&self, awaits: Awaits) -> bool {
        let is_authorized = |id: Option<u64>, payment: &super::payment::Payment| {
            payment.details_id == id && payment.status == Status::Authorized
        };
        match awaits {
            Awaits::Report {
                subscription,
                beyond,
            } => self
                .subscriptions
                .get(&subscription)
                .is_none_or(|found| found.reports > beyond),
            Awaits::Termination(id) => self
                .subscriptions
                .get(&id)
                .is_none_or(|found| found.standing == Standing::Terminated),
            Awaits::Refund { payment, beyond } => self
                .payments
                .get(&payment)
                .is_none_or(|found| found.refunded > beyond),
            Awaits::Capture(payment) => self
                .payments
                .get(&payment)
                .is_none_or(|found| found.status != Status::Authorized),
            Awaits::Released(id) => !self
                .payments
                .values()
                .any(|payment| is_authorized(Some(id), payment)),
            Awaits::Nothing => true,
        }
    }
}
