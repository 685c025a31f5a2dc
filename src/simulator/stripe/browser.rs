//! A stand-in for Stripe's own script in the payer's browser, and the frames that hold the card's form and the bank's question.

use crate::simulator::call::{Call, Reply};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The frames load and ask nothing but this server. Any shop may show them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// Path, type and content of one file.
type File = (&'static str, &'static str, &'static str);

const FILES: [File; 7] = [
    ("/stripe/js/v3/", SCRIPT, include_str!("browser/stripe.js")),
    (
        "/stripe/js/channel.js",
        SCRIPT,
        include_str!("browser/channel.js"),
    ),
    (
        "/stripe/js/card.html",
        HTML,
        include_str!("browser/card.html"),
    ),
    (
        "/stripe/js/card.js",
        SCRIPT,
        include_str!("browser/card.js"),
    ),
    (
        "/stripe/js/challenge.html",
        HTML,
        include_str!("browser/challenge.html"),
    ),
    (
        "/stripe/js/challenge.js",
        SCRIPT,
        include_str!("browser/challenge.js"),
    ),
    (
        "/stripe/js/frame.css",
        "text/css; charset=utf-8",
        include_str!("browser/frame.css"),
    ),
];

/// Answers for one file.
pub(crate) fn answer(call: &Call) -> Reply {
    match FILES.into_iter().find(|(path, _, _)| *path == call.path) {
        Some((_, kind, content)) if call.method == "GET" => {
            Reply::text(200, kind, content.to_owned())
                .with("content-security-policy", POLICY)
                .with("x-content-type-options", "nosniff")
                .with("cache-control", "no-cache")
        }
        Some(_) | None => Reply::text(404, "text/plain", "no such file".to_owned()),
    }
}
