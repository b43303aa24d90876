//! Where traces go.

use toml::Value;
use url::Url;

use super::{error::ConfigError, found::Found, value::Expected};

/// The settings of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// The URL of the collector, which gets them by OTLP over HTTP. `None` makes no traces.
    pub endpoint: Option<Url>,
    /// The share of requests that are traced, unless a trusted proxy decided.
    pub ratio: f64,
}

impl TraceSettings {
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        Ok(Self {
            endpoint: found.optional("traces_endpoint", endpoint, ToString::to_string, "off")?,
            ratio: found.or("traces_ratio", ratio, ToString::to_string, 1.0)?,
        })
    }
}

fn endpoint(value: &Value) -> Result<Url, Expected> {
    if !cfg!(feature = "opentelemetry") {
        return Err(Expected::Other(
            "nothing: this program was built without the feature opentelemetry",
        ));
    }
    let url = value.as_str().and_then(|text| Url::parse(text.trim()).ok());
    let is_one = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    url.filter(is_one).ok_or(Expected::Other(
        "the http or https URL of a collector, such as http://localhost:4318/v1/traces",
    ))
}

fn ratio(value: &Value) -> Result<f64, Expected> {
    let number = match value {
        Value::Float(number) => Some(*number),
        Value::Integer(0) => Some(0.0),
        Value::Integer(1) => Some(1.0),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (0.0..=1.0).contains(number))
        .ok_or(Expected::Other("a number from 0 to 1, such as 0.05"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_between_none_and_all() {
        let text = |text: &str| Value::String(text.to_owned());
        for (value, taken) in [
            (Value::Float(0.25), Some(0.25)),
            (Value::Integer(1), Some(1.0)),
            (Value::Integer(0), Some(0.0)),
            (text(" 0.5 "), Some(0.5)),
            (Value::Integer(2), None),
            (Value::Float(-0.1), None),
            (text("NaN"), None),
            (text("half"), None),
        ] {
            assert_eq!(ratio(&value).ok(), taken, "{value}");
        }
    }

    #[cfg(feature = "opentelemetry")]
    #[test]
    fn a_collector_has_a_url_without_a_password() {
        for (url, is_one) in [
            ("http://localhost:4318/v1/traces", true),
            ("https://collector.example/v1/traces", true),
            ("grpc://localhost:4317", false),
            ("https://user:password@collector.example", false),
            ("https://collector.example/?key=secret", false),
            ("localhost:4318", false),
        ] {
            assert_eq!(endpoint(&Value::String(url.to_owned())).is_ok(), is_one, "{url}");
        }
    }
}
