use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::virtual_server::LiveVirtualServer;
use crate::net::{self, Socket, TcpInfo};
use crate::pool::{LiveMember, LivePool};
use crate::stats::TrafficCounts;

/// Packets of a live connection are read from the kernel at most this often.
const PACKETS_EVERY: Duration = Duration::from_secs(1);

/// Adds what one connection passes to the counts of its virtual server, pool and member.
#[derive(Debug)]
pub(super) struct Meter {
    virtual_server: Arc<LiveVirtualServer>,
    pool: Arc<LivePool>,
    pub member: Arc<LiveMember>,
    bytes: (u64, u64),
    /// Segments of the client's and of the member's socket that are counted already.
    pub client: TcpInfo,
    pub toward_member: TcpInfo,
    packets_read: Instant,
}

impl Meter {
    pub fn new(virtual_server: Arc<LiveVirtualServer>, pool: Arc<LivePool>, member: Arc<LiveMember>) -> Self {
        let (client, toward_member) = (TcpInfo::default(), TcpInfo::default());
        Self { virtual_server, pool, member, bytes: (0, 0), client, toward_member, packets_read: Instant::now() }
    }

    /// Takes the connection's byte counts as they stand now; tells whether they grew.
    pub fn bytes(&mut self, bytes_in: u64, bytes_out: u64) -> bool {
        let grown = (bytes_in - self.bytes.0, bytes_out - self.bytes.1);
        self.bytes = (bytes_in, bytes_out);
        if grown == (0, 0) {
            return false;
        }
        let counts = TrafficCounts { bytes_in: grown.0, bytes_out: grown.1, ..TrafficCounts::default() };
        for traffic in [&self.virtual_server.traffic, &self.pool.traffic, &self.member.traffic] {
            traffic.add(&counts);
        }
        true
    }

    pub fn packets_now_and_then(&mut self, now: Instant, client: &Socket, member: &Socket) {
        if now - self.packets_read >= PACKETS_EVERY {
            self.packets_read = now;
            self.packets(client, member);
        }
    }

    /// Takes the segments that the kernel has counted by now.
    pub fn packets(&mut self, client: &Socket, member: &Socket) {
        let grown = |seen: &mut TcpInfo, now: TcpInfo| {
            let before = std::mem::replace(seen, now);
            (now.packets_in.wrapping_sub(before.packets_in), now.packets_out.wrapping_sub(before.packets_out))
        };
        let (from_client, to_client) = grown(&mut self.client, net::tcp_info(&client.tcp));
        let (from_member, to_member) = grown(&mut self.toward_member, net::tcp_info(&member.tcp));
        let packets = |packets_in: u32, packets_out: u32| TrafficCounts {
            packets_in: packets_in.into(),
            packets_out: packets_out.into(),
            ..TrafficCounts::default()
        };
        self.virtual_server.traffic.add(&packets(from_client, to_client));
        let toward_member = packets(to_member, from_member);
        self.pool.traffic.add(&toward_member);
        self.member.traffic.add(&toward_member);
    }
}
