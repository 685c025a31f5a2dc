//! The page and its files, built into the executable. They ask nobody but this process for anything.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::Shared;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What a browser may load and do here. The last three do not fall back on `default-src` (Content Security Policy Level 3,
/// section 6).
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ASSETS: [Asset; 14] = [
    Asset("/console", HTML, include_str!("page/console.html")),
    Asset("/console/app.js", SCRIPT, include_str!("page/app.js")),
    Asset("/console/api.js", SCRIPT, include_str!("page/api.js")),
    Asset("/console/dom.js", SCRIPT, include_str!("page/dom.js")),
    Asset("/console/words.js", SCRIPT, include_str!("page/words.js")),
    Asset(
        "/console/overview.js",
        SCRIPT,
        include_str!("page/overview.js"),
    ),
    Asset(
        "/console/payments.js",
        SCRIPT,
        include_str!("page/payments.js"),
    ),
    Asset(
        "/console/payment.js",
        SCRIPT,
        include_str!("page/payment.js"),
    ),
    Asset(
        "/console/letters.js",
        SCRIPT,
        include_str!("page/letters.js"),
    ),
    Asset(
        "/console/demands.js",
        SCRIPT,
        include_str!("page/demands.js"),
    ),
    Asset("/console/log.js", SCRIPT, include_str!("page/log.js")),
    Asset(
        "/console/dialogs.js",
        SCRIPT,
        include_str!("page/dialogs.js"),
    ),
    Asset(
        "/console/style.css",
        "text/css; charset=utf-8",
        include_str!("page/style.css"),
    ),
    Asset(
        "/console/icon.svg",
        "image/svg+xml",
        include_str!("page/icon.svg"),
    ),
];

/// Path, type and content of one file.
#[derive(Debug, Clone, Copy)]
struct Asset(&'static str, &'static str, &'static str);

pub(super) fn routes() -> Router<Shared> {
    ASSETS.into_iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.0,
            get(move || std::future::ready(asset.into_response())),
        )
    })
}

impl IntoResponse for Asset {
    fn into_response(self) -> axum::response::Response {
        let headers: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, self.1)];
        (headers, self.2).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_but_the_files_that_are_served() {
        for Asset(path, _, content) in ASSETS {
            let named = content
                .split(['"', '\''])
                .filter(|text| text.starts_with("/console/") || text.starts_with("./"));
            for name in named {
                let address = name.replacen("./", "/console/", 1);
                assert!(
                    ASSETS.iter().any(|asset| asset.0 == address),
                    "{path}: {name}"
                );
            }
            let outside = content
                .replace("http://www.w3.org/", "")
                .contains("http://");
            assert!(!outside && !content.contains("https://"), "{path}");
        }
    }

    #[test]
    fn the_policy_would_not_block_the_page_itself() {
        for inline in [" style=", " onclick=", "<style", "<script>", "data:"] {
            assert!(!ASSETS[0].2.contains(inline), "{inline}");
        }
    }

    #[test]
    fn no_file_puts_text_into_the_page_as_markup_or_the_token_where_others_see_it() {
        for Asset(path, _, content) in ASSETS {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "eval(",
                "localStorage",
                "document.cookie",
                ".style.",
            ] {
                assert!(!content.contains(way), "{path} {way}");
            }
        }
    }
}
