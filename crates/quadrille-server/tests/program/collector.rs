//! A collector of OpenTelemetry on loopback.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::Value;

type Messages = Arc<Mutex<Vec<String>>>;

/// The collector, with the messages that it got.
pub(crate) struct Collector {
    pub(crate) endpoint: String,
    messages: Messages,
}

/// A span that the collector got.
#[derive(Clone, Debug)]
pub(crate) struct Span(Value);

impl Collector {
    /// On a thread of its own, since a test that waits for the program to end gives none to it.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let messages = Messages::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(messages.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { endpoint, messages }
    }

    pub(crate) fn setting(&self) -> String {
        format!("traces_endpoint={}", self.endpoint)
    }

    /// All messages, as they came.
    pub(crate) fn text(&self) -> String {
        self.messages.lock().unwrap().concat()
    }

    /// All spans of the service `quadrille`.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let messages = self.messages.lock().unwrap();
        let parsed = messages.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
        let list = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
        let resources = parsed.flat_map(|message| list(&message, "resourceSpans"));
        let scopes = resources.flat_map(|resource| {
            let service = Span(resource["resource"].clone());
            assert_eq!(service.attribute("service.name").unwrap(), "quadrille");
            list(&resource, "scopeSpans")
        });
        scopes.flat_map(|scope| list(&scope, "spans")).map(Span).collect()
    }
}

async fn take(State(messages): State<Messages>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(headers["content-type"], "application/json");
    messages.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
    "{}"
}

impl Span {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0["name"] == name
    }

    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }

    /// The kind: 2 is that of a server, 3 that of a client.
    pub(crate) fn kind(&self) -> u64 {
        self.0["kind"].as_u64().unwrap()
    }

    /// An attribute, as text.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let attributes = self.0["attributes"].as_array()?;
        let value = &attributes.iter().find(|attribute| attribute["key"] == name)?["value"];
        let text = value["stringValue"].as_str().map(str::to_owned);
        text.or_else(|| Some(value["intValue"].to_string().trim_matches('"').to_owned()))
    }

    /// The names of all attributes.
    pub(crate) fn attributes(&self) -> Vec<&str> {
        let attributes = self.0["attributes"].as_array().unwrap().iter();
        attributes.map(|attribute| attribute["key"].as_str().unwrap()).collect()
    }
}
