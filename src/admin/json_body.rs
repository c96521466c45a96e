//! A JSON answer that is written while it is read, no faster than the reader takes it.

use std::convert::Infallible;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// Returns a body of the JSON of `value`, which is written on a thread that may block.
pub(super) fn json_body<T: Serialize + Send + 'static>(value: T) -> Body {
    let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
    spawn_blocking(move || {
        let mut json = BufWriter::with_capacity(CHUNK, ChunkSender(sender));
        // It fails when the reader has left, who then misses nothing.
        let _ = serde_json::to_writer(&mut json, &value).map_err(io::Error::from).and_then(|()| json.flush());
    });
    Body::new(Chunks(chunks))
}

/// Sends chunks, and waits while the reader is behind.
struct ChunkSender(mpsc::Sender<Bytes>);

impl Write for ChunkSender {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(chunk));
        sent.map(|()| chunk.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The chunks, as a body.
struct Chunks(mpsc::Receiver<Bytes>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(task).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

/// Bytes that are sent at once.
const CHUNK: usize = 64 * 1024;
/// How many chunks may wait to be read.
pub(super) const CHUNKS_AHEAD: usize = 4;
