//! The tests' own HTTP client, and answers that are easy to look at.

use std::time::Duration;

use serde_json::Value;

use super::contract::{self, Asked};

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The last word of a problem's type.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text
        );
        let document = self.json();
        assert_eq!(document["status"], self.status);
        document["type"]
            .as_str()
            .unwrap()
            .strip_prefix("urn:cleeng-connector:problem:")
            .unwrap()
            .to_owned()
    }
}

#[derive(Clone)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    pub(crate) fn new() -> Http {
        Http::with(reqwest::header::HeaderMap::new())
    }

    /// Sends this credential wherever a test gives no other.
    pub(crate) fn bearing(credential: &str) -> Http {
        let value = format!("Bearer {credential}").parse().unwrap();
        Http::with(
            [(reqwest::header::AUTHORIZATION, value)]
                .into_iter()
                .collect(),
        )
    }

    fn with(headers: reqwest::header::HeaderMap) -> Http {
        // Whoever was first has installed the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::ClientBuilder::new()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .default_headers(headers)
            .build()
            .unwrap();
        Http(client)
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.get_with(url, &[]).await
    }

    pub(crate) async fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(self.0.get(url), headers, None).await.unwrap()
    }

    /// Nothing when the server is not there.
    pub(crate) async fn try_get(&self, url: &str) -> Option<Answer> {
        self.call(self.0.get(url), &[], None).await.ok()
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> Answer {
        self.post_with(url, &[], body).await
    }

    pub(crate) async fn post_with(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.post_raw(url, headers, body.to_string()).await
    }

    pub(crate) async fn put_with(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let body = Some(body.to_string());
        self.call(self.0.put(url), headers, body).await.unwrap()
    }

    pub(crate) async fn post_raw(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<String>,
    ) -> Answer {
        let body = Some(body.into());
        self.call(self.0.post(url), headers, body).await.unwrap()
    }

    pub(crate) async fn post_form(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        form: &'static str,
    ) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let request = self.0.post(url).header("content-type", kind).body(form);
        self.call(request, headers, None).await.unwrap()
    }

    /// As `post_with`; nothing when the server is not there, or ends while it answers.
    pub(crate) async fn try_post_with(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Option<Answer> {
        let body = Some(body.to_string());
        self.call(self.0.post(url), headers, body).await.ok()
    }

    /// Nothing when the server is not there, or hangs up.
    pub(crate) async fn try_post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Option<Answer> {
        self.try_post_with(url, headers, body).await
    }

    pub(crate) async fn delete(&self, url: &str) -> Answer {
        self.call(self.0.delete(url), &[], None).await.unwrap()
    }

    /// Sends a request and reads the answer, which must be as the API's document says.
    async fn call(
        &self,
        mut request: reqwest::RequestBuilder,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> reqwest::Result<Answer> {
        if let Some(body) = &body {
            request = request
                .header("content-type", "application/json")
                .body(body.clone());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.build()?;
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = self.0.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer {
            status,
            headers,
            text: response.text().await?,
        };
        let asked = Asked {
            method: method.as_str(),
            path: url.path(),
            body: body.as_deref(),
        };
        contract::check(&asked, &answer);
        Ok(answer)
    }

    /// A request as it is, and an answer that is read by the test: bytes, and whatever it is about.
    pub(crate) async fn raw(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
    ) -> (Answer, Vec<u8>) {
        let mut request = self.0.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer {
            status,
            headers,
            text,
        };
        (answer, bytes)
    }

    /// Opens a stream and gives its response to be read by chunks.
    pub(crate) async fn stream(&self, url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.0.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::new(),
        };
        let asked = Asked {
            method: "GET",
            path: response.url().path(),
            body: None,
        };
        contract::check(&asked, &answer);
        response
    }
}
