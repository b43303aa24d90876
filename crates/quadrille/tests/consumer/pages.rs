//! Lists that come in pages.

use std::time::Duration;

use http::Method;
use quadrille::{
    Error,
    consumer::{Api, Call, OperatorError, Pages, ServiceError},
    transport::Purpose,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    calls::{Pieces, account, last},
    support::World,
};

/// All pages, or the error after them.
async fn all(mut pages: Pages<Vec<u64>>) -> (Vec<u64>, Option<Error>) {
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => items.extend(page),
            Err(error) => {
                assert!(pages.next().await.is_none(), "it ends after an error");
                return (items, Some(error));
            }
        }
    }
    assert!(pages.next().await.is_none());
    (items, None)
}

fn list(github: &Api) -> Call {
    github.request(Method::GET, "list").query("per_page", 2)
}

fn asked_uris(world: &World) -> Vec<String> {
    let asked = world.service.asked();
    let calls = asked.iter().filter(|asked| asked.purpose == Purpose::Api);
    calls.map(|asked| asked.request.uri().to_string()).collect()
}

#[tokio::test]
async fn pages_follow_the_link_headers() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let first = "<https://api.github.com/list?page=9>; rel=\"last\"; title=\"a, b\", \
                 </list?page=2&per_page=2>; rel=\"next\"";
    world.answers_api(200, &[("link", first)], "[1,2]");
    world.answers_api(
        200,
        &[("link", "</list>; rel=prev"), ("link", "<?page=3>; rel=next")],
        "[3]",
    );
    world.answers_api(204, &[("link", "<?page=4>; rel=next")], "");
    world.answers_api(200, &[("link", "</list>; rel=\"first\"")], "[4]");
    assert_eq!(all(list(&github).pages()).await, (vec![1, 2, 3, 4], None));
    let base = "https://api.github.com/list";
    let expected = ["?per_page=2", "?page=2&per_page=2", "?page=3", "?page=4"];
    assert_eq!(asked_uris(&world), expected.map(|query| format!("{base}{query}")));
    let asked = world.service.asked();
    assert!(asked.iter().all(|asked| asked.request.headers().contains_key("user-agent")));
    assert!(last(&world).headers()["authorization"].to_str().unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn pages_do_not_leave_the_services_origin() {
    let world = World::new();
    let (_, github) = account(&world).await;
    for target in [
        "https://evil.example/list?page=2",
        "//evil.example/list",
        "http://api.github.com/list?page=2",
        "https://api.github.com:8443/list",
        "https://api.github.com@evil.example/",
    ] {
        world.answers_api(200, &[("link", &format!("<{target}>; rel=next"))], "[1]");
        let before = world.service.asked().len();
        let error = ServiceError::PageElsewhere;
        let elsewhere = Error::Service { service: "github".into(), error };
        assert_eq!(all(list(&github).pages()).await, (vec![1], Some(elsewhere)), "{target}");
        assert_eq!(world.service.asked().len(), before + 1, "{target}");
    }
    world.answers_api(200, &[("link", "<https://[>; rel=next")], "[1]");
    let (items, error) = all(list(&github).pages()).await;
    assert_eq!((items, error.unwrap().code()), (vec![1], "service_answer_malformed"));
    // Another origin that the application allows is the only one.
    let elsewhere = || github.request(Method::GET, "https://uploads.github.com/list");
    let foreign = Some(OperatorError::ForeignOrigin.into());
    assert_eq!(all(elsewhere().pages()).await, (vec![], foreign));
    world.answers_api(200, &[("link", "</list?2>; rel=next")], "[1]");
    world.answers_api(200, &[("link", "<https://api.github.com/list?3>; rel=next")], "[2]");
    let (items, error) = all(elsewhere().send_token_to_another_origin().pages()).await;
    assert_eq!((items, error.unwrap().code()), (vec![1, 2], "service_page_elsewhere"));
}

#[tokio::test]
async fn pages_end_where_they_go_round_at_the_limit_and_after_an_error() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let page = |n: u32, next: &str| {
        world.answers_api(200, &[("link", &format!("<{next}>; rel=next"))], format!("[{n}]"));
    };
    page(1, "?page=2");
    page(2, "?page=1");
    page(3, "?page=2");
    assert_eq!(all(list(&github).pages()).await, (vec![1, 2, 3], None));
    page(1, "?per_page=2");
    assert_eq!(all(list(&github).pages()).await, (vec![1], None));
    for n in 1..=3 {
        page(n, &format!("?page={}", n + 1));
    }
    let before = world.service.asked().len();
    assert_eq!(all(list(&github).pages().at_most(3)).await, (vec![1, 2, 3], None));
    assert_eq!(all(list(&github).pages().at_most(0)).await, (vec![], None));
    assert_eq!(world.service.asked().len(), before + 3);
    page(1, "?page=2");
    world.answers_api(429, &[], "");
    let (items, error) = all(list(&github).pages()).await;
    assert_eq!((items, error.unwrap().code()), (vec![1], "api_error"));
    page(1, "?page=2");
    world.answers_api(200, &[], "<html>");
    let (items, error) = all(list(&github).pages()).await;
    assert_eq!((items, error.unwrap().code()), (vec![1], "service_answer_malformed"));
    let stream = github.request(Method::POST, "x").body(Pieces::of(["a"]));
    let malformed = Some(OperatorError::CallMalformed.into());
    assert_eq!(all(stream.pages()).await, (vec![], malformed));
}

#[derive(Deserialize)]
struct Items {
    items: Vec<u64>,
}

async fn items(mut pages: Pages<Items>) -> Result<Vec<u64>, Error> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.extend(page?.items);
    }
    Ok(all)
}

#[tokio::test]
async fn pages_follow_a_cursor_in_the_body() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let base = "https://api.github.com/list";
    world.answers_api(200, &[], r#"{"items":[1],"meta":{"next":"a+b/&="}}"#);
    world.answers_api(200, &[], r#"{"items":[2],"meta":{"next":18446744073709551616}}"#);
    world.answers_api(200, &[], r#"{"items":[3],"meta":{"next":""}}"#);
    let call = list(&github).query("cursor", "start");
    assert_eq!(items(call.pages().by_cursor("meta.next", "cursor")).await.unwrap(), [1, 2, 3]);
    let cursors = ["start", "a%2Bb%2F%26%3D", "18446744073709551616"];
    let uris = cursors.map(|cursor| format!("{base}?per_page=2&cursor={cursor}"));
    assert_eq!(asked_uris(&world), uris);
    for end in ["null", "false", "\"\"", "{}"] {
        world.answers_api(200, &[], format!(r#"{{"items":[1],"next":{end}}}"#));
        let pages = list(&github).pages().by_cursor("next", "cursor");
        assert_eq!(items(pages).await.unwrap(), [1], "{end}");
    }
    world.answers_api(200, &[], r#"{"items":[1]}"#);
    assert_eq!(items(list(&github).pages().by_cursor("next", "c")).await.unwrap(), [1]);
    for _ in 0..3 {
        world.answers_api(200, &[], r#"{"items":[1],"next":"same"}"#);
    }
    let pages = list(&github).pages().by_cursor("next", "c");
    assert_eq!(items(pages).await.unwrap(), [1, 1], "the same cursor again is a circle");
    let error = items(list(&github).pages().by_cursor("a..b", "c")).await.unwrap_err();
    assert_eq!(error, OperatorError::CallMalformed.into());
}

#[tokio::test]
async fn pages_follow_a_url_in_the_body() {
    let world = World::new();
    let (_, github) = account(&world).await;
    world.answers_api(200, &[], r#"{"items":[1],"@odata.nextLink":"/list?skip=1"}"#);
    world.answers_api(
        200,
        &[],
        r#"{"items":[2],"@odata.nextLink":"https:\/\/api.github.com\/list?skip=2"}"#,
    );
    world.answers_api(200, &[], r#"{"items":[3],"@odata.nextLink":null}"#);
    let pages = list(&github).pages().by_member("@odata\\.nextLink");
    assert_eq!(items(pages).await.unwrap(), [1, 2, 3]);
    world.answers_api(200, &[], r#"{"items":[1],"paging":{"next":"https://evil.example/"}}"#);
    let error = items(list(&github).pages().by_member("paging.next")).await.unwrap_err();
    assert_eq!(error.code(), "service_page_elsewhere");
}

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_refreshed() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let (_, github) = account(&world).await;
    world.answers_api(200, &[("link", "<more>; rel=next")], "1");
    let mut pages = github.request(Method::GET, "list").pages::<Value>();
    assert_eq!(pages.next().await.unwrap().unwrap(), 1);
    world.wait(Duration::from_secs(3600));
    assert_eq!(pages.next().await.unwrap().unwrap()["path"], "/more");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    assert!(pages.next().await.is_none());
}
