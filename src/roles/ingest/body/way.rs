//! How a method is handed in: its gateway, the gateway's own token, and where the payer comes back to.

use serde_json::Value;
use url::Url;

use super::Form;
use crate::domain::ids::GatewayName;
use crate::domain::secret::Secret;
use crate::gateway::Gateways;

/// The fields that purchases and changes of payment details share.
pub(super) struct Way {
    pub(super) gateway: GatewayName,
    pub(super) method: Secret<Value>,
    pub(super) return_url: Option<String>,
}

impl Form {
    /// Nothing when a field is wrong, which the form has noted.
    pub(super) fn way(&mut self, gateways: &Gateways) -> Option<Way> {
        let known = gateways
            .keys()
            .map(GatewayName::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let gateway = self.required(
            "gateway",
            &format!("one of the configured gateways: {known}"),
            |value| {
                let name: GatewayName = value.as_str()?.parse().ok()?;
                gateways.contains_key(&name).then_some(name)
            },
        );
        let method = self.required(
            "paymentMethod",
            "an object: the gateway's own token",
            |value| value.is_object().then(|| value.clone()),
        );
        let return_url = self.optional(
            "returnUrl",
            "an https URL (http only to this machine), or null",
            return_url,
        );
        if let (Some(gateway), Some(method)) = (&gateway, &method)
            && let Some(Err(fault)) = gateways
                .get(gateway)
                .map(|adapter| adapter.check_method(method))
        {
            self.fault(fault.card_data, &fault.field, &fault.expected);
        }
        Some(Way {
            gateway: gateway?,
            method: Secret::new(method?),
            return_url,
        })
    }
}

fn return_url(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| text.len() <= 2048)?;
    // A URL parser mends or drops them; a database refuses some.
    if text.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = match url.scheme() {
        "https" => url.has_host(),
        "http" => local,
        _other => false,
    };
    (fits && url.username().is_empty() && url.password().is_none()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_url_is_https_or_this_machine() {
        for (url, good) in [
            ("https://shop.example/back", true),
            ("http://127.0.0.1:8080/", true),
            ("http://shop.example/back", false),
            ("javascript:alert(1)", false),
            ("https://user:secret@shop.example/", false),
            ("/back", false),
        ] {
            assert_eq!(
                return_url(&Value::String(url.to_owned())).is_some(),
                good,
                "{url}"
            );
        }
    }
}
