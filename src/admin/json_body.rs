//! A JSON answer that is written while it is read, no faster than the reader takes it.

use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// Returns a body of the JSON of `value`, which is written on a thread that may block. What is not read within `limit`
/// is cut off, so that `value` is not kept for a slow reader.
pub(super) fn json_body<T: Serialize + Send + 'static>(value: T, limit: Option<Duration>) -> Body {
    let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let until = limit.map(|limit| Instant::now() + limit);
    let sender = ChunkSender { sender, until, runtime: Handle::current(), is_late: false };
    let is_whole = Arc::new(AtomicBool::new(false));
    let whole = Arc::clone(&is_whole);
    spawn_blocking(move || {
        let mut json = BufWriter::with_capacity(CHUNK, sender);
        // It fails when the reader has left, who then misses nothing, or is too slow.
        let written = serde_json::to_writer(&mut json, &value).map_err(io::Error::from).and_then(|()| json.flush());
        whole.store(written.is_ok(), Ordering::Relaxed);
    });
    Body::new(Chunks { chunks, is_whole })
}

/// Sends chunks, and waits while the reader is behind.
struct ChunkSender {
    sender: mpsc::Sender<Bytes>,
    until: Option<Instant>,
    runtime: Handle,
    /// Whether the reader did not take all in time.
    is_late: bool,
}

impl Write for ChunkSender {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        // What is left of the buffer comes once more when it is dropped.
        if self.is_late {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let bytes = Bytes::copy_from_slice(chunk);
        let sent = match self.until {
            Some(until) => self.runtime.block_on(timeout_at(until, self.sender.send(bytes))),
            None => Ok(self.sender.blocking_send(bytes)),
        };
        let Ok(sent) = sent else {
            self.is_late = true;
            return Err(io::ErrorKind::TimedOut.into());
        };
        sent.map(|()| chunk.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The chunks, as a body.
struct Chunks {
    chunks: mpsc::Receiver<Bytes>,
    /// Whether all was sent; it is set before the channel ends.
    is_whole: Arc<AtomicBool>,
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.chunks.poll_recv(task).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(Frame::data(chunk))),
            None if self.is_whole.load(Ordering::Relaxed) => None,
            // Its end must not look like that of a whole answer.
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }
}

/// Bytes that are sent at once.
const CHUNK: usize = 64 * 1024;
/// How many chunks may wait to be read.
pub(super) const CHUNKS_AHEAD: usize = 4;
