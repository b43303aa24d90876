//! The guarded fetcher, against servers that would lead it astray.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::provider::{FetchError, Fetched, Fetcher as _, GuardedFetcher};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use url::Url;

/// Answers every connection with these bytes and closes it, or keeps it open in silence.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn answering(answer: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let Some(answer) = &answer else {
                    open.push(stream);
                    continue;
                };
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                // Whoever has seen enough hangs up.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, connections }
    }

    async fn json(status: &str, headers: &str, body: &str) -> Self {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Self::answering(Some(head + body)).await
    }

    fn url(&self) -> Url {
        Url::parse(&format!("http://{}/client.json", self.address)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A server for `localhost` with a certificate of its own authority.
async fn of_its_own_authority() -> Url {
    let certificate = include_bytes!("../consumer/self-signed.pem");
    let key = include_bytes!("../consumer/self-signed-key.pem");
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(key).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.shutdown().await;
        }
    });
    Url::parse(&format!("https://localhost:{port}/client.json")).unwrap()
}

#[tokio::test]
async fn a_further_authority_is_trusted_and_no_further_address_reached() {
    let url = of_its_own_authority().await;
    let authority = include_bytes!("../consumer/self-signed.pem");
    assert_eq!(open().fetch(&url).await, Err(FetchError::Unreachable));
    let trusting = open().further_authorities(authority).unwrap();
    assert_eq!(trusting.fetch(&url).await, Ok(Fetched::new("{}")));
    let guarded = GuardedFetcher::new().unwrap().further_authorities(authority).unwrap();
    assert_eq!(guarded.fetch(&url).await, Err(FetchError::NotPublic));
    assert!(GuardedFetcher::new().unwrap().further_authorities(b"no certificate").is_err());
}

const JSON: &str = "content-type: application/json\r\n";

fn open() -> GuardedFetcher {
    GuardedFetcher::that_strangers_can_send_to_services_on_this_machine().unwrap()
}

#[tokio::test]
async fn a_document_comes_with_how_long_it_may_be_kept() {
    let headers = format!("{JSON}cache-control: max-age=600\r\n");
    let server = Server::json("200 OK", &headers, "{}").await;
    let fetched = open().fetch(&server.url()).await;
    assert_eq!(fetched, Ok(Fetched::new("{}").max_age(Duration::from_secs(600))));
}

#[tokio::test]
async fn nothing_is_connected_to_on_this_machine_by_address_or_by_name() {
    let server = Server::json("200 OK", JSON, "{}").await;
    let fetcher = GuardedFetcher::new().unwrap();
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        let url = Url::parse(&format!("https://{host}:{port}/client.json")).unwrap();
        assert_eq!(fetcher.fetch(&url).await, Err(FetchError::NotPublic), "{url}");
    }
    assert_eq!(fetcher.fetch(&server.url()).await, Err(FetchError::Url), "plain http");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn private_networks_stay_closed_even_when_this_machine_is_open() {
    for host in ["10.0.0.1", "192.168.0.1", "169.254.169.254", "[fd00::1]", "[fe80::1]"] {
        let url = Url::parse(&format!("https://{host}/")).unwrap();
        assert_eq!(open().fetch(&url).await, Err(FetchError::NotPublic), "{url}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::json("200 OK", JSON, "{}").await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let headers = format!("{JSON}location: {}\r\n", target.url());
        let server = Server::json(status, &headers, "{}").await;
        let code = status.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(open().fetch(&server.url()).await, Err(FetchError::Status(code)));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn only_a_200_of_json_that_is_not_too_long_is_taken() {
    let long = "x".repeat(64 * 1024 + 1);
    let fits = "x".repeat(64 * 1024);
    let compressed = &*format!("{JSON}content-encoding: gzip\r\n");
    for (status, headers, body, error) in [
        ("404 Not Found", JSON, "{}", Some(FetchError::Status(404))),
        ("500 Oops", JSON, "{}", Some(FetchError::Status(500))),
        ("201 Created", JSON, "{}", Some(FetchError::Status(201))),
        ("200 OK", "content-type: text/html\r\n", "{}", Some(FetchError::ContentType)),
        ("200 OK", "", "{}", Some(FetchError::ContentType)),
        ("200 OK", compressed, "{}", Some(FetchError::Compressed)),
        ("200 OK", JSON, &long, Some(FetchError::TooLarge)),
        ("200 OK", JSON, &fits, None),
    ] {
        let server = Server::json(status, headers, body).await;
        assert_eq!(open().fetch(&server.url()).await.err(), error, "{status} {headers}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n{long}{long}");
    let server = Server::answering(Some(endless)).await;
    assert_eq!(open().fetch(&server.url()).await.err(), Some(FetchError::TooLarge));
}

#[tokio::test]
async fn what_is_no_http_or_not_there_is_unreachable() {
    let server = Server::answering(Some("SSH-2.0-x\r\n".to_owned())).await;
    assert_eq!(open().fetch(&server.url()).await, Err(FetchError::Unreachable));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{gone}/client.json")).unwrap();
    assert_eq!(open().fetch(&url).await, Err(FetchError::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn who_is_slow_is_not_waited_for_nor_is_a_queue_of_them() {
    let server = Server::answering(None).await;
    let fetcher = Arc::new(open().deadline(Duration::from_secs(3)));
    let fetches: Vec<_> = (0..40)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), server.url());
            tokio::spawn(async move { fetcher.fetch(&url).await })
        })
        .collect();
    let mut timed_out = 0;
    for fetch in fetches {
        match fetch.await.unwrap() {
            Err(FetchError::TimedOut) => timed_out += 1,
            other => assert_eq!(other, Err(FetchError::Busy), "it never began"),
        }
    }
    // The fetches of the second three seconds began when the first four had ended.
    assert!((4..=8).contains(&timed_out), "{timed_out}");
    assert!(server.connections() <= timed_out, "no more than that");
}

#[tokio::test]
async fn slow_hosts_of_one_site_do_not_delay_others() {
    let slow = Server::answering(None).await;
    let good = Server::json("200 OK", JSON, "{}").await;
    let fetcher = Arc::new(open().deadline(Duration::from_secs(30)));
    for _ in 0..100 {
        let (fetcher, url) = (fetcher.clone(), slow.url());
        tokio::spawn(async move { fetcher.fetch(&url).await });
    }
    while slow.connections() < 4 {
        tokio::task::yield_now().await;
    }
    // Another host by its name, at the same address.
    let url = format!("http://localhost:{}/client.json", good.address.port());
    assert_eq!(fetcher.fetch(&Url::parse(&url).unwrap()).await, Ok(Fetched::new("{}")));
    assert_eq!(slow.connections(), 4);
}
