//! The routes of the public API by their paths, for what is around the router: it has to know them before the router does.

use crate::telemetry::labels::Route;

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// As the router has it, with names for what differs.
    pub(super) template: &'static str,
    pub(super) route: Route,
}

impl Place {
    /// Whether a client may send only so many of these. Webhooks it may: who sends them comes from few addresses, and in bursts.
    pub(super) fn is_limited(self) -> bool {
        self.template.starts_with("/v1/payment")
    }
}

/// The route that a path belongs to, whatever the method.
pub(super) fn place(path: &str) -> Option<Place> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let mut next = || segments.next();
    let (template, route) = match (next(), next(), next(), next(), next()) {
        (Some("openapi.json"), None, ..) => ("/openapi.json", Route::Other),
        (Some("docs"), None, ..) => ("/docs", Route::Other),
        (Some("v1"), Some(kind), id, below, None) if id != Some("") => of_api(kind, id, below)?,
        _ => return None,
    };
    Some(Place { template, route })
}

fn of_api(kind: &str, id: Option<&str>, below: Option<&str>) -> Option<(&'static str, Route)> {
    match (kind, id, below) {
        ("payments", None, None) => Some(("/v1/payments", Route::Pay)),
        ("payments", Some(_), None) => Some(("/v1/payments/{id}", Route::Show)),
        ("payments", Some(_), Some("continue")) => {
            Some(("/v1/payments/{id}/continue", Route::Continue))
        }
        ("payments", Some(_), Some("events")) => Some(("/v1/payments/{id}/events", Route::Events)),
        ("payment-details", None, None) => Some(("/v1/payment-details", Route::Other)),
        ("payment-details", Some(_), None) => Some(("/v1/payment-details/{id}", Route::Other)),
        ("payment-details", Some(_), Some("continue")) => {
            Some(("/v1/payment-details/{id}/continue", Route::Other))
        }
        ("payment-details", Some(_), Some("events")) => {
            Some(("/v1/payment-details/{id}/events", Route::Other))
        }
        ("webhooks", Some("cleeng"), None) => Some(("/v1/webhooks/cleeng", Route::Webhook)),
        ("webhooks", Some(_), None) => Some(("/v1/webhooks/{gateway}", Route::Webhook)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::ingest::document;

    #[test]
    fn every_path_of_the_document_is_its_own_route() {
        let document = serde_json::to_value(document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 6);
        for template in paths.keys() {
            let path = template
                .replace("{id}", "01")
                .replace("{gateway}", "stripe");
            let found = place(&path).map(|place| place.template);
            assert_eq!(found, Some(template.as_str()));
        }
    }

    #[test]
    fn other_paths_are_no_route() {
        for path in [
            "",
            "/",
            "/v1",
            "/v1/",
            "/v1/payments/",
            "/v1/payments//events",
            "/v1/payments/1/2",
            "/v1/payments/1/events/2",
            "/v1/payments/1/events/",
            "/v1/webhooks",
            "/v1/webhooks/",
            "/v1/webhooks/stripe/2",
            "/v2/payments",
            "/docs/",
            "/openapi.json/x",
        ] {
            assert_eq!(place(path), None, "{path:?}");
        }
    }

    #[test]
    fn only_what_front_ends_call_has_a_rate() {
        let limited = |path| place(path).is_some_and(Place::is_limited);
        assert!(limited("/v1/payments") && limited("/v1/payment-details/7"));
        assert!(!limited("/v1/webhooks/stripe") && !limited("/docs"));
    }
}
