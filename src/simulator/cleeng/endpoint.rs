//! Who hears of what: the legacy webhook subscriptions, one list of endpoints for each topic, replaced as a whole.
//! The newer Webhooks API is not here: neither its paths nor its fields are published.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::details::wrapped;
use super::fail::Fail;
use super::hooks::Hooks;
use super::topic::Topic;
use super::world::{Desk, World};

/// Where webhooks of a topic go.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// Without a secret nothing is signed: verification is off by default.
    pub(crate) secret: Option<String>,
    methods: Vec<u64>,
    /// As it was put, and is read.
    shown: Value,
}

/// One element of `PUT /webhook_subscriptions/{topic}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewEndpoint {
    url: String,
    filters: Option<Vec<Named<FilterOptions>>>,
    verification: Option<Named<HmacOptions>>,
    /// Its fields are not published. Here everything is sent again that was not answered with 200, with it or without.
    retry_policy: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<T> {
    name: String,
    options: T,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterOptions {
    value: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HmacOptions {
    hash_alg: String,
    shared_secret: String,
}

impl Endpoint {
    /// The endpoint that the command line names.
    pub(crate) fn given(hooks: &Hooks) -> Option<Self> {
        let url = hooks.url.clone()?;
        let shown = json!({
            "url": url.as_str(),
            "verification": {
                "name": "HMAC",
                "options": { "hashAlg": "SHA256", "sharedSecret": hooks.secret },
            },
        });
        Some(Endpoint {
            url,
            secret: Some(hooks.secret.clone()),
            methods: Vec::new(),
            shown,
        })
    }

    /// A filter takes only what names its payment method: without one in the payload every event is dropped.
    pub(crate) fn takes(&self, data: &Value) -> bool {
        let method = data.get("paymentMethodId").and_then(Value::as_u64);
        self.methods.iter().all(|wanted| method == Some(*wanted))
    }
}

impl World {
    /// `GET /webhook_subscriptions`: the lists by topic, each as it can be put. The answer's shape is not published.
    pub(crate) fn read_endpoints(&self) -> Value {
        let lists = self.endpoints.iter().map(|(topic, list)| {
            let list = list.iter().map(|endpoint| endpoint.shown.clone()).collect();
            (topic.name().to_owned(), Value::Array(list))
        });
        wrapped(Value::Object(lists.collect()))
    }

    /// `PUT /webhook_subscriptions/{topic}` replaces the whole list.
    ///
    /// # Errors
    /// There is no such topic (404), or an endpoint makes no sense (400).
    pub(crate) fn put_endpoints(
        &mut self,
        desk: &Desk,
        topic: &str,
        list: Vec<Value>,
    ) -> Result<Value, Fail> {
        let topic = Topic::named(topic).ok_or_else(|| Fail::not_found("Topic", topic))?;
        let list: Vec<Endpoint> = list.into_iter().map(read).collect::<Result<_, Fail>>()?;
        let shown = list.iter().map(|endpoint| endpoint.shown.clone()).collect();
        // What came before is not told to whoever listens from now on.
        self.keep_schedule(desk);
        self.endpoints.insert(topic, list);
        Ok(wrapped(Value::Array(shown)))
    }

    pub(crate) fn is_heard(&self, topic: Topic) -> bool {
        self.endpoints
            .get(&topic)
            .is_some_and(|list| !list.is_empty())
    }
}

fn read(shown: Value) -> Result<Endpoint, Fail> {
    let new: NewEndpoint =
        serde_json::from_value(shown.clone()).map_err(|error| Fail::invalid(error.to_string()))?;
    let url = Url::parse(&new.url).ok();
    let url = url
        .filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| Fail::invalid("url value is invalid"))?;
    let filters = new.filters.unwrap_or_default();
    if filters
        .iter()
        .any(|filter| filter.name != "paymentMethodId")
    {
        return Err(Fail::invalid("filters: only paymentMethodId is known"));
    }
    let secret = match new.verification {
        None => None,
        Some(hmac)
            if hmac.name == "HMAC"
                && hmac.options.hash_alg == "SHA256"
                && (16..=64).contains(&hmac.options.shared_secret.len()) =>
        {
            Some(hmac.options.shared_secret)
        }
        Some(_) => return Err(Fail::invalid("verification value is invalid")),
    };
    if new.retry_policy.is_some() {
        tracing::debug!("a retry policy is taken and changes nothing");
    }
    Ok(Endpoint {
        url,
        secret,
        methods: filters
            .into_iter()
            .map(|filter| filter.options.value)
            .collect(),
        shown,
    })
}
