//! Connections of probes, with or without TLS.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::limit::Limit;
use crate::impala::{answered_instead_of_tls, is_tls_record};
use crate::monitor::outcome::Outcome;
use crate::net::{self, NotConnected, Shortage, Socket};
use crate::reading::os_reason;
use crate::tls::{MemberTls, TlsFault};

/// Why a probe has no answer.
#[derive(Debug)]
pub(in crate::monitor) struct Failure {
    pub reason: String,
    pub how: How,
}

/// How a probe came to have no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The probe could not be made for want of what pronk itself lacks.
    NotMade,
    /// The host refuses the connection: nothing listens there.
    Refused,
    /// No connection was made in time.
    Unreached,
    /// A connection was made, and nothing came on it in time.
    Silent,
    /// The other side ended the connection, or spoke another protocol on it.
    Ended,
    /// The other side answered a TLS hello by ending the connection, or in another protocol.
    NotTls,
    /// The other side answered plaintext in TLS.
    Tls,
    Other,
}

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), how: How::Other }
    }

    pub(crate) fn silent(reason: String) -> Self {
        Self { how: How::Silent, ..Self::new(reason) }
    }

    pub(crate) fn ended(reason: String) -> Self {
        Self { how: How::Ended, ..Self::new(reason) }
    }

    /// `what` was tried.
    pub(crate) fn of_connecting(failure: &NotConnected, what: impl fmt::Display) -> Self {
        let how = match failure {
            NotConnected::Short(_) | NotConnected::Options(_) => How::NotMade,
            NotConnected::Failed(error) if error.kind() == ErrorKind::ConnectionRefused => How::Refused,
            NotConnected::Failed(_) | NotConnected::NoSource => How::Other,
        };
        Self { how, ..Self::new(failure.to_string()) }.at(what)
    }

    /// For want of this, `what` was not done.
    pub(crate) fn for_want_of(shortage: Shortage, what: impl fmt::Display) -> Self {
        Self { how: How::NotMade, ..Self::new(format!("{what}: pronk is {shortage}")) }
    }

    /// Puts where it failed before the reason.
    pub(crate) fn at(self, whom: impl fmt::Display) -> Self {
        Self { reason: format!("{whom}: {}", self.reason), ..self }
    }

    pub(crate) fn is_not_made(&self) -> bool {
        self.how == How::NotMade
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure.how {
            How::NotMade => Self::NotMade(failure.reason),
            How::Unreached | How::Silent => Self::Silent(failure.reason),
            How::Refused | How::Ended | How::NotTls | How::Tls | How::Other => Self::Fails(failure.reason),
        }
    }
}

pub(in crate::monitor) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects within `limit`.
pub(super) async fn connect(address: SocketAddr, limit: Limit) -> Result<TcpStream, Failure> {
    match limit.keep(net::connect(address)).await {
        Ok(Ok(tcp)) => Ok(tcp),
        Ok(Err(failure)) => Err(Failure::of_connecting(&failure, format_args!("cannot connect to {address}"))),
        Err(_) => {
            Err(Failure { how: How::Unreached, ..Failure::new(format!("{address} did not answer within {limit}")) })
        }
    }
}

/// Connects, and finishes the TLS handshake where there is TLS, within `limit`. The handshake must be done within the
/// profile's handshake-timeout too, as that of a connection.
pub(in crate::monitor) async fn open(
    address: SocketAddr,
    tls: Option<&MemberTls>,
    limit: Limit,
) -> Result<Box<dyn Stream>, Failure> {
    let tcp = connect(address, limit).await?;
    // Small questions must not wait for acknowledgements; a socket that is gone fails when it is used.
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(tcp)) };
    let limit = limit.within(tls.handshake_timeout());
    let handshake = tls.connector().connect(tls.server_name.clone(), Socket::new(tcp)).into_fallible();
    match limit.keep(handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err((error, socket))) => {
            let fault = TlsFault::of_handshake(&error);
            let opening = socket.opening();
            let how = match fault {
                TlsFault::NotTls | TlsFault::Closed | TlsFault::Reset if !is_tls_record(opening) => How::NotTls,
                _ => How::Other,
            };
            let what = match fault {
                TlsFault::NotTls => format!("speaks {}", answered_instead_of_tls(opening)),
                fault => fault.describe(),
            };
            Err(Failure { how, ..Failure::new(format!("TLS with {address} failed: it {what}")) })
        }
        Err(_) => Err(Failure::silent(format!("{address} did not finish the TLS handshake within {limit}"))),
    }
}

/// Sends `question`, reads until `is_whole` says that the answer is there, and closes. At most `most` bytes are read:
/// `None` is an answer that is longer.
pub(in crate::monitor) async fn exchange<T>(
    mut stream: Box<dyn Stream>,
    question: &[u8],
    most: usize,
    is_whole: impl Fn(&[u8]) -> Option<T>,
    limit: Limit,
) -> Result<Option<T>, Failure> {
    let mut answer = Vec::new();
    let talk = async {
        stream.write_all(question).await.and(stream.flush().await).map_err(|error| broken(&error, 0))?;
        loop {
            if let Some(whole) = is_whole(&answer) {
                return Ok(Some(whole));
            }
            if answer.len() >= most {
                return Ok(None);
            }
            match (&mut stream).take((most - answer.len()) as u64).read_buf(&mut answer).await {
                Ok(0) => return Err(Failure::ended(closed(answer.len()))),
                Ok(_) => {}
                Err(error) => return Err(broken(&error, answer.len())),
            }
        }
    };
    let Ok(answered) = limit.keep(talk).await else {
        return Err(match answer.len() {
            0 => silence(limit),
            _ => Failure::new(format!("it begins an answer and does not end it within {limit}")),
        });
    };
    // A goodbye, where TLS has one, so that the daemon logs no truncation; it may have gone already.
    let _ = limit.within(GOODBYE).keep(stream.shutdown()).await;
    answered
}

/// The failure of a port that takes a connection and says nothing on it.
pub(super) fn silence(limit: Limit) -> Failure {
    Failure::silent(format!("it takes the connection and answers nothing within {limit}"))
}

fn broken(error: &std::io::Error, had: usize) -> Failure {
    match error.kind() {
        ErrorKind::UnexpectedEof => Failure::ended(closed(had)),
        _ => Failure::ended(format!("it ended the connection: {}", os_reason(error))),
    }
}

fn closed(had: usize) -> String {
    match had {
        0 => "it closed the connection without an answer".to_owned(),
        _ => "it closed the connection within its answer".to_owned(),
    }
}

/// How long the end of a connection may take.
pub(super) const GOODBYE: Duration = Duration::from_millis(500);
