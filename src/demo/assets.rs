//! The page and its files, built into the executable, with headers that keep every other origin out.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The first four do not fall back on `default-src` (Content Security Policy Level 3, section 6).
const POLICY: &str = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; default-src 'self'";

const ASSETS: [Asset; 7] = [
    Asset("/", HTML, include_str!("page.html")),
    Asset("/demo/app.js", SCRIPT, include_str!("app.js")),
    Asset("/demo/api.js", SCRIPT, include_str!("api.js")),
    Asset("/demo/view.js", SCRIPT, include_str!("view.js")),
    Asset("/demo/words.js", SCRIPT, include_str!("words.js")),
    Asset(
        "/demo/style.css",
        "text/css; charset=utf-8",
        include_str!("style.css"),
    ),
    Asset("/demo/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

/// Path, type and content of one file.
#[derive(Debug, Clone, Copy)]
struct Asset(&'static str, &'static str, &'static str);

pub(super) fn routes() -> Router {
    ASSETS.into_iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.0,
            get(move || std::future::ready(asset.into_response())),
        )
    })
}

impl IntoResponse for Asset {
    fn into_response(self) -> Response {
        served(self.1, self.2, POLICY)
    }
}

/// A file of this type, with what it may load.
pub(super) fn served(kind: &'static str, content: impl IntoResponse, policy: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The next release of the executable has other files under the same names.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> &'static str {
        ASSETS[0].2
    }

    #[test]
    fn the_page_needs_nothing_but_the_files_that_are_served() {
        let page = page();
        for address in page
            .split(['"', '\''])
            .filter(|text| text.contains("/demo/"))
        {
            assert!(ASSETS.iter().any(|asset| asset.0 == address), "{address}");
        }
        for Asset(path, _, content) in ASSETS {
            let outside = content
                .replace("http://www.w3.org/", "")
                .contains("http://");
            assert!(!outside && !content.contains("https://"), "{path}");
        }
    }

    #[test]
    fn the_policy_would_not_block_the_page_itself() {
        let page = page();
        for inline in [" style=", " onclick=", "<style", "<script>", "data:"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }

    #[test]
    fn no_file_puts_text_into_the_page_as_markup() {
        for Asset(path, _, content) in ASSETS {
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval("] {
                assert!(!content.contains(way), "{path} {way}");
            }
        }
    }

    #[test]
    fn every_file_says_what_it_is_and_what_it_may_load() {
        for asset in ASSETS {
            let response = asset.into_response();
            let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
            assert_eq!(header(header::CONTENT_TYPE), asset.1);
            assert!(header(header::CONTENT_SECURITY_POLICY).contains("default-src 'self'"));
        }
    }
}
