//! Forms with files.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use quadrille::{
    Error, KeyRing, Login, SpecBuf,
    consumer::{Multipart, OperatorError, Part, Token},
    transport::{Body, Purpose},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    calls::{Pieces, account, last},
    support::{SITE, World},
};

/// The parts of a form as a server reads them: headers and content.
fn parts(request: &Request<Bytes>) -> Vec<(String, String)> {
    let content_type = request.headers()["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let body = body.strip_suffix(&format!("--{boundary}--\r\n")).unwrap();
    let between = format!("--{boundary}\r\n");
    let mut parts = body.split(&between);
    assert_eq!(parts.next(), Some(""));
    parts
        .map(|part| {
            let (head, content) = part.split_once("\r\n\r\n").unwrap();
            (head.to_owned(), content.strip_suffix("\r\n").unwrap().to_owned())
        })
        .collect()
}

fn photo(content: impl Into<Body>) -> Part {
    Part::new(content).file_name("a \"b\"\r\nc\\ü.png", "image/png")
}

#[tokio::test]
async fn a_form_has_fields_and_files_with_any_name() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let json = Part::new(Bytes::from("{}")).content_type("application/json");
    let form = Multipart::new()
        .text("title", "Ünter den\r\n--Linden")
        .part("photo", photo(Bytes::from("PNG\r\n\r\n")))
        .part("na\"me\n", json)
        .text("empty", "");
    github.request(Method::POST, "photos").multipart_body(form).send().await.unwrap();
    let head =
        |name: &str, more: &str| format!("content-disposition: form-data; name=\"{name}\"{more}");
    let file = "; filename=\"a %22b%22%0D%0Ac\\ü.png\"\r\ncontent-type: image/png";
    let expected = [
        (head("title", ""), "Ünter den\r\n--Linden".to_owned()),
        (head("photo", file), "PNG\r\n\r\n".to_owned()),
        (head("na%22me%0A", "\r\ncontent-type: application/json"), "{}".to_owned()),
        (head("empty", ""), String::new()),
    ];
    let first = last(&world);
    assert_eq!(parts(&first), expected);
    github.request(Method::POST, "x").multipart_body(Multipart::new()).send().await.unwrap();
    assert_eq!(parts(&last(&world)), []);
    assert_ne!(last(&world).headers()["content-type"], first.headers()["content-type"]);
    let evil = Part::new(Bytes::new()).content_type("text/plain\r\nx: y");
    let call = github.request(Method::POST, "x").multipart_body(Multipart::new().part("a", evil));
    assert_eq!(call.send().await.unwrap_err(), OperatorError::CallMalformed.into());
}

#[tokio::test]
async fn a_file_streams_and_its_length_is_declared_if_known() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let send = async |part: Part| {
        let form = Multipart::new().text("title", "t").part("photo", part);
        github.request(Method::POST, "photos").multipart_body(form).send().await
    };
    send(photo(Pieces::of(["one", "two"]))).await.unwrap();
    let streamed = last(&world);
    assert_eq!(parts(&streamed)[1].1, "onetwo");
    assert!(!streamed.headers().contains_key("content-length"));
    send(photo(Pieces::of(["one", "two"])).length(6)).await.unwrap();
    let measured = last(&world);
    assert_eq!(parts(&measured)[1].1, "onetwo");
    assert_eq!(measured.headers()["content-length"], measured.body().len().to_string());
    for wrong in [5, 7, 0] {
        let error = send(photo(Pieces::of(["one", "two"])).length(wrong)).await.unwrap_err();
        assert_eq!(error.code(), "service_interrupted", "{wrong}");
    }
}

#[tokio::test]
async fn a_form_of_whole_parts_is_sent_again_after_a_refresh_and_a_stream_is_not() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let (_, github) = account(&world).await;
    let send = async |content: Body| {
        let form = Multipart::new().part("photo", photo(content));
        github.request(Method::POST, "photos").multipart_body(form).send().await
    };
    world.wait(Duration::from_secs(60));
    world.service.ends_access_tokens();
    send(Bytes::from("PNG").into()).await.unwrap();
    assert_eq!(parts(&last(&world))[0].1, "PNG");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    world.wait(Duration::from_secs(60));
    world.service.ends_access_tokens();
    let before = world.service.times_asked(Purpose::Api);
    let Error::Api { status, .. } = send(Pieces::of(["PNG"])).await.unwrap_err() else { panic!() };
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.service.times_asked(Purpose::Api), before + 1);
}

#[tokio::test]
async fn a_streamed_file_goes_over_the_wire_with_its_length_or_in_chunks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api", listener.local_addr().unwrap());
    let spec = SpecBuf::oauth2("acme", format!("{base}/a"), format!("{base}/t"), base);
    let login = Login::new(KeyRing::ephemeral(), SITE).with(spec.client("our-id", "our-secret"));
    let acme = login.api("acme", Token::new("t")).await.unwrap();
    for length in [Some(6), None] {
        let mut file = photo(Pieces::of(["one", "two"]));
        if let Some(length) = length {
            file = file.length(length);
        }
        let call = acme.request(Method::POST, "photos");
        let call = call.multipart_body(Multipart::new().part("photo", file)).json::<u64>();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut seen, end) =
                (Vec::new(), if length.is_some() { "--\r\n" } else { "0\r\n\r\n" });
            while !seen.ends_with(end.as_bytes()) {
                assert!(stream.read_buf(&mut seen).await.unwrap() > 0);
            }
            let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n7";
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(seen).unwrap()
        };
        let (answered, seen) = tokio::join!(call, serve);
        assert_eq!(answered.unwrap(), 7);
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        let declares = |header: &str| head.lines().any(|line| line == header);
        assert_eq!(
            declares(&format!("content-length: {}", body.len())),
            length.is_some(),
            "{head}"
        );
        assert_eq!(declares("transfer-encoding: chunked"), length.is_none(), "{head}");
        assert_eq!(body.contains("onetwo"), length.is_some());
    }
}
