//! Requests over connections that are new, kept, or closing.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
    time,
};

use super::*;

/// A server that keeps its connections, and the number of the connection of each request.
async fn server() -> (String, mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (numbers, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let numbers = numbers.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    stream.write_all(answer).await.unwrap();
                    numbers.send(number).unwrap();
                }
            });
        }
    });
    (url, received)
}

/// The numbers of the connections of four requests: two at once, one after a second, one after
/// a minute.
async fn connections(client: impl HttpClient, purpose: Purpose) -> Vec<usize> {
    let (url, mut numbers) = server().await;
    let mut seen = Vec::new();
    for pause in [0, 0, 1, 60] {
        time::pause();
        time::advance(Duration::from_millis(pause * 1000 + 1)).await;
        time::resume();
        let request = Request::post(&url).body(Body::from(Bytes::from("a=b"))).unwrap();
        let answer = client.send(request, purpose).await.unwrap();
        assert_eq!(answer.into_body().collect(9).await.unwrap(), "ok");
        seen.push(numbers.recv().await.unwrap());
    }
    seen
}

#[tokio::test]
async fn a_request_that_is_valid_once_meets_no_connection_unused_for_a_second() {
    for purpose in [Purpose::RedeemCode, Purpose::Refresh, Purpose::TemporaryCredentials] {
        let direct = Direct::to(|_| true).unwrap();
        assert_eq!(connections(direct, purpose).await, [1, 1, 2, 3], "{purpose:?}");
    }
}

#[tokio::test]
async fn a_request_for_an_identity_takes_the_connection_of_the_token_before() {
    let (url, mut numbers) = server().await;
    let direct = Direct::to(|_| true).unwrap();
    for purpose in [Purpose::RedeemCode, Purpose::Identity, Purpose::Api] {
        let request = Request::get(&url).body(Body::default()).unwrap();
        let answer = HttpClient::send(&direct, request, purpose).await.unwrap();
        assert_eq!(answer.into_body().collect(9).await.unwrap(), "ok");
    }
    let used = [numbers.recv().await, numbers.recv().await, numbers.recv().await];
    assert_eq!(used, [1, 1, 2].map(Some));
}

#[tokio::test]
async fn other_requests_keep_their_connection_for_a_minute() {
    for purpose in [Purpose::Identity, Purpose::Api] {
        let direct = Direct::to(|_| true).unwrap();
        assert_eq!(connections(direct, purpose).await, [1, 1, 1, 2], "{purpose:?}");
    }
}
