//! Traces of requests, at a collector of OpenTelemetry.

use std::collections::BTreeSet;

use reqwest::{Client, StatusCode};

use crate::{
    collector::{Collector, Span},
    flow::Stage,
    process::{Folder, Program},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A provider that sends traces.
fn traced(collector: &Collector, arguments: &[&str]) -> Stage {
    let setting = collector.setting();
    Stage::with(&[&["--set", &*setting], arguments].concat())
}

/// Asks for a token of a machine, as part of the trace of a header. Returns the number of the request.
async fn ask(stage: &Stage, trace: Option<&str>) -> String {
    let client = stage.program.json(&["client", "add", "Job", "--grant", "client_credentials"]);
    let http = Client::builder().no_proxy().build().unwrap();
    let mut request = http
        .post(stage.program.url("/oauth/token"))
        .basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str())
        .form(&[("grant_type", "client_credentials")]);
    if let Some(trace) = trace {
        request = request.header("traceparent", trace);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

/// The span of a request by its number.
fn of_request(spans: &[Span], id: &str) -> Option<Span> {
    let is_it = |span: &&Span| span.attribute("request.id").as_deref() == Some(id);
    spans.iter().find(is_it).cloned()
}

#[tokio::test]
async fn a_request_is_a_span_with_the_verbs_of_the_store_in_it() {
    let collector = Collector::start();
    let stage = traced(&collector, &[]);
    let id = ask(&stage, None).await;
    let http = Client::builder().no_proxy().build().unwrap();
    let nowhere = http.get(stage.program.url("/a/path/of/nobody?secret=1")).send().await.unwrap();
    let nowhere = nowhere.headers()["x-request-id"].to_str().unwrap().to_owned();
    stage.program.stop();
    let spans = collector.spans();
    let request = of_request(&spans, &id).unwrap();
    assert!(request.is("POST /oauth/token"), "{request:?}");
    assert_eq!((request.kind(), request.text("parentSpanId")), (2, ""));
    let attribute = |name| request.attribute(name).unwrap();
    assert_eq!(attribute("http.request.method"), "POST");
    assert_eq!(attribute("http.route"), "/oauth/token");
    assert_eq!(attribute("http.response.status_code"), "200");
    let verbs: Vec<_> = spans
        .iter()
        .filter(|span| span.text("parentSpanId") == request.text("spanId"))
        .inspect(|span| assert_eq!(span.text("traceId"), request.text("traceId")))
        .inspect(|span| assert_eq!(span.kind(), 3))
        .map(|span| span.text("name"))
        .collect();
    assert!(verbs.contains(&"client") && verbs.contains(&"issue"), "{verbs:?}");

    let request = of_request(&spans, &nowhere).unwrap();
    assert!(request.is("GET") && request.attribute("http.route").is_none(), "{request:?}");
    // No attribute has a text of a client; whatever joins these is to be looked at.
    let names: BTreeSet<_> = spans.iter().flat_map(Span::attributes).collect();
    let known = ["http.request.method", "http.response.status_code", "http.route", "request.id"];
    assert_eq!(names, BTreeSet::from(known));
}

#[tokio::test]
async fn a_trusted_proxy_names_the_trace_and_decides_whether_it_is_kept_and_nobody_else_does() {
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let not_sampled = format!("00-{TRACE}-{PARENT}-00");
    let trusting = ["--trusted-proxy", "127.0.0.1"];
    let none = ["--trusted-proxy", "127.0.0.1", "--set", "traces_ratio=0"];
    for (arguments, trace, outcome) in [
        (&trusting[..], &*sampled, Some(PARENT)),
        (&trusting, &not_sampled, None),
        (&trusting, "00-nonsense", Some("")),
        (&none, &sampled, Some(PARENT)),
        (&none[2..], &sampled, None),
        (&[], &sampled, Some("")),
        (&[], &not_sampled, Some("")),
    ] {
        let collector = Collector::start();
        let stage = traced(&collector, arguments);
        let id = ask(&stage, Some(trace)).await;
        stage.program.stop();
        let span = of_request(&collector.spans(), &id);
        let parent = span.as_ref().map(|span| span.text("parentSpanId"));
        assert_eq!(parent, outcome, "{arguments:?} {trace}");
        let is_of_the_trace = span.as_ref().is_some_and(|span| span.text("traceId") == TRACE);
        assert_eq!(is_of_the_trace, outcome == Some(PARENT), "{arguments:?} {trace}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_delays_no_answer_and_no_end() {
    let folder = Folder::new();
    let nobody = crate::ports::free_port();
    let setting = format!("traces_endpoint=http://127.0.0.1:{nobody}/v1/traces");
    let program = Program::start_with(&folder, &["--set", &setting]);
    let http = Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.get(program.url("/health")).send().await.unwrap().status(), StatusCode::OK);
    program.stop();
}

#[test]
fn what_is_exported_is_not_in_the_log() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--log", "trace"]);
    program.signal("-TERM");
    let (_, log) = program.ended();
    assert!(log.contains("stopped") && !log.contains("otel."), "{log}");
}
