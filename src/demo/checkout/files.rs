//! The files of the example as they lie in `clients/web/example`, and what they may load.

use axum::Router;
use axum::routing::get;
use url::Url;

use crate::demo::assets::served;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const PAGE: &str = include_str!("../../../clients/web/example/index.html");

/// What a shop changes: nothing, and its own key. The demo changes both to the simulator's.
const STRIPE: &str = "https://js.stripe.com/v3/";
const KEY: &str = "pk_test_your_own";
const SIMULATED_KEY: &str = "pk_test_simulated";

macro_rules! built {
    ($($name:literal),* $(,)?) => {
        [$((
            concat!("/checkout/built/", $name),
            SCRIPT,
            include_str!(concat!("../../../clients/web/example/built/", $name)),
        )),*]
    };
}

/// Path, type and content of one file.
type File = (&'static str, &'static str, &'static str);

/// All that the compiler made but `api.js`, `types.js` and `stripe.js`, which are empty and not asked for.
const BUILT: [File; 15] = built![
    "example/checkout.js",
    "example/look.js",
    "example/page.js",
    "src/backoff.js",
    "src/checkout.js",
    "src/connector.js",
    "src/follow.js",
    "src/index.js",
    "src/lock.js",
    "src/problem.js",
    "src/run.js",
    "src/sse.js",
    "src/status.js",
    "src/store.js",
    "src/words.js",
];

const OTHERS: [File; 2] = [
    (
        "/checkout/checkout.css",
        "text/css; charset=utf-8",
        include_str!("../../../clients/web/example/checkout.css"),
    ),
    (
        "/checkout/icon.svg",
        "image/svg+xml",
        include_str!("../../../clients/web/example/icon.svg"),
    ),
];

pub(super) fn routes(simulator: &Url) -> Router {
    let origin = simulator.origin().ascii_serialization();
    let page = PAGE
        .replace(STRIPE, &format!("{origin}/stripe/js/v3/"))
        .replace(KEY, SIMULATED_KEY);
    let policy = policy(&origin);
    let files = BUILT.into_iter().chain(OTHERS);
    let router = files.fold(Router::new(), |router, (path, kind, content)| {
        let policy = policy.clone();
        router.route(
            path,
            get(move || std::future::ready(served(kind, content, &policy))),
        )
    });
    router.route(
        "/checkout/",
        get(move || std::future::ready(served("text/html; charset=utf-8", page.clone(), &policy))),
    )
}

/// With Stripe itself `origin` is `https://js.stripe.com`, and its list of a policy's sources has a few more.
fn policy(origin: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' {origin}; frame-src {origin}; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_the_demo_replaces_and_nothing_else_outside() {
        assert_eq!(PAGE.matches(STRIPE).count(), 1);
        assert_eq!(PAGE.matches(KEY).count(), 1);
        assert_eq!(PAGE.matches("://").count(), 1);
    }

    #[test]
    fn the_policy_would_not_block_the_page_itself() {
        for inline in [" style=", " onclick=", "<style", "<script>", "data:"] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
        for (path, _, content) in BUILT {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "eval(",
                ".style",
            ] {
                assert!(!content.contains(way), "{path} {way}");
            }
        }
    }

    #[test]
    fn every_script_that_one_imports_is_served() {
        let base = Url::parse("http://shop.example").unwrap();
        for (path, _, content) in BUILT {
            let here = base.join(path).unwrap();
            for line in content.lines() {
                let Some((_, from)) = line.split_once(" from \"") else {
                    continue;
                };
                let wanted = here.join(from.trim_end_matches("\";")).unwrap();
                let found = BUILT.iter().any(|(path, _, _)| *path == wanted.path());
                assert!(found, "{path} imports {wanted}");
            }
        }
    }
}
