//! The life of one connection, from accept to its record in the log.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::admission_rules::{self, ConnectionGuard, CountedLimits};
use super::client_handshake;
use super::close_reasons::{Close, CloseReason};
use super::connect::{self, Connected};
use super::connection_record::ConnectionRecord;
use super::deadlines::Deadlines;
use super::ending::{self, Closing, Ending, finish};
use super::first_bytes;
use super::flow::{End, Flow, Side};
use super::open_connection::OpenPhase;
use super::open_connections::OpenConnections;
use super::passive_health::PassiveHealth;
use super::relay::{Finished, Outcome, Relay, Seen};
use super::silent_hold::hold_silently;
use super::snapshot::Snapshot;
use super::stop::Stop;
use super::stream::Stream;
use super::traffic_meter::TrafficMeter;
use super::virtual_server::LiveVirtualServer;
use crate::impala::Opening;
use crate::model::{Dial, MemberKey, ServiceDownAction};
use crate::net::{self, Socket};
use crate::pool::{Asker, Health, LiveMember};

/// A client that was accepted, and sent nothing yet.
pub(super) struct Accepted {
    socket: Socket,
    client: SocketAddr,
    /// The configuration that the connection uses.
    snapshot: Arc<Snapshot>,
    virtual_server: Arc<LiveVirtualServer>,
}

/// A client whose TLS handshake is done, where the virtual server has one.
struct Handshaken {
    client: Stream,
    snapshot: Arc<Snapshot>,
}

impl Accepted {
    pub(super) fn new(tcp: TcpStream, client: SocketAddr, virtual_server: Arc<LiveVirtualServer>) -> Box<Self> {
        let snapshot = virtual_server.snapshot.load_full();
        Box::new(Self { socket: Socket::new(tcp), client, snapshot, virtual_server })
    }
}

/// Serves a client to the end, and hands its record to the log. The connection is among those that are `open`
/// meanwhile.
pub(super) async fn serve(accepted: Box<Accepted>, open: Arc<OpenConnections>) {
    let record = open.add(|id| accepted.record(id));
    let mut close = life(accepted, &record).await.unwrap_or_else(|early| early);
    record.begin(OpenPhase::Closing);
    record.note_end();
    let ended_by = record.note(|facts| facts.ended_by.take());
    if let Some(member) = ended_by {
        // Nothing is held meanwhile but the record.
        close = ending::after_verdict(close, &member, record.stopped()).await;
    }
    record.virtual_server.count_close(close.reason);
    record.observe_times();
    // Whoever reads the line finds it in no list.
    record.take_out().log(close);
}

/// The future of this lasts as long as the connection, so it is kept small: what is large is boxed or borrowed.
#[expect(clippy::manual_async_fn, reason = "an async function has room for each argument twice")]
fn life(accepted: Box<Accepted>, record: &ConnectionRecord) -> impl Future<Output = Result<Close, Close>> {
    async move {
        // Counts the connection until the end.
        let _guard = accepted.admit(record).await?;
        // Boxed, so that what only the beginning needs is freed before the relay, which lasts.
        let beginning = Box::pin(async {
            let tcp = Arc::clone(&accepted.socket.tcp);
            let mut handshaken = unless_stopped(record, &tcp, pin!(accepted.handshake(record))).await?;
            let mut inbound = Flow::default();
            if handshaken.snapshot.config.dial == Dial::FirstByte {
                handshaken.first_bytes(&mut inbound, record).await?;
            }
            let connected = handshaken.connect(None, record).await?;
            Ok::<_, Close>((handshaken, inbound, connected))
        });
        let (mut handshaken, mut inbound, mut connected) = beginning.await?;
        let mut meter = TrafficMeter::new(Arc::clone(&record.virtual_server));
        let mut left = None;
        // Awaited after the loop, so that what the relay returned has no room of its own meanwhile.
        let holding = loop {
            match handshaken.relay(&mut inbound, connected, left.is_none(), &mut meter, record).await {
                Relayed::Ended(close) => return Ok(close),
                Relayed::Held(close) => break Box::pin(handshaken.hold(close, record)),
                Relayed::Reselect(member) => left = Some(member),
            }
            connected = Box::pin(handshaken.connect(left.as_deref().map(LiveMember::key), record)).await?;
        };
        Ok(holding.await)
    }
}

/// Waits for a stage, and no longer than until the connection is ended from outside. A stage that is done counts even
/// then: the relay ends the connection in order. A client that an administrator ends is reset. The caller
/// pins the stage, so that what is large is not moved.
async fn unless_stopped<T>(
    record: &ConnectionRecord,
    client: &TcpStream,
    stage: Pin<&mut impl Future<Output = Result<T, Close>>>,
) -> Result<T, Close> {
    tokio::select! {
        biased;
        done = stage => done,
        stop = record.stopped() => {
            if stop != Stop::Drained {
                net::reset_on_close(client);
            }
            Err(record.close_by(stop, false))
        }
    }
}

/// What comes after a relay.
enum Relayed {
    Ended(Close),
    /// The member is closed, and the client stays open without an answer (service-down-action `drop`).
    Held(Close),
    /// This member went down or hangs, and answered nothing, so another is tried.
    Reselect(Arc<LiveMember>),
}

impl Accepted {
    fn record(&self, id: u64) -> ConnectionRecord {
        let Self { socket, client, snapshot, virtual_server } = self;
        // Only a destination of all addresses leaves open which one the client has connected to.
        let destination = Some(snapshot.config.destination).filter(|it| !it.ip().is_unspecified() && it.port() != 0);
        let destination = destination.or_else(|| socket.tcp.local_addr().ok());
        ConnectionRecord::new(id, virtual_server, snapshot, *client, destination)
    }

    /// Lets the client in, if the virtual server's rules allow it.
    async fn admit(&self, record: &ConnectionRecord) -> Result<ConnectionGuard, Close> {
        let Self { snapshot, virtual_server, client, .. } = self;
        let limits = CountedLimits { virtual_server, now: Instant::now().into_std() };
        let refusal = match admission_rules::decide(snapshot, client.ip(), limits.now, &limits, |_| ()) {
            Ok(guard) => return Ok(guard),
            Err(refusal) => refusal,
        };
        let mut close = refusal.by.close(&snapshot.pool.config.name);
        if refusal.guard.is_some() {
            let idle = snapshot.config.protocol.idle_timeout;
            let stop = Box::pin(hold_silently(&self.socket.tcp, idle, record)).await;
            close = record.close_if_killed(stop).unwrap_or(close);
        }
        net::reset_on_close(&self.socket.tcp);
        Err(close)
    }

    async fn handshake(self: Box<Self>, record: &ConnectionRecord) -> Result<Handshaken, Close> {
        let Self { socket, snapshot, .. } = *self;
        let client = match &snapshot.client_ssl {
            // Boxed, as most of it is a handshake that a connection without TLS does not have.
            Some(profile) => Box::pin(client_handshake::accept_tls(profile, socket, record)).await?,
            None => Stream::Plain(socket),
        };
        Ok(Handshaken { client, snapshot })
    }
}

impl Handshaken {
    /// Waits for the client's first bytes, and refuses what the virtual server cannot pass on.
    async fn first_bytes(&mut self, inbound: &mut Flow, record: &ConnectionRecord) -> Result<(), Close> {
        let Self { client, snapshot } = self;
        let (tcp, profile) = (Arc::clone(&client.socket().tcp), &snapshot.config.protocol);
        let idle_timeout = profile.idle_timeout;
        let received =
            unless_stopped(record, &tcp, pin!(first_bytes::receive(client, inbound, idle_timeout, record))).await;
        if let Err(close) = &received {
            match close.reason {
                CloseReason::ClientSilent if profile.reset_on_timeout => net::reset_on_close(&client.socket().tcp),
                CloseReason::ClientSilent | CloseReason::Drained => finish(client, profile).await,
                _ => {}
            }
        }
        received?;
        let opening = record.opening();
        first_bytes::check(opening, &snapshot.config).inspect_err(|_| net::reset_on_close(&client.socket().tcp))
    }

    /// Connects to a member, to one that is `avoided` last. If there is none, the client is reset, as its request is not answered.
    async fn connect(
        &mut self,
        avoided: Option<&MemberKey>,
        record: &ConnectionRecord,
    ) -> Result<Box<Connected>, Close> {
        let Self { client, snapshot } = self;
        let socket = client.socket();
        let connecting = pin!(connect::choose_and_connect(snapshot, socket, avoided, record));
        let connected = unless_stopped(record, &socket.tcp, connecting).await;
        if connected.is_err() {
            net::reset_on_close(&socket.tcp);
        }
        connected
    }

    /// Passes bytes until the end, and closes both sides. `may_leave` is whether the connection may go to another member
    /// where this one does not answer what opens its session: it waits once for that.
    #[expect(clippy::manual_async_fn, reason = "an async function has room for each argument twice")]
    fn relay(
        &mut self,
        inbound: &mut Flow,
        mut connected: Box<Connected>,
        may_leave: bool,
        meter: &mut TrafficMeter,
        record: &ConnectionRecord,
    ) -> impl Future<Output = Relayed> {
        async move {
            meter.set_member(Arc::clone(&connected.pool), Arc::clone(&connected.member));
            record.begin(OpenPhase::Relay);
            let may_try = record.tries() <= self.snapshot.pool.config.reselect_tries;
            if may_try && may_leave && self.snapshot.pool.members.len() > 1 {
                inbound.keep_opening();
            }
            let mut outbound = Flow::default();
            // A block, so that what the relay returned has no room of its own while both sides are closed.
            let (close, closing) = {
                let finished = self.pass_bytes(inbound, &mut outbound, &mut connected, meter, record).await;
                meter.count_bytes(inbound.bytes, outbound.bytes);
                record.set_traffic(meter.totals());
                if may_try && is_unanswered(inbound, &outbound) && reselects(&finished.outcome, &connected.member) {
                    net::reset_on_close(&connected.stream.socket().tcp);
                    self.count_packets(meter, &connected, record);
                    inbound.start_again();
                    return Relayed::Reselect(connected.member);
                }
                let close = self.judge(&finished, inbound, &outbound, &mut connected, record);
                (close, Closing::of(&finished, &self.snapshot.config.protocol))
            };
            record.begin(OpenPhase::Closing);
            closing.close(&mut self.client, &mut connected.stream, &self.snapshot.config.protocol).await;
            self.count_packets(meter, &connected, record);
            if matches!(close.reason, CloseReason::MemberFin | CloseReason::MemberTruncated) {
                let alive = Some(&connected.member).filter(|member| *member.health() == Health::Up);
                record.note(|facts| facts.ended_by = alive.map(Arc::clone));
            }
            // The member is free once this returns, and then the client is held.
            if matches!(closing, Closing::KeepClient) { Relayed::Held(close) } else { Relayed::Ended(close) }
        }
    }

    /// Passes bytes until the end.
    fn pass_bytes<'a>(
        &'a mut self,
        inbound: &'a mut Flow,
        outbound: &'a mut Flow,
        connected: &'a mut Connected,
        meter: &'a mut TrafficMeter,
        record: &'a ConnectionRecord,
    ) -> impl Future<Output = Finished> + use<'a> {
        let Self { client, snapshot } = self;
        let Connected { stream: member, member: live_member, place, since, .. } = connected;
        let live_member = &**live_member;
        let another = || {
            let asker = Asker { avoided: Some(live_member.key()), ..Asker::new(record.client(), &[]) };
            snapshot.pool.has_unsuspected(asker, Instant::now().into_std())
        };
        let (deadlines, health) = (Deadlines::new(&snapshot.config.protocol, *since), PassiveHealth::new(live_member));
        let seen = Seen::default();
        let mut relay = Relay { client, member, inbound, outbound, deadlines, place, meter, record, health, seen };
        async move { relay.run(pin!(relay.health.service_down_due()), &another).await }
    }

    /// Returns why the connection ended. The member's place is free then, the client's opening is noted, and the member's
    /// monitors are told if it answered nothing.
    fn judge(
        &self,
        finished: &Finished,
        inbound: &Flow,
        outbound: &Flow,
        connected: &mut Connected,
        record: &ConnectionRecord,
    ) -> Close {
        let lasted = connected.since.elapsed();
        if !matches!(finished.outcome, Outcome::Ended { reset: Some(Side::Member), .. } | Outcome::Stopped(_)) {
            // What is left is the client's.
            connected.place.free();
        }
        if record.opening() == Opening::Unknown {
            record.set_opening(inbound, &self.client);
        }
        if outbound.bytes == 0 {
            PassiveHealth::new(&connected.member).unanswered(lasted);
        }
        let ending = Ending {
            finished,
            client: &self.client,
            member: &connected.stream,
            record,
            opening: record.opening(),
            answer: outbound.opening(),
            lasted,
            member_is_down: connected.member.health().is_down(),
        };
        ending.reason(&self.snapshot.config.protocol)
    }

    /// Counts the packets of both sides, and notes what passed.
    fn count_packets(&self, meter: &mut TrafficMeter, connected: &Connected, record: &ConnectionRecord) {
        meter.count_packets(self.client.socket(), connected.stream.socket());
        record.set_traffic(meter.totals());
    }

    /// Holds the client, and tells it nothing, until it leaves, the idle timeout is over or it is ended from outside.
    async fn hold(&self, close: Close, record: &ConnectionRecord) -> Close {
        let client = &self.client.socket().tcp;
        let stop = hold_silently(client, self.snapshot.config.protocol.idle_timeout, record).await;
        net::reset_on_close(client);
        record.close_if_killed(stop).unwrap_or(close)
    }
}

/// Returns whether the member has answered nothing, and another can get all that the client has sent.
fn is_unanswered(inbound: &Flow, outbound: &Flow) -> bool {
    inbound.can_start_again() && !outbound.has_received() && !outbound.has_ended_in_order()
}

/// Returns whether a relay that ended so, before the member answered, is tried with another member.
fn reselects(outcome: &Outcome, member: &LiveMember) -> bool {
    match outcome {
        Outcome::ServiceDown(action) => *action == ServiceDownAction::Reselect,
        // A member that dies may reset its connections before its monitor finds it down.
        Outcome::Ended { side: Side::Member, end: End::Reset, .. } => {
            member.service_down_action() == ServiceDownAction::Reselect
        }
        _ => false,
    }
}
