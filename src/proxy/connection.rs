//! The life of one connection, from accept to its record in the log.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::admission::{self, Enters, Place};
use super::close::{Close, CloseReason};
use super::connect::{self, Connected};
use super::down;
use super::lifecycle::Lifecycle;
use super::meter::Meter;
use super::record::Record;
use super::relay::{End, Flow, Outcome, Relay, Side};
use super::stream::Stream;
use super::virtual_server::{LiveVirtualServer, Snapshot};
use crate::impala::{Opening, is_tls_record};
use crate::model::profile::Protocol;
use crate::model::{Dial, ServiceDownAction};
use crate::net::{self, Socket};
use crate::pool::Served;
use crate::tls::{TlsFacts, TlsFault};

/// A client that was accepted and not yet heard.
pub(super) struct Accepted {
    socket: Socket,
    context: Context,
}

/// A client whose TLS handshake is done, where the virtual server has one.
struct Handshaken {
    client: Stream,
    context: Context,
}

/// What every stage knows of the connection.
struct Context {
    client: SocketAddr,
    /// The configuration that it goes by.
    snapshot: Arc<Snapshot>,
    virtual_server: Arc<LiveVirtualServer>,
    lifecycle: Lifecycle,
}

impl Accepted {
    pub fn new(
        tcp: TcpStream,
        client: SocketAddr,
        virtual_server: Arc<LiveVirtualServer>,
        lifecycle: Lifecycle,
    ) -> Self {
        let snapshot = virtual_server.snapshot.load_full();
        let context = Context { client, snapshot, virtual_server, lifecycle };
        Self { socket: Socket::new(tcp), context }
    }
}

/// Serves a client to the end and writes its record.
pub(super) async fn serve(accepted: Accepted) {
    let virtual_server = Arc::clone(&accepted.context.virtual_server);
    let Context { client, snapshot, .. } = &accepted.context;
    let mut record = Record::new(snapshot, *client, accepted.socket.tcp.local_addr().ok());
    let close = life(accepted, &mut record).await.unwrap_or_else(|early| early);
    virtual_server.count_close(close.reason);
    record.write(&close);
}

async fn life(accepted: Accepted, record: &mut Record) -> Result<Close, Close> {
    // The virtual server counts it until the end.
    let _place = accepted.admit().await?;
    let lifecycle = accepted.context.lifecycle.clone();
    // Boxed, so that what only the beginning needs is freed before the relay, which lasts.
    let beginning = Box::pin(async {
        let mut handshaken = accepted.handshake(record).await?;
        let mut inbound = Flow::default();
        if handshaken.context.snapshot.config.dial == Dial::FirstByte {
            handshaken.first_bytes(&mut inbound, record).await?;
        }
        let connected = handshaken.connect(record).await?;
        Ok::<_, Close>((handshaken, inbound, connected))
    });
    let (mut handshaken, mut inbound, mut connected) = tokio::select! {
        biased;
        begun = beginning => begun?,
        () = lifecycle.ends() => return Err(CloseReason::Drained.into()),
    };
    loop {
        match handshaken.relay(&mut inbound, connected, record).await {
            Relayed::Ended(close) => return Ok(close),
            Relayed::Unserved => {
                connected = tokio::select! {
                    biased;
                    moved = Box::pin(handshaken.connect(record)) => moved?,
                    () = lifecycle.ends() => return Err(CloseReason::Drained.into()),
                }
            }
        }
    }
}

/// How a relay ended.
enum Relayed {
    Ended(Close),
    /// The member went down before anything passed, and another may serve.
    Unserved,
}

impl Accepted {
    /// Lets the client in, if the virtual server's rules do.
    async fn admit(&self) -> Result<Place, Close> {
        let Context { client, snapshot, virtual_server, lifecycle } = &self.context;
        let entering = Enters { virtual_server, now: Instant::now().into_std() };
        let refusal = match admission::decide(snapshot, client.ip(), entering.now, &entering, |_| ()) {
            Ok(place) => return Ok(place),
            Err(refusal) => refusal,
        };
        if refusal.place.is_some() {
            let idle = snapshot.config.protocol.idle_timeout;
            Box::pin(down::hold_in_silence(&self.socket.tcp, idle, lifecycle.ends())).await;
        }
        net::reset_on_close(&self.socket.tcp);
        Err(refusal.why.close(&snapshot.pool.config.name))
    }

    async fn handshake(self, record: &mut Record) -> Result<Handshaken, Close> {
        let Self { socket, context } = self;
        let Some(profile) = &context.snapshot.client_ssl else {
            return Ok(Handshaken { client: Stream::Plain(socket), context });
        };
        let started = Instant::now();
        let handshake = profile.acceptor().accept(socket).into_fallible();
        let (error, socket) = match timeout(profile.handshake_timeout(), handshake).await {
            Ok(Ok(tls)) => {
                record.phases.client_tls = Some(started.elapsed());
                record.opening = Opening::of(tls.get_ref().0.opening());
                record.client_tls = Some(TlsFacts::of_client_side(tls.get_ref().1));
                let client = Stream::Tls(Box::new(TlsStream::Server(tls)));
                return Ok(Handshaken { client, context });
            }
            Ok(Err(failed)) => failed,
            Err(_) => return Err(CloseReason::ClientHandshakeTimeout.into()),
        };
        record.opening = Opening::of(socket.opening());
        // A client that speaks no TLS cannot read an alert; a reset it understands at once.
        net::reset_on_close(&socket.tcp);
        let fault = TlsFault::of_handshake(&error);
        let reason = match &fault {
            TlsFault::NotTls => {
                let words = record.opening.describe();
                return Err(CloseReason::ClientPlaintext.because(format_args!("the client speaks {words}")));
            }
            TlsFault::AlertReceived { .. } => CloseReason::ClientHandshakeAlert,
            TlsFault::CertificateExpired
            | TlsFault::CertificateNotYetValid
            | TlsFault::CertificateName(_)
            | TlsFault::CertificateUntrusted
            | TlsFault::CertificateRevoked
            | TlsFault::CertificateInvalid(_)
            | TlsFault::NoCertificateGiven => CloseReason::ClientCertificateRefused,
            TlsFault::Closed | TlsFault::CloseNotifyMissing if socket.opening().is_empty() => {
                return Err(CloseReason::ClientLeftSilent.into());
            }
            TlsFault::Closed | TlsFault::CloseNotifyMissing => CloseReason::ClientHandshakeFin,
            TlsFault::Reset => CloseReason::ClientHandshakeReset,
            TlsFault::ServerNameUnknown | TlsFault::ProtocolMismatch(_) | TlsFault::Other(_) => {
                CloseReason::ClientHandshakeFailed
            }
        };
        Err(reason.because(format_args!("the client {}", fault.describe())))
    }
}

impl Handshaken {
    /// Waits until the client speaks, and keeps what it says.
    async fn first_bytes(&mut self, inbound: &mut Flow, record: &mut Record) -> Result<(), Close> {
        let started = Instant::now();
        let idle = self.context.snapshot.config.protocol.idle_timeout;
        let first = inbound.first(&mut self.client);
        let first = match idle {
            Some(idle) => timeout(idle, first).await.map_err(|_| Close::from(CloseReason::ClientSilent))?,
            None => first.await,
        };
        record.phases.first_byte = Some(started.elapsed());
        match first {
            Ok(true) => {
                record.opening = Opening::of(self.client.socket().opening());
                let config = &self.context.snapshot.config;
                if record.opening == Opening::Tls && config.client_ssl.is_none() && config.server_ssl.is_some() {
                    // TLS within TLS would leave both sides waiting.
                    net::reset_on_close(&self.client.socket().tcp);
                    return Err(CloseReason::ClientTlsUnexpected.into());
                }
                Ok(())
            }
            Ok(false) => Err(CloseReason::ClientLeftSilent.into()),
            Err(error) => {
                let fault = TlsFault::of_relay(&error);
                let reason = match &fault {
                    TlsFault::CloseNotifyMissing => return Err(CloseReason::ClientLeftSilent.into()),
                    TlsFault::Reset => return Err(CloseReason::ClientResetSilent.into()),
                    TlsFault::AlertReceived { .. } => CloseReason::ClientHandshakeAlert,
                    _ => CloseReason::ClientTlsFailed,
                };
                Err(reason.because(format_args!("the client {}", fault.describe())))
            }
        }
    }

    async fn connect(&mut self, record: &mut Record) -> Result<Connected, Close> {
        let Context { client, snapshot, virtual_server, .. } = &mut self.context;
        let connected = connect::to_a_member(virtual_server, snapshot, self.client.socket(), client.ip(), record).await;
        if connected.is_err() {
            net::reset_on_close(&self.client.socket().tcp);
        }
        connected
    }

    /// Passes bytes until the end, and leaves both sides as they should see it.
    async fn relay(&mut self, inbound: &mut Flow, connected: Connected, record: &mut Record) -> Relayed {
        let Connected { mut stream, guard, setup, dialed } = connected;
        let virtual_server = Arc::clone(&self.context.virtual_server);
        let mut meter = Meter::new(virtual_server, Arc::clone(&guard.pool), Arc::clone(&guard.member));
        let fate = guard.member.fate();
        let mut outbound = Flow::default();
        let profile = Arc::clone(&self.context.snapshot.config.protocol);
        let ends = self.context.lifecycle.ends();
        let relay = Relay::new(&mut self.client, &mut stream, inbound, &mut outbound);
        let outcome = relay.run(profile.idle_timeout, setup, ends, down::comes(fate), &mut meter).await;
        let reselects = match &outcome {
            Outcome::ServiceDown(action) => *action == ServiceDownAction::Reselect,
            // A member that dies may say so before its monitor does.
            Outcome::Ended { side: Side::Member, end: End::Reset, .. } => {
                guard.member.service_down_action() == ServiceDownAction::Reselect
            }
            _ => false,
        };
        let may_try = record.tries <= self.context.snapshot.pool.config.reselect_tries;
        if reselects && may_try && inbound.bytes + outbound.bytes == 0 {
            net::reset_on_close(&stream.socket().tcp);
            inbound.begin_again();
            return Relayed::Unserved;
        }

        meter.bytes(inbound.bytes, outbound.bytes);
        if record.opening == Opening::Unknown {
            record.opening = Opening::of(self.client.socket().opening());
        }
        if outbound.bytes == 0 {
            guard.member.served(Served::Silent(dialed.elapsed()));
        }
        let close = self.reason(&outcome, &stream, record, outbound.bytes, dialed);
        let in_silence = matches!(outcome, Outcome::ServiceDown(ServiceDownAction::Drop));
        self.part(outcome, &mut stream, &profile).await;
        meter.packets(self.client.socket(), stream.socket());
        record.traffic(&meter, inbound.bytes, outbound.bytes);
        if in_silence {
            // The member is let go at once; the client stays.
            drop((stream, guard));
            let (client, ends) = (&self.client.socket().tcp, self.context.lifecycle.ends());
            Box::pin(down::hold_in_silence(client, profile.idle_timeout, ends)).await;
            net::reset_on_close(client);
        }
        Relayed::Ended(close)
    }

    /// Why the relay ended.
    fn reason(&self, outcome: &Outcome, member: &Stream, record: &Record, bytes_out: u64, dialed: Instant) -> Close {
        let close = match outcome {
            Outcome::Idle => CloseReason::IdleTimeout.into(),
            Outcome::Cut => CloseReason::Drained.into(),
            Outcome::ServiceDown(ServiceDownAction::Drop) => return CloseReason::ServiceDownDrop.into(),
            Outcome::ServiceDown(_) => return CloseReason::ServiceDownReset.into(),
            Outcome::Ended { side, end, .. } => ended(*side, end),
        };
        let lasted = dialed.elapsed();
        let by_member = matches!(outcome, Outcome::Ended { side: Side::Member, .. });
        let unanswered = by_member || (bytes_out == 0 && lasted.as_secs() >= 1);
        match self.misunderstanding(member, record, bytes_out, unanswered) {
            Some(reason) => reason.because(format_args!("{} after {lasted:.1?}", close.reason)),
            None => close,
        }
    }

    /// Leaves both sides as they should see the end.
    async fn part(&mut self, outcome: Outcome, member: &mut Stream, profile: &Protocol) {
        match outcome {
            Outcome::Ended { abrupt: Some(side), .. } => {
                let other = if side == Side::Client { &self.client } else { &*member };
                // What was received before the reset is the other side's due; the reset itself comes after it.
                net::drained(&other.socket().tcp, profile.close_wait).await;
                net::reset_on_close(&other.socket().tcp);
            }
            Outcome::ServiceDown(ServiceDownAction::Drop) => net::reset_on_close(&member.socket().tcp),
            Outcome::ServiceDown(_) => {
                net::reset_on_close(&self.client.socket().tcp);
                net::reset_on_close(&member.socket().tcp);
            }
            Outcome::Idle if profile.reset_on_timeout => {
                net::reset_on_close(&self.client.socket().tcp);
                net::reset_on_close(&member.socket().tcp);
            }
            Outcome::Idle | Outcome::Cut => {
                for side in [&mut self.client, member] {
                    let finish = std::future::poll_fn(|cx| side.poll_finish(cx));
                    // A peer that reads nothing cannot be told; the close itself follows in any case.
                    let _ = timeout(profile.close_wait, finish).await;
                }
            }
            Outcome::Ended { abrupt: None, .. } => {}
        }
    }

    /// Tells a connection that failed because the two sides speak different protocols.
    fn misunderstanding(
        &self,
        member: &Stream,
        record: &Record,
        bytes_out: u64,
        unanswered: bool,
    ) -> Option<CloseReason> {
        let plain_to_member = matches!(member, Stream::Plain(_));
        let tls_from_client = matches!(self.client, Stream::Plain(_)) && record.opening == Opening::Tls;
        let answer = member.socket().opening();
        match () {
            () if plain_to_member && !tls_from_client && is_tls_record(answer) => Some(CloseReason::MemberSpokeTls),
            () if bytes_out > 0 || !unanswered => None,
            () if plain_to_member && tls_from_client => Some(CloseReason::MemberSilentToTls),
            () if record.opening.is_sasl() => Some(CloseReason::MemberSilentToSasl),
            () => None,
        }
    }
}

fn ended(side: Side, end: &End) -> Close {
    match (side, end) {
        (Side::Client, End::Fin) => CloseReason::ClientFin.into(),
        (Side::Client, End::Truncated) => CloseReason::ClientTruncated.into(),
        (Side::Client, End::Reset) => CloseReason::ClientReset.into(),
        (Side::Client, End::Broken(error)) => CloseReason::ClientTlsFailed.because(error),
        (Side::Member, End::Fin) => CloseReason::MemberFin.into(),
        (Side::Member, End::Truncated) => CloseReason::MemberTruncated.into(),
        (Side::Member, End::Reset) => CloseReason::MemberReset.into(),
        (Side::Member, End::Broken(error)) => CloseReason::MemberTlsFailed.because(error),
    }
}
