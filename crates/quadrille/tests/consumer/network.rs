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
    consumer::{Account, Client, Dynamic, MemoryStorage, Token},
    transport::{NetworkError, Reqwest},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::support::SITE;

async fn account(base: &str) -> Linked<Dynamic> {
    account_of(base, |client| client).await
}

async fn account_of(base: &str, change: fn(Client<Dynamic>) -> Client<Dynamic>) -> Linked<Dynamic> {
    let spec = SpecBuf::oauth2(
        "acme",
        format!("{base}/authorize"),
        format!("{base}/token"),
        format!("{base}/api"),
    );
    account_with(change(spec.client("our-id", "our-secret"))).await
}

async fn account_with(client: Client<Dynamic>) -> Linked<Dynamic> {
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(client)
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

/// A server that sends each request these bytes, and closes the connection.
async fn sends(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(request(&mut stream).await);
            stream.write_all(bytes).await.unwrap();
        }
    });
    base
}

#[tokio::test]
async fn the_oddities_of_servers_are_read_as_browsers_read_them() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\n\r\n7"[..],
        b"HTTP/1.0 200 OK\r\n\r\n7",
        b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\n7",
        b"HTTP/1.1 200 D\xc3\xa9j\xc3\xa0\ncontent-length: 1\n\n7",
        b"HTTP/1.1 200 OK\r\nx-name: Ren\xe9\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n7",
        b"HTTP/1.1 200 OK\r\nx-name: a,\r\n b\r\ncontent-length: 1\r\n\r\n7",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\n7\r\n0\r\nx: y\r\n\r\n",
    ] {
        let seven = account(&sends(bytes).await).await.get::<u64>("x").await;
        assert_eq!(seven, Ok(7), "{}", bytes.escape_ascii());
    }
    for bytes in [
        &b""[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n7",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n7",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n7\r\n",
    ] {
        let cut = account(&sends(bytes).await).await.get::<u64>("x").await.unwrap_err();
        assert_eq!(reason(&cut), NetworkError::Interrupted, "{}", bytes.escape_ascii());
    }
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

/// Variables are those of a process, so this case of a test is a process of its own.
const PROXIED: &str = "QUADRILLE_TEST_OF_PROXIES";

#[tokio::test]
async fn the_environments_proxy_gets_no_request_to_this_machine() {
    if let Ok(base) = std::env::var(PROXIED) {
        assert_eq!(account(&base).await.get::<u64>("x").await.unwrap(), 7);
        let careless = Client::without_verifying_certificates_so_that_anyone_can_read_tokens;
        assert_eq!(account_of(&base, careless).await.get::<u64>("x").await.unwrap(), 7);
        let elsewhere = account("https://acme.example").await.get::<u64>("x").await;
        println!("told: {:?}", reason(&elsewhere.unwrap_err()));
        return;
    }
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = service.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = service.accept().await.unwrap();
            assert!(request(&mut stream).await);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n7";
            stream.write_all(answer).await.unwrap();
        }
    });
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy_url = format!("http://{}", proxy.local_addr().unwrap());
    let (lines, mut asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = proxy.accept().await.unwrap();
            let mut head = [0; 16];
            let _ = stream.read_exact(&mut head).await;
            lines.send(String::from_utf8_lossy(&head).into_owned()).unwrap();
        }
    });
    for host in ["127.0.0.1", "localhost"] {
        let output = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "network::the_environments_proxy_gets_no_request_to_this_machine"])
            .arg("--nocapture")
            .env(PROXIED, format!("http://{host}:{port}"))
            .envs(
                ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
                    .map(|name| (name, &*proxy_url)),
            )
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .await
            .unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert!(output.contains("told: "), "{host}: {output}");
        // The one request that is for the proxy.
        assert_eq!(asked.recv().await.unwrap(), "CONNECT acme.exa", "{host}");
        assert!(asked.try_recv().is_err(), "{host}");
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

/// A server with a certificate of its own for `localhost`, which answers each request with `7`.
async fn self_signed() -> String {
    let certificate = include_bytes!("self-signed.pem");
    let key = include_bytes!("self-signed-key.pem");
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(key).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n7";
            stream.write_all(answer).await.unwrap();
            let _ = stream.shutdown().await;
        }
    });
    base
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_accepted_for_the_service_that_says_so() {
    let base = self_signed().await;
    let authority = reqwest::Certificate::from_pem(include_bytes!("self-signed.pem")).unwrap();
    let trusting = || {
        let builder = reqwest::Client::builder().tls_certs_merge([authority.clone()]);
        Reqwest::new(builder.no_proxy()).unwrap()
    };
    let acme = |client: fn(Client<Dynamic>) -> Client<Dynamic>| account_of(&base, client);
    let error = acme(|client| client).await.get::<u64>("x").await.unwrap_err();
    assert_eq!(reason(&error), NetworkError::Tls, "{error:?}");
    let careless = Client::without_verifying_certificates_so_that_anyone_can_read_tokens;
    assert_eq!(acme(careless).await.get::<u64>("x").await.unwrap(), 7);
    let spec = SpecBuf::oauth2("acme", "authorize", "token", "api").hosted_at(base.clone());
    let one = spec.build().client("our-id", "our-secret").http(trusting());
    let acme = account_with(one).await;
    assert_eq!(acme.get::<u64>("x").await.unwrap(), 7);
}
