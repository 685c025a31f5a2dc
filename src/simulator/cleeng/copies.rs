//! Many subscriptions at once, all like one that was bought: a batch of renewals without its purchases.

use serde::Deserialize;
use serde_json::{Value, json};

use super::subscription::{Standing, Subscription};
use super::world::World;

/// More of them are a mistake.
const MOST: u64 = 100_000;

/// `POST /_subscriptions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copies {
    /// The subscription that is copied, with its payment details.
    like: u64,
    count: u64,
}

impl World {
    /// The copies, each as the data of its capture webhook: with the ids of its subscription, customer and payment details.
    ///
    /// # Errors
    /// There is no such subscription, it is not active, has no payment details, or too many are wanted.
    pub(crate) fn copy_subscription(&mut self, wanted: &Copies) -> Result<Value, String> {
        if !(1..=MOST).contains(&wanted.count) {
            return Err(format!("count: 1 to {MOST}"));
        }
        let like = self.subscription(wanted.like).cloned();
        let like = like.map_err(|_| "subscription not found".to_owned())?;
        if like.standing != Standing::Active {
            return Err("the subscription is not active".to_owned());
        }
        let details = like.details_id.and_then(|id| self.details.get(&id));
        let Some(details) = details.cloned() else {
            return Err("the subscription has no payment details".to_owned());
        };
        let mut copies = Vec::new();
        for _ in 0..wanted.count {
            let (customer_id, id) = (self.next(), self.next());
            let stored = self.store_details(
                customer_id,
                details.payment_method_id,
                &details.token,
                Some(details.params.clone()),
                details.active,
            );
            let copy = Subscription {
                id,
                customer_id,
                details_id: Some(stored.map_err(|fail| fail.message)?),
                reports: 0,
                planned: None,
                ..like.clone()
            };
            copies.push(self.renewal(&copy, copy.to, "capture"));
            self.keep(copy);
        }
        Ok(json!({ "subscriptions": copies }))
    }
}
