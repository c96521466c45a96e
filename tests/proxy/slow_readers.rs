//! The memory that pronk holds for connections whose receivers read nothing.

use std::time::Duration;

use tokio::time::timeout;

use crate::lb::{Pronk, resident_kib, with_threads};
use crate::sides::{Layers, Peer, Sides};

const CONNECTIONS: usize = 20;
/// What a connection may hold for each direction that is stuck, in KiB: the state of TLS, and a few records.
const MOST_HELD: usize = 96;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_whose_receiver_reads_nothing_holds_little_memory() {
    for layers in Layers::ALL {
        for (by_client, by_member) in [(false, true), (true, false), (true, true)] {
            let what = format!("{layers:?}, the client sends: {by_client}, the member sends: {by_member}");
            // Each thread keeps buffers for reuse.
            let sides = Sides::start_with(layers, "", "", |write| Pronk::start_by(with_threads(1), write)).await;
            warm_up(&sides).await;
            let before = resident_kib(sides.pronk.pid());

            let mut pairs = Vec::new();
            for _ in 0..CONNECTIONS {
                pairs.push(sides.connect().await);
            }
            let (clients, members): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let (clients, members) = tokio::join!(stuff(clients, by_client), stuff(members, by_member));
            let held = resident_kib(sides.pronk.pid()).saturating_sub(before) / CONNECTIONS;
            let directions = usize::from(by_client) + usize::from(by_member);
            assert!(held < MOST_HELD * directions, "{held} KiB for each connection: {what}");
            drop((clients, members));
        }
    }
}

/// Has the process take what it has anyway: code, and as many buffers as it keeps for reuse.
async fn warm_up(sides: &Sides) {
    let mut busy = Vec::new();
    for _ in 0..8 {
        let (mut client, mut member) = sides.connect().await;
        busy.push(tokio::spawn(async move {
            let large = vec![7; 4 << 20];
            let (sent, _) = tokio::join!(member.write(&large), client.read_exact(large.len()));
            sent.unwrap();
        }));
    }
    for one in busy {
        one.await.unwrap();
    }
}

/// Sends from each peer until pronk takes no more, if `sends`. The peers stay as they are.
async fn stuff(peers: Vec<Peer>, sends: bool) -> Vec<Peer> {
    let stuffing = peers.into_iter().map(|mut peer| {
        tokio::spawn(async move {
            // Otherwise the kernel may run out of memory for TCP.
            socket2::SockRef::from(peer.tcp()).set_send_buffer_size(64 << 10).unwrap();
            while sends && timeout(STUCK, peer.write(&[7; 65536])).await.is_ok_and(|sent| sent.is_ok()) {}
            peer
        })
    });
    let mut stuffed = Vec::new();
    for peer in stuffing.collect::<Vec<_>>() {
        stuffed.push(peer.await.unwrap());
    }
    stuffed
}

/// A write that takes longer waits for a receiver that reads nothing.
const STUCK: Duration = Duration::from_secs(1);
