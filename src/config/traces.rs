//! Where spans are sent, and how many.

use secrecy::SecretString;
use url::Url;

use super::address;
use super::reader::Reader;
use super::value::Wrong;

/// Headers that the exporter writes itself.
const TAKEN_HEADERS: [&str; 4] = [
    "content-type",
    "content-length",
    "host",
    "transfer-encoding",
];
/// What the resource says already.
const TAKEN_ATTRIBUTES: [&str; 3] = ["service.name", "service.version", "service.instance.id"];

/// Of the export of spans by OTLP.
#[derive(Debug, Clone)]
pub(crate) struct TracesConfig {
    /// The collector's base, without `/v1/traces`; none: nothing is recorded.
    pub(crate) endpoint: Option<Url>,
    /// Names in small letters, and values that are credentials.
    pub(crate) headers: Vec<(String, SecretString)>,
    pub(crate) service_name: String,
    /// Of the resource, beside the service's name, version and instance.
    pub(crate) attributes: Vec<(String, String)>,
    /// Of the traces that begin here, the part that is recorded: 0 to 1.
    pub(crate) sample_ratio: f64,
}

pub(super) fn traces(reader: &mut Reader) -> Option<TracesConfig> {
    let endpoint = reader.text("traces.endpoint", endpoint);
    let headers = reader.text("traces.headers", headers);
    let service_name = reader.text("traces.service_name", service_name);
    let attributes = reader.text("traces.attributes", attributes);
    let sample_ratio = reader.text("traces.sample_ratio", sample_ratio);
    Some(TracesConfig {
        endpoint: endpoint?,
        headers: headers?,
        service_name: service_name?,
        attributes: attributes?,
        sample_ratio: sample_ratio?,
    })
}

fn endpoint(text: &str) -> Result<Option<Url>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let remedy = "write the collector's base, such as \"http://otel-collector:4318\"; leave it empty for no export";
    let url =
        address::base_url(text).map_err(|wrong| match wrong.problem.starts_with("http would") {
            true => wrong,
            false => Wrong::new(wrong.problem, remedy),
        })?;
    if url.path().ends_with("/v1/traces") {
        return Err(Wrong::new(
            "the path of the signal is added by itself",
            "leave /v1/traces away",
        ));
    }
    Ok(Some(url))
}

fn headers(text: &str) -> Result<Vec<(String, SecretString)>, Wrong> {
    let remedy =
        "write NAME=VALUE, several separated by commas, such as \"authorization=Bearer …\"";
    pairs(text, remedy)?
        .into_iter()
        .map(|(name, value)| {
            let is_token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if !name.bytes().all(is_token) {
                return Err(Wrong::new("not the name of a header", remedy));
            }
            let name = name.to_ascii_lowercase();
            if TAKEN_HEADERS.contains(&name.as_str()) {
                return Err(Wrong::new(
                    "a header that is set by itself",
                    "leave it away",
                ));
            }
            let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
            if !value.bytes().all(printable) {
                return Err(Wrong::new(
                    "a header with a character that none may have",
                    remedy,
                ));
            }
            Ok((name, SecretString::from(value)))
        })
        .collect()
}

fn service_name(text: &str) -> Result<String, Wrong> {
    match text.trim() {
        "" => Err(Wrong::new(
            "empty",
            "name the service, such as \"cleeng-connector\"",
        )),
        name => Ok(name.to_owned()),
    }
}

fn attributes(text: &str) -> Result<Vec<(String, String)>, Wrong> {
    let found = pairs(
        text,
        "write NAME=VALUE, several separated by commas, such as \"deployment.environment.name=production\"",
    )?;
    if found
        .iter()
        .any(|(name, _)| TAKEN_ATTRIBUTES.contains(&name.as_str()))
    {
        return Err(Wrong::new(
            "an attribute that is set by itself",
            "leave it away; traces.service_name is the service's name",
        ));
    }
    Ok(found)
}

fn pairs(text: &str, remedy: &str) -> Result<Vec<(String, String)>, Wrong> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            Some(_) | None => Err(Wrong::new("not a list of names and values", remedy)),
        })
        .collect()
}

fn sample_ratio(text: &str) -> Result<f64, Wrong> {
    let ratio: Option<f64> = text.parse().ok();
    ratio
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| {
            Wrong::new(
                "not a part of a whole",
                "write a number from 0 to 1 in quotes, such as \"0.05\"",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_a_base_url_or_none() {
        assert_eq!(endpoint(""), Ok(None));
        for good in [
            "http://127.0.0.1:4318",
            "http://otel-collector:4318/",
            "https://otlp.example/prefix",
        ] {
            assert!(endpoint(good).unwrap().is_some(), "{good}");
        }
        for bad in [
            "otel:4318",
            "http://otel.example:4318",
            "https://u:p@h",
            "https://h/v1/traces",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_are_names_and_values() {
        use secrecy::ExposeSecret;
        let found = headers("Authorization=Basic dTpw==, x-scope=a").unwrap();
        let read: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(read, [("authorization", "Basic dTpw=="), ("x-scope", "a")]);
        for bad in ["Bearer x", "=x", "a=", "a b=c", "host=h", "a=é", "a=b,,"] {
            assert!(headers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_is_between_nothing_and_all() {
        for (text, part) in [("0", 0.0), ("0.05", 0.05), ("1.0", 1.0)] {
            assert_eq!(sample_ratio(text), Ok(part));
        }
        for bad in ["", "-0.1", "1.1", "5%", "NaN"] {
            assert!(sample_ratio(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_names_the_service_is_not_an_attribute_as_well() {
        assert_eq!(
            attributes("a.b=c").unwrap(),
            [("a.b".to_owned(), "c".to_owned())]
        );
        assert!(attributes("service.name=x").is_err());
    }
}
