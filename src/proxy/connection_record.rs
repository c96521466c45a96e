//! The record of a connection: what is known of it while it lasts, for lists of open connections, and at its end, for one
//! line of the log.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use tracing::{Level, event_enabled};

use super::close_reasons::Close;
use super::flow::Flow;
use super::observed_mode::opens_in_tls;
use super::open_connection::{OpenConnection, OpenPhase, OpenTls, Selection};
use super::phase_histograms::{PhaseTime, PhaseTimes};
use super::snapshot::Snapshot;
use super::stop::{Stop, StopSwitch};
use super::stream::Stream;
use super::traffic_meter::Totals;
use super::virtual_server::LiveVirtualServer;
use crate::impala::Opening;
use crate::log::log_later;
use crate::model::{MemberKey, Mode, Name};
use crate::net::{TcpInfo, address_text};
use crate::pool::LiveMember;
use crate::tls::TlsFacts;

/// All that is known of a connection. The connection writes it, and others read it at any time: what changes as bytes
/// pass is in atomics of its own, and what changes with the stages is behind a lock, which is never held for long.
#[derive(Debug)]
pub(super) struct ConnectionRecord {
    /// Unique among the processes that take over from one another.
    pub id: u64,
    pub virtual_server: Arc<LiveVirtualServer>,
    client: Endpoint,
    destination: Option<Endpoint>,
    mode: Mode,
    started: Instant,
    phase: AtomicU8,
    /// Whether the last bytes were the client's.
    awaits_answer: AtomicBool,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// Milliseconds from the start until bytes last passed, or a phase began.
    active: AtomicU64,
    stop: StopSwitch,
    facts: Mutex<Facts>,
}

/// An address and a port. It takes 20 bytes, a [`SocketAddr`] 32.
type Endpoint = (IpAddr, u16);

/// What is known of a connection after one stage or another.
#[derive(Debug)]
pub(super) struct Facts {
    /// When it ended; until then it lasts.
    ended: Option<Instant>,
    /// The member, where it ended the connection in order and its monitors may yet find it down.
    pub ended_by: Option<Arc<LiveMember>>,
    /// Who ends it from outside and why, in words.
    stopped_because: Option<Arc<str>>,
    /// The protocol of the client's first bytes, within TLS where the virtual server terminates it.
    pub opening: Opening,
    /// The protocol of the client's first bytes as they came.
    pub opening_on_wire: Opening,
    pub times: PhaseTimes,
    pub client_tls: Option<Box<TlsFacts>>,
    pub member_tls: Option<Box<TlsFacts>>,
    /// The pool of the member, or the pool in which one is looked for.
    pool: Name,
    member: Option<MemberKey>,
    member_address: Option<Endpoint>,
    /// pronk's address toward the member, which the impalad shows as its client.
    local_address: Option<Endpoint>,
    persisted: bool,
    tries: u32,
    /// Segments of the client's and of the member's socket.
    packets: (TcpInfo, TcpInfo),
}

impl Facts {
    /// Returns how long the connection has lasted, or did last.
    fn lasted(&self, started: Instant) -> Duration {
        self.ended.unwrap_or_else(Instant::now) - started
    }
}

impl ConnectionRecord {
    pub(super) fn new(
        id: u64,
        virtual_server: &Arc<LiveVirtualServer>,
        snapshot: &Snapshot,
        client: SocketAddr,
        destination: Option<SocketAddr>,
    ) -> Self {
        let facts = Facts {
            ended: None,
            ended_by: None,
            stopped_because: None,
            opening: Opening::Unknown,
            opening_on_wire: Opening::Unknown,
            times: PhaseTimes::default(),
            client_tls: None,
            member_tls: None,
            pool: snapshot.pool.config.name.clone(),
            member: None,
            member_address: None,
            local_address: None,
            persisted: false,
            tries: 0,
            packets: Default::default(),
        };
        Self {
            id,
            virtual_server: Arc::clone(virtual_server),
            client: endpoint(client),
            destination: destination.map(endpoint),
            mode: snapshot.config.mode(),
            started: Instant::now(),
            phase: AtomicU8::default(),
            awaits_answer: AtomicBool::default(),
            bytes_in: AtomicU64::default(),
            bytes_out: AtomicU64::default(),
            active: AtomicU64::default(),
            stop: StopSwitch::default(),
            facts: Mutex::new(facts),
        }
    }

    /// Returns the address of the client.
    pub(super) fn client(&self) -> IpAddr {
        self.client.0
    }

    /// Looks at what is known after the stages, or adds to it.
    pub(super) fn note<T>(&self, noting: impl FnOnce(&mut Facts) -> T) -> T {
        noting(&mut self.facts())
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock()
    }

    /// Notes that a phase begins.
    pub(super) fn begin(&self, phase: OpenPhase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.note_activity(Instant::now());
    }

    fn phase(&self) -> OpenPhase {
        OpenPhase::of(self.phase.load(Ordering::Relaxed))
    }

    /// Notes how many bytes have passed since the member was connected, and whether the last ones were the client's.
    pub(super) fn note_passed(&self, bytes: (u64, u64), awaits_answer: bool, now: Instant) {
        self.set_bytes(bytes);
        self.awaits_answer.store(awaits_answer, Ordering::Relaxed);
        self.note_activity(now);
    }

    fn set_bytes(&self, (bytes_in, bytes_out): (u64, u64)) {
        self.bytes_in.store(bytes_in, Ordering::Relaxed);
        self.bytes_out.store(bytes_out, Ordering::Relaxed);
    }

    /// Sets what passed over the connection.
    pub(super) fn set_traffic(&self, traffic: Totals) {
        self.set_bytes(traffic.bytes);
        self.facts().packets = traffic.packets;
    }

    fn note_activity(&self, now: Instant) {
        self.active.store((now - self.started).as_millis() as u64, Ordering::Relaxed);
    }

    fn idle(&self, now: Instant) -> Duration {
        let active = Duration::from_millis(self.active.load(Ordering::Relaxed));
        now.saturating_duration_since(self.started).saturating_sub(active)
    }

    /// Returns whether nothing is under way, and nothing has passed for so long.
    pub(super) fn is_idle(&self, least: Duration, now: Instant) -> bool {
        let may_be_idle = matches!(self.phase(), OpenPhase::FirstByte | OpenPhase::Relay | OpenPhase::Held);
        may_be_idle && !self.awaits_answer.load(Ordering::Relaxed) && self.idle(now) >= least
    }

    /// Orders the connection to end, for a reason in words. Returns whether it is the order that counts.
    pub(super) fn stop(&self, stop: Stop, why: Option<Arc<str>>) -> bool {
        // The reason is there before the connection looks for it.
        let mut facts = self.facts();
        let before = std::mem::replace(&mut facts.stopped_because, why);
        let counts = self.stop.order(stop);
        if !counts {
            facts.stopped_because = before;
        }
        counts
    }

    /// Ready when the connection is to end. An order to end if idle is taken back once the connection is busy.
    pub(super) fn poll_stopped(&self, cx: &Context<'_>) -> Poll<Stop> {
        self.stop.register(cx.waker());
        match self.stop.ordered() {
            Some(Stop::DrainIdle) if !self.is_idle(LEAST_IDLE, Instant::now()) => {
                self.stop.withdraw_idle();
                // Another order may have come before.
                self.stop.ordered().map_or(Poll::Pending, Poll::Ready)
            }
            Some(stop) => Poll::Ready(stop),
            None => Poll::Pending,
        }
    }

    /// Takes an order to end if idle back.
    pub(super) fn withdraw_idle_stop(&self) {
        self.stop.withdraw_idle();
    }

    /// Waits until the connection is to end.
    pub(super) async fn stopped(&self) -> Stop {
        poll_fn(|cx| self.poll_stopped(cx)).await
    }

    /// Returns the close reason of a connection that an administrator ends.
    pub(super) fn close_if_killed(&self, stop: Option<Stop>) -> Option<Close> {
        stop.filter(|stop| *stop != Stop::Drained).map(|stop| self.close_by(stop, false))
    }

    /// Returns the close reason of a connection that is ended from outside.
    pub(super) fn close_by(&self, stop: Stop, in_exchange: bool) -> Close {
        let reason = stop.reason(in_exchange);
        let Some(why) = self.facts().stopped_because.clone().filter(|_| stop != Stop::Drained) else {
            return reason.into();
        };
        let phase = self.phase().as_str();
        let exchange = if in_exchange { ", while a request or its answer was under way" } else { "" };
        reason.because(format_args!("{why} (phase {phase}{exchange})"))
    }

    /// Returns whether this connection is among those that are meant.
    pub(super) fn matches(&self, selection: &Selection) -> bool {
        let Selection { id, client, virtual_server, pool, node, member } = selection;
        let of_start = id.is_none_or(|id| id == self.id)
            && client.is_none_or(|network| network.contains(&self.client().to_canonical()))
            && virtual_server.as_ref().is_none_or(|name| *name == self.virtual_server.name);
        if !of_start || pool.is_none() && node.is_none() && member.is_none() {
            return of_start;
        }
        let facts = self.facts();
        let own = facts.member.as_ref();
        pool.as_ref().is_none_or(|name| *name == facts.pool)
            && node.as_ref().is_none_or(|name| own.is_some_and(|own| own.node == *name))
            && member.as_ref().is_none_or(|key| own == Some(key))
    }

    /// Returns the connection as it is now.
    pub(super) fn view(&self, now: Instant) -> OpenConnection {
        let tls = |facts: &TlsFacts| OpenTls { version: facts.version, cipher: facts.cipher };
        let facts = self.facts();
        OpenConnection {
            id: self.id,
            client: canonical(self.client),
            virtual_server: self.virtual_server.name.clone(),
            mode: self.mode.as_seen(opens_in_tls(facts.opening_on_wire)),
            phase: self.phase(),
            pool: facts.pool.clone(),
            member: facts.member.clone(),
            member_address: facts.member_address.map(canonical),
            local_address: facts.local_address.map(canonical),
            client_tls: facts.client_tls.as_deref().map(tls),
            member_tls: facts.member_tls.as_deref().map(tls),
            opening: facts.opening.as_str(),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            age: now.saturating_duration_since(self.started),
            idle: self.idle(now),
            awaits_answer: self.awaits_answer.load(Ordering::Relaxed),
        }
    }

    /// Sets the pool in which a member is looked for, until there is a member.
    pub(super) fn set_pool(&self, pool: &Name) {
        let mut facts = self.facts();
        if facts.member.is_none() && facts.pool != *pool {
            facts.pool = pool.clone();
        }
    }

    /// Sets the member that was chosen.
    pub(super) fn set_member(&self, pool: &Name, member: &MemberKey, persisted: bool) {
        let mut facts = self.facts();
        (facts.pool, facts.member) = (pool.clone(), Some(member.clone()));
        facts.persisted = persisted;
        facts.tries += 1;
    }

    /// Notes how long connecting to the member took, its address, and pronk's own toward it.
    pub(super) fn set_connected(&self, time: PhaseTime, member: SocketAddr, local: Option<SocketAddr>) {
        let mut facts = self.facts();
        facts.times.connect = Some(time);
        (facts.member_address, facts.local_address) = (Some(endpoint(member)), local.map(endpoint));
    }

    /// Returns how many members were tried.
    pub(super) fn tries(&self) -> u32 {
        self.facts().tries
    }

    /// Returns the protocol of the client's first bytes, within TLS where the virtual server terminates it.
    pub(super) fn opening(&self) -> Opening {
        self.facts().opening
    }

    /// Takes the client's first bytes.
    pub(super) fn set_opening(&self, inbound: &Flow, client: &Stream) {
        let mut facts = self.facts();
        facts.opening = Opening::of(inbound.opening());
        facts.opening_on_wire = Opening::of(client.socket().opening());
    }

    /// Notes that the connection has ended.
    pub(super) fn note_end(&self) {
        self.facts().ended = Some(Instant::now());
    }

    /// Counts how long its phases took, once it has ended.
    pub(super) fn observe_times(&self) {
        let facts = self.facts();
        self.virtual_server.times.observe(&facts.times, facts.lasted(self.started));
    }

    /// Has the line logged: as a warning if the reason is not an ordinary one, and at debug if not a byte came from the
    /// client. Load balancers connect so every few seconds, to see whether the port is open.
    pub(super) fn log(self: Arc<Self>, close: Close) {
        let (level, is_logged) = match close.reason {
            reason if !reason.is_ordinary() => (Level::WARN, event_enabled!(target: TARGET, Level::WARN)),
            // A client that leaves after its TLS handshake may dislike the certificate.
            reason if reason.is_left_silent() && self.facts().client_tls.is_none() => {
                (Level::DEBUG, event_enabled!(target: TARGET, Level::DEBUG))
            }
            _ => (Level::INFO, event_enabled!(target: TARGET, Level::INFO)),
        };
        if is_logged {
            self.stop.forget_task();
            log_later(move || self.write(level, &close));
        }
    }

    fn write(&self, level: Level, close: &Close) {
        let facts = self.facts();
        let (client_packets, member_packets) = facts.packets;
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    virtual_server = %self.virtual_server.name,
                    connection_id = self.id,
                    close.code = close.reason.code(),
                    close.who = close.reason.who().as_str(),
                    close.phase = close.reason.phase().as_str(),
                    close.mechanism = close.reason.mechanism().as_str(),
                    close.detail = close.detail.as_deref(),
                    close.remedy = some(close.reason.remedy()),
                    mode = self.mode.as_seen(opens_in_tls(facts.opening_on_wire)),
                    pool = %facts.pool,
                    member = facts.member.as_ref().map(ToString::to_string),
                    client_address = text(self.client),
                    destination_address = self.destination.map(text),
                    local_address = facts.local_address.map(text),
                    member_address = facts.member_address.map(text),
                    opening = facts.opening.as_str(),
                    opening_on_wire = facts.opening_on_wire.as_str(),
                    persisted = facts.persisted,
                    tries = facts.tries,
                    bytes_in = self.bytes_in.load(Ordering::Relaxed),
                    bytes_out = self.bytes_out.load(Ordering::Relaxed),
                    client_packets_in = client_packets.packets_in,
                    client_packets_out = client_packets.packets_out,
                    member_packets_in = member_packets.packets_in,
                    member_packets_out = member_packets.packets_out,
                    ms_total = millis(Some(facts.lasted(self.started))),
                    ms_client_tls = millis(facts.times.client_tls),
                    ms_first_byte = millis(facts.times.first_byte),
                    ms_queue = millis(facts.times.queue),
                    ms_connect = millis(facts.times.connect),
                    ms_member_tls = millis(facts.times.member_tls),
                    client_tls_version = facts.client_tls.as_ref().map(|tls| tls.version),
                    client_tls_cipher = facts.client_tls.as_ref().map(|tls| tls.cipher),
                    client_tls_group = facts.client_tls.as_ref().and_then(|tls| tls.group),
                    client_tls_sni = facts.client_tls.as_ref().and_then(|tls| tls.sni.as_deref()),
                    client_tls_resumed = facts.client_tls.as_ref().map(|tls| tls.resumed),
                    client_tls_subject = facts.client_tls.as_ref().and_then(|tls| tls.peer_subject.as_deref()),
                    member_tls_version = facts.member_tls.as_ref().map(|tls| tls.version),
                    member_tls_cipher = facts.member_tls.as_ref().map(|tls| tls.cipher),
                    member_tls_group = facts.member_tls.as_ref().and_then(|tls| tls.group),
                    member_tls_sni = facts.member_tls.as_ref().and_then(|tls| tls.sni.as_deref()),
                    member_tls_resumed = facts.member_tls.as_ref().map(|tls| tls.resumed),
                    "connection closed"
                )
            };
        }
        match level {
            Level::WARN => line!(warn),
            Level::DEBUG => line!(debug),
            _ => line!(info),
        }
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Returns milliseconds, to the microsecond.
fn millis(time: Option<impl Into<Duration>>) -> Option<f64> {
    time.map(|time| (time.into().as_secs_f64() * 1e6).round() / 1e3)
}

fn text(address: Endpoint) -> String {
    address_text(canonical(address))
}

/// Returns an address as its owner knows it: an IPv4 client of a listener for both versions is one of IPv4.
fn canonical((address, port): Endpoint) -> SocketAddr {
    SocketAddr::new(address.to_canonical(), port)
}

fn endpoint(address: SocketAddr) -> Endpoint {
    (address.ip(), address.port())
}

/// The target of the line, by which users choose it.
const TARGET: &str = "pronk::connection";
/// A connection over which bytes passed within this time is not idle, whatever was ordered.
const LEAST_IDLE: Duration = Duration::from_secs(1);
