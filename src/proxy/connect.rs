//! Choosing a member and connecting to it, and to another when that fails.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::close::{Close, CloseReason};
use super::record::Record;
use super::stream::{Socket, Stream};
use super::trail::{Trail, Went};
use super::virtual_server::Snapshot;
use super::wait;
use crate::net;
use crate::pool::{Asker, MemberGuard, Served, SetupGuard};
use crate::tls::{TlsFacts, TlsFault};

/// A member that takes bytes.
pub(super) struct Connected {
    pub stream: Stream,
    pub guard: MemberGuard,
    /// Until the member has answered.
    pub setup: SetupGuard,
    /// When the connection was made.
    pub dialed: Instant,
}

/// Connects to the member that the pool chooses. A member that fails is left out and another chosen, up to the pool's
/// `reselect-tries`: no byte of the client's has gone anywhere yet, so nothing is lost.
pub(super) async fn to_a_member(
    snapshot: &Snapshot,
    trail: &Trail,
    client: &Socket,
    address: IpAddr,
    record: &mut Record,
) -> Result<Connected, Close> {
    let pool = &snapshot.pool;
    let mut tried = Vec::new();
    let mut failed: Option<Close> = None;
    for _ in 0..=pool.config.reselect_tries {
        let asker = Asker { client: address, persistence: &snapshot.persistence, tried: &tried };
        let gone = net::hung_up(&client.tcp);
        let choice = match wait::for_a_member(pool, asker, gone, record).await {
            Ok(choice) => choice,
            // What a member did says more than that no other is left.
            Err(close) => return Err(failed.unwrap_or(close)),
        };
        record.member = Some(choice.index);
        record.persisted = choice.persisted;
        record.tries += 1;
        trail.note(Went {
            client: address.to_canonical(),
            when: SystemTime::now(),
            member: pool.members[choice.index].key.clone(),
            persisted: choice.persisted,
            failed: tried.len(),
            queued: record.phases.queue,
        });
        match to_member(snapshot, choice.index, record).await {
            Ok(stream) => {
                let (guard, setup) = (choice.guard, choice.setup);
                return Ok(Connected { stream, guard, setup, dialed: Instant::now() });
            }
            Err(close) => {
                tracing::warn!(
                    virtual_server = %snapshot.config.name,
                    pool = %pool.config.name,
                    member = %pool.members[choice.index].key,
                    close.code = close.reason.code(),
                    detail = close.detail.as_deref(),
                    remedy = close.reason.remedy(),
                    "member failed a connection; choosing another",
                );
                let reason = close.detail.clone().unwrap_or_else(|| close.reason.to_string());
                pool.members[choice.index].live.served(Served::Failed(reason));
                tried.push(choice.index);
                failed = Some(close);
            }
        }
    }
    Err(failed.unwrap_or_else(|| CloseReason::NoMembers.into()))
}

async fn to_member(snapshot: &Snapshot, index: usize, record: &mut Record) -> Result<Stream, Close> {
    let started = Instant::now();
    let (tcp, address) = dial(snapshot, index).await?;
    record.phases.connect = Some(started.elapsed());
    record.member_address = Some(address);
    record.local_address = tcp.local_addr().ok();
    let socket = Socket::new(tcp);
    match &snapshot.member_tls {
        None => Ok(Stream::Plain(socket)),
        Some(members) => {
            let started = Instant::now();
            let tls = &members[index];
            let handshake = tls.connector().connect(tls.server_name.clone(), socket).into_fallible();
            match timeout(tls.handshake_timeout(), handshake).await {
                Ok(Ok(stream)) => {
                    record.phases.member_tls = Some(started.elapsed());
                    record.member_tls = Some(TlsFacts::of_member_side(stream.get_ref().1, tls));
                    Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
                }
                Ok(Err((error, _))) => Err(handshake_failed(&error)),
                Err(_) => Err(CloseReason::MemberHandshakeTimeout.into()),
            }
        }
    }
}

/// Connects to the first of a member's addresses that takes the connection, and tells which.
async fn dial(snapshot: &Snapshot, index: usize) -> Result<(TcpStream, SocketAddr), Close> {
    let member = &snapshot.pool.members[index];
    let profile = &snapshot.config.protocol;
    let mut failed = CloseReason::MemberUnreachable.because("its name does not resolve");
    for address in member.node.addresses().iter() {
        let address = SocketAddr::new(*address, member.key.port);
        failed = match timeout(profile.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => match net::tune(&tcp, profile) {
                Ok(()) => return Ok((tcp, address)),
                Err(error) => CloseReason::MemberUnreachable.because(format_args!("{address}: {error}")),
            },
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                CloseReason::MemberRefused.because(format_args!("{address}: {error}"))
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                CloseReason::MemberConnectTimeout.because(format_args!("{address}: {error}"))
            }
            Ok(Err(error)) => CloseReason::MemberUnreachable.because(format_args!("{address}: {error}")),
            Err(_) => CloseReason::MemberConnectTimeout
                .because(format_args!("{address} did not answer within {:?}", profile.connect_timeout)),
        };
    }
    Err(failed)
}

fn handshake_failed(error: &io::Error) -> Close {
    let fault = TlsFault::of_handshake(error);
    let reason = match &fault {
        TlsFault::NotTls => CloseReason::MemberPlaintext,
        TlsFault::AlertReceived { .. } => CloseReason::MemberHandshakeAlert,
        TlsFault::CertificateName(_) => CloseReason::MemberCertificateName,
        TlsFault::CertificateExpired | TlsFault::CertificateNotYetValid => CloseReason::MemberCertificateExpired,
        TlsFault::CertificateUntrusted => CloseReason::MemberCertificateUntrusted,
        TlsFault::CertificateRevoked | TlsFault::CertificateInvalid(_) | TlsFault::NoCertificateGiven => {
            CloseReason::MemberCertificateRefused
        }
        TlsFault::Closed | TlsFault::CloseNotifyMissing => CloseReason::MemberHandshakeFin,
        TlsFault::Reset => CloseReason::MemberHandshakeReset,
        TlsFault::ServerNameUnknown | TlsFault::ProtocolMismatch(_) | TlsFault::Other(_) => {
            CloseReason::MemberHandshakeFailed
        }
    };
    reason.because(format_args!("the member {}", fault.describe()))
}
