//! The tests' own HTTP client, and answers that are easy to look at.

use std::time::Duration;

use serde_json::Value;

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
        // Whoever was first has installed the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::ClientBuilder::new()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Http(client)
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        read(self.0.get(url).send().await.unwrap()).await
    }

    pub(crate) async fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.0.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await
    }

    /// Nothing when the server is not there.
    pub(crate) async fn try_get(&self, url: &str) -> Option<Answer> {
        match self.0.get(url).send().await {
            Ok(response) => Some(read(response).await),
            Err(_) => None,
        }
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
        let mut request = self
            .0
            .put(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn post_raw(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn post_form(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        form: &'static str,
    ) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let mut request = self.0.post(url).header("content-type", kind).body(form);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await
    }

    /// As `post_with`; nothing when the server is not there, or ends while it answers.
    pub(crate) async fn try_post_with(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Option<Answer> {
        let mut request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer {
            status,
            headers,
            text: response.text().await.ok()?,
        })
    }

    /// Nothing when the server is not there, or hangs up.
    pub(crate) async fn try_post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Option<Answer> {
        let mut request = self
            .0
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.ok()?;
        Some(Answer {
            status,
            headers,
            text,
        })
    }

    pub(crate) async fn delete(&self, url: &str) -> Answer {
        read(self.0.delete(url).send().await.unwrap()).await
    }

    /// Opens a stream and gives its response to be read by chunks.
    pub(crate) async fn stream(&self, url: &str, last_event: Option<&str>) -> reqwest::Response {
        let mut request = self.0.get(url);
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap()
    }
}

async fn read(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    }
}
