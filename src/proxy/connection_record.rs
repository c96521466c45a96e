//! The log record of a connection: one line when it closes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::close_reasons::Close;
use super::flow::Flow;
use super::observed_mode::opens_in_tls;
use super::phase_histograms::PhaseTimes;
use super::snapshot::Snapshot;
use super::stream::Stream;
use super::traffic_meter::Totals;
use crate::impala::Opening;
use crate::model::{MemberKey, Mode, Name};
use crate::pool::LiveMember;
use crate::tls::TlsFacts;

/// All that the log line of a closed connection says.
pub(super) struct ConnectionRecord {
    started: Instant,
    /// When it ended; until then it lasts.
    ended: Option<Instant>,
    /// The member, where it ended the connection in order and its monitors may yet find it down.
    pub ended_by: Option<Arc<LiveMember>>,
    virtual_server: Name,
    mode: Mode,
    client: SocketAddr,
    destination: Option<SocketAddr>,
    /// The protocol of the client's first bytes, within TLS where the virtual server terminates it.
    pub opening: Opening,
    /// The protocol of the client's first bytes as they came.
    pub opening_on_wire: Opening,
    pub times: PhaseTimes,
    pub client_tls: Option<TlsFacts>,
    pub member_tls: Option<TlsFacts>,
    /// The pool of the member, or the pool in which one is looked for.
    pool: Name,
    member: Option<MemberKey>,
    pub member_address: Option<SocketAddr>,
    /// pronk's address toward the member, which the impalad shows as its client.
    pub local_address: Option<SocketAddr>,
    persisted: bool,
    pub tries: u32,
    traffic: Totals,
}

impl ConnectionRecord {
    pub(super) fn new(snapshot: &Snapshot, client: SocketAddr, destination: Option<SocketAddr>) -> Self {
        Self {
            started: Instant::now(),
            ended: None,
            ended_by: None,
            virtual_server: snapshot.config.name.clone(),
            mode: snapshot.config.mode(),
            client,
            destination,
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
            traffic: Totals::default(),
        }
    }

    /// Sets the pool in which a member is looked for, until there is a member.
    pub(super) fn set_pool(&mut self, pool: &Name) {
        if self.member.is_none() {
            self.pool = pool.clone();
        }
    }

    /// Sets the member that was chosen.
    pub(super) fn set_member(&mut self, pool: &Name, member: &MemberKey, persisted: bool) {
        (self.pool, self.member) = (pool.clone(), Some(member.clone()));
        self.persisted = persisted;
        self.tries += 1;
    }

    /// Takes the client's first bytes.
    pub(super) fn set_opening(&mut self, inbound: &Flow, client: &Stream) {
        self.opening = Opening::of(inbound.opening());
        self.opening_on_wire = Opening::of(client.socket().opening());
    }

    /// Notes that the connection has ended.
    pub(super) fn note_end(&mut self) {
        self.ended = Some(Instant::now());
    }

    /// Returns how long it has lasted, or did last.
    pub(super) fn lasted(&self) -> Duration {
        self.ended.unwrap_or_else(Instant::now) - self.started
    }

    /// Sets what passed over the connection.
    pub(super) fn set_traffic(&mut self, traffic: Totals) {
        self.traffic = traffic;
    }

    /// Writes the line: as a warning if the reason is not an ordinary one, and at debug if not a byte came from the
    /// client. Load balancers connect so every few seconds, to see whether the port is open.
    pub(super) fn write(&self, close: &Close) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "pronk::connection",
                    virtual_server = %self.virtual_server,
                    close.code = close.reason.code(),
                    close.who = close.reason.who().as_str(),
                    close.phase = close.reason.phase().as_str(),
                    close.mechanism = close.reason.mechanism().as_str(),
                    close.detail = close.detail.as_deref(),
                    close.remedy = some(close.reason.remedy()),
                    mode = self.mode.as_seen(opens_in_tls(self.opening_on_wire)),
                    pool = %self.pool,
                    member = self.member.as_ref().map(ToString::to_string),
                    client_address = canonical(self.client),
                    destination_address = self.destination.map(canonical),
                    local_address = self.local_address.map(canonical),
                    member_address = self.member_address.map(canonical),
                    opening = self.opening.as_str(),
                    opening_on_wire = self.opening_on_wire.as_str(),
                    persisted = self.persisted,
                    tries = self.tries,
                    bytes_in = self.traffic.bytes.0,
                    bytes_out = self.traffic.bytes.1,
                    client_packets_in = self.traffic.packets.0.packets_in,
                    client_packets_out = self.traffic.packets.0.packets_out,
                    member_packets_in = self.traffic.packets.1.packets_in,
                    member_packets_out = self.traffic.packets.1.packets_out,
                    ms_total = millis(Some(self.lasted())),
                    ms_client_tls = millis(self.times.client_tls),
                    ms_first_byte = millis(self.times.first_byte),
                    ms_queue = millis(self.times.queue),
                    ms_connect = millis(self.times.connect),
                    ms_member_tls = millis(self.times.member_tls),
                    client_tls_version = self.client_tls.as_ref().map(|tls| tls.version),
                    client_tls_cipher = self.client_tls.as_ref().map(|tls| tls.cipher),
                    client_tls_group = self.client_tls.as_ref().and_then(|tls| tls.group),
                    client_tls_sni = self.client_tls.as_ref().and_then(|tls| tls.sni.as_deref()),
                    client_tls_resumed = self.client_tls.as_ref().map(|tls| tls.resumed),
                    client_tls_subject = self.client_tls.as_ref().and_then(|tls| tls.peer_subject.as_deref()),
                    member_tls_version = self.member_tls.as_ref().map(|tls| tls.version),
                    member_tls_cipher = self.member_tls.as_ref().map(|tls| tls.cipher),
                    member_tls_group = self.member_tls.as_ref().and_then(|tls| tls.group),
                    member_tls_sni = self.member_tls.as_ref().and_then(|tls| tls.sni.as_deref()),
                    member_tls_resumed = self.member_tls.as_ref().map(|tls| tls.resumed),
                    "connection closed"
                )
            };
        }
        match close.reason {
            reason if !reason.is_ordinary() => line!(warn),
            // A client that leaves after its TLS handshake may dislike the certificate.
            reason if reason.is_left_silent() && self.client_tls.is_none() => line!(debug),
            _ => line!(info),
        }
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Returns milliseconds, to the microsecond.
fn millis(duration: Option<Duration>) -> Option<f64> {
    duration.map(|duration| (duration.as_secs_f64() * 1e6).round() / 1e3)
}

/// Returns an address as its owner knows it: an IPv4 client of a listener for both versions is one of IPv4.
fn canonical(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}
