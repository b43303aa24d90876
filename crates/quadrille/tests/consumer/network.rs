//! What happens on the way to a service, over real connections.

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Error, KeyRing, Linked, Login, Owner, SpecBuf,
    consumer::{Account, Dynamic, MemoryStorage, Token},
    transport::NetworkError,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::SITE;

async fn account(base: &str) -> Linked<Dynamic> {
    let spec = SpecBuf::oauth2(
        "acme",
        format!("{base}/authorize"),
        format!("{base}/token"),
        format!("{base}/api"),
    );
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(spec.client("our-id", "our-secret"))
        .storage(MemoryStorage::everyone_has("acme", Token::new("t")));
    let account = Account { owner: Owner::user(1), service: "acme".into(), subject: "".into() };
    login.linked_by_name(&account).await.unwrap()
}

/// Reads one request without a body; `false` at the end of the connection.
async fn request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => seen.push(byte[0]),
            _ => return false,
        }
    }
    true
}

#[tokio::test]
async fn a_kept_connection_that_the_service_closes_loses_no_get() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                assert!(request(&mut stream).await);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7").await.unwrap();
                // The next one is taken, and the connection closed without an answer.
                request(&mut stream).await;
            });
        }
    });
    let acme = account(&base).await;
    for _ in 0..20 {
        assert_eq!(acme.get::<u64>("x").await.unwrap(), 7);
    }
    assert!(connections.load(Ordering::SeqCst) > 1);
}

fn reason(error: &Error) -> NetworkError {
    let Error::Network { error, service, .. } = error else { panic!("{error:?}") };
    assert_eq!(&**service, "acme");
    *error
}

#[tokio::test]
async fn an_error_says_what_of_the_network_failed_and_goes_on_to_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // Answers a TLS client in plain text.
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 64]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for (base, expected, word) in [
        (format!("http://{closed}"), NetworkError::Refused, "refused"),
        ("http://no-such-host.localhost:1".to_owned(), NetworkError::Name, ""),
        (format!("https://localhost:{}", open.port()), NetworkError::Tls, ""),
    ] {
        let acme = account(&base).await;
        let error = acme.get::<u64>("x").await.unwrap_err();
        // Some resolvers know every name below localhost.
        if expected == NetworkError::Name && reason(&error) == NetworkError::Refused {
            continue;
        }
        assert_eq!(reason(&error), expected, "{base}: {error:?}");
        assert!(error.to_string().starts_with("acme: no connection"), "{error}");
        assert_eq!(error.code(), "service_unreachable");
        let mut chain = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push(error.to_string().to_lowercase());
            cause = error.source();
        }
        assert!(chain.len() >= 2, "{base}: {chain:?}");
        assert!(chain.last().unwrap().contains(word), "{base}: {chain:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let acme = account(&format!("http://{}", listener.local_addr().unwrap())).await;
    let call = acme.request(http::Method::GET, "x").deadline(Duration::from_millis(50));
    let error = call.send().await.unwrap_err();
    assert_eq!(reason(&error), NetworkError::TimedOut);
}
