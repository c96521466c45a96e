//! The memory of the process: what is no longer used goes back to the system, where the allocator is that of glibc.
#![cfg(target_env = "gnu")]

use std::fs;
use std::time::Duration;

use crate::lb::{Pronk, done, free_port, resident_kib, until};
use crate::sides::{Layers, Sides};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_of_connections_that_have_ended_goes_back() {
    pronk::net::raise_open_file_limit();
    let sides = Sides::start(Layers { client: true, member: false }, "", "").await;
    for _ in 0..30 {
        drop(sides.connect().await);
    }
    let before = resident_kib(sides.pronk.pid());
    let mut pairs = Vec::new();
    for _ in 0..1000 {
        pairs.push(sides.connect().await);
    }
    let held = resident_kib(sides.pronk.pid()).saturating_sub(before);
    assert!(held > 5000, "{held} KiB");
    // pronk counts them once a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    // In another order than it was allocated.
    fastrand::shuffle(&mut pairs);
    drop(pairs);
    until("most of the memory is given back", || resident_kib(sides.pronk.pid()) < before + held / 3);
}

#[test]
fn memory_of_a_reload_goes_back() {
    let port = free_port();
    let config = |ratio: u8| {
        let members: Vec<_> =
            (0..3000).map(|it| format!("    - {{ member: 'n:{}', ratio: {ratio} }}\n", 1 + it)).collect();
        let members = members.concat();
        format!(
            "nodes: {{ n: {{ address: 127.0.0.1 }} }}
pools:
  p:
    members:
{members}virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
"
        )
    };
    let pronk = Pronk::start(|_| config(1));
    let mut most = 0;
    for ratio in 2..6 {
        fs::write(pronk.folder.path().join("pronk.yaml"), config(ratio)).unwrap();
        done(&pronk, &["reload"]);
        most = most.max(resident_kib(pronk.pid()));
    }
    until("memory is given back", || resident_kib(pronk.pid()) + 4096 < most);
}
