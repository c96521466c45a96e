//! Counting the bytes and packets of one connection for its virtual server, pool and member.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::virtual_server::LiveVirtualServer;
use crate::net::{self, Socket, TcpInfo};
use crate::pool::{LiveMember, LivePool};
use crate::stats::TrafficCounts;

/// Adds what one connection passes to the counters of its virtual server, pool and member.
#[derive(Debug)]
pub(super) struct TrafficMeter {
    virtual_server: Arc<LiveVirtualServer>,
    member: Option<(Arc<LivePool>, Arc<LiveMember>)>,
    /// Bytes to and from this member that are counted already.
    bytes: (u64, u64),
    /// Bytes that the client sent once, and that this member gets after another got them.
    sent_again: u64,
    /// Segments of the client's and of the member's socket that are counted already.
    packets: (TcpInfo, TcpInfo),
    packets_read: Instant,
}

/// What passed over one connection: bytes in and out, and the segments of the client's and of the member's socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub bytes: (u64, u64),
    pub packets: (TcpInfo, TcpInfo),
}

impl TrafficMeter {
    pub(super) fn new(virtual_server: Arc<LiveVirtualServer>) -> Self {
        let packets = (TcpInfo::default(), TcpInfo::default());
        let packets_read = Instant::now();
        Self { virtual_server, member: None, bytes: (0, 0), sent_again: 0, packets, packets_read }
    }

    /// Counts for this member from here on, which gets all that the client has sent.
    pub(super) fn set_member(&mut self, pool: Arc<LivePool>, member: Arc<LiveMember>) {
        self.member = Some((pool, member));
        self.sent_again += self.bytes.0;
        self.bytes = (0, 0);
        self.packets.1 = TcpInfo::default();
    }

    /// Counts bytes up to these totals of the connection. Returns whether there were new ones.
    pub(super) fn count_bytes(&mut self, bytes_in: u64, bytes_out: u64) -> bool {
        let grown = (bytes_in - self.bytes.0, bytes_out - self.bytes.1);
        self.bytes = (bytes_in, bytes_out);
        if grown == (0, 0) {
            return false;
        }
        let counts = TrafficCounts { bytes_in: grown.0, bytes_out: grown.1, ..TrafficCounts::default() };
        self.add_toward_member(&counts);
        let again = self.sent_again.min(counts.bytes_in);
        self.sent_again -= again;
        self.virtual_server.traffic.add(&TrafficCounts { bytes_in: counts.bytes_in - again, ..counts });
        true
    }

    /// Counts packets, if that was not done within the last second.
    pub(super) fn count_packets_each_second(&mut self, now: Instant, client: &Socket, member: &Socket) {
        if now - self.packets_read >= PACKETS_EVERY {
            self.packets_read = now;
            self.count_packets(client, member);
        }
    }

    /// Counts the segments that the kernel has counted since the last time.
    pub(super) fn count_packets(&mut self, client: &Socket, member: &Socket) {
        let grown = |counted: &mut TcpInfo, now: TcpInfo| {
            let before = std::mem::replace(counted, now);
            (now.packets_in.wrapping_sub(before.packets_in), now.packets_out.wrapping_sub(before.packets_out))
        };
        let (from_client, to_client) = grown(&mut self.packets.0, net::tcp_info(&client.tcp));
        let (from_member, to_member) = grown(&mut self.packets.1, net::tcp_info(&member.tcp));
        let packets = |packets_in: u32, packets_out: u32| TrafficCounts {
            packets_in: packets_in.into(),
            packets_out: packets_out.into(),
            ..TrafficCounts::default()
        };
        self.virtual_server.traffic.add(&packets(from_client, to_client));
        self.add_toward_member(&packets(to_member, from_member));
    }

    fn add_toward_member(&self, counts: &TrafficCounts) {
        if let Some((pool, member)) = &self.member {
            pool.traffic.add(counts);
            member.traffic.add(counts);
        }
    }

    /// Returns what was counted.
    pub(super) fn totals(&self) -> Totals {
        Totals { bytes: self.bytes, packets: self.packets }
    }
}

/// The kernel is asked for the packets of a live connection at most this often.
const PACKETS_EVERY: Duration = Duration::from_secs(1);
