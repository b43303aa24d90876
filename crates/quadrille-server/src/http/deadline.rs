//! A stream whose peer must read the answer in time.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::places::Place;

/// A stream that fails if a flush takes longer than a limit. The time starts with the first write
/// that had to wait. A peer that reads a byte now and then gets no more time.
///
/// Hyper has no such limit, and flushes after the whole answer.
#[derive(Debug)]
pub(super) struct WriteDeadline<S> {
    stream: S,
    limit: Duration,
    /// The place that learns whether answers are read.
    place: Option<Arc<Place>>,
    /// Set while data waits to be written.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncWrite + Unpin> WriteDeadline<S> {
    pub(super) const fn new(stream: S, limit: Duration, place: Option<Arc<Place>>) -> Self {
        Self { stream, limit, place, end: None }
    }

    /// The outcome of a write, or an error after the deadline.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            return outcome;
        }
        if let Some(place) = &self.place {
            place.is_unread();
        }
        let limit = self.limit;
        let end = self.end.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(end.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer is not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.in_time(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(outcome, Poll::Ready(Ok(())))
            && let (Some(_), Some(place)) = (self.end.take(), &self.place)
        {
            place.is_read();
        }
        self.in_time(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_a_byte_now_and_then_gets_no_more_time_than_one_that_reads_nothing() {
        for pause in [LIMIT * 100, LIMIT / 4] {
            let (ours, mut theirs) = duplex(8);
            let mut ours = WriteDeadline::new(ours, LIMIT, None);
            let reading = tokio::spawn(async move {
                loop {
                    tokio::time::sleep(pause).await;
                    if !matches!(theirs.read(&mut [0; 1]).await, Ok(1)) {
                        break;
                    }
                }
            });
            let answer = async {
                ours.write_all(&[b'x'; 100]).await?;
                ours.flush().await
            };
            let outcome = tokio::time::timeout(LIMIT + LIMIT / 10, answer).await;
            let error = outcome.expect("it ends in time").expect_err("nobody read it");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{pause:?}");
            reading.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_the_whole_time() {
        let (ours, mut theirs) = duplex(8);
        let mut ours = WriteDeadline::new(ours, LIMIT, None);
        let reading = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(LIMIT * 8 / 10).await;
                theirs.read_exact(&mut [0; 12]).await.unwrap();
            }
        });
        for _ in 0..5 {
            ours.write_all(&[b'x'; 12]).await.unwrap();
            ours.flush().await.unwrap();
        }
        reading.await.unwrap();
    }
}
