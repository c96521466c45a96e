//! What `/metrics` says after a known load: what the clients counted.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use crate::lb::{Pronk, free_port, until};
use crate::peers::{connect, echo_member, is_refused, read_all};

/// The samples of a page, by name and labels.
pub fn samples(pronk: &Pronk) -> BTreeMap<String, f64> {
    let (code, answer) = pronk.get("/metrics", "");
    assert_eq!(code, 200, "{answer}");
    let lines = answer.split_once("\r\n\r\n").unwrap().1.lines().filter(|line| !line.starts_with('#'));
    // A body in chunks has their lengths between the lines.
    let samples = lines.filter_map(|line| line.rsplit_once(' ')).map(|(name, value)| (name.to_owned(), value.parse()));
    samples.map(|(name, value)| (name.clone(), value.unwrap_or_else(|_| panic!("{name}")))).collect()
}

/// Clients that are all there at once, send and receive so many bytes, and end in order.
fn load(address: SocketAddr, clients: usize, bytes: usize) {
    let there = |_| {
        let mut client = connect(address);
        client.write_all(&[7]).and_then(|()| client.read_exact(&mut [0])).unwrap();
        client
    };
    let all: Vec<_> = (0..clients).map(there).collect();
    let bytes = bytes - 1;
    for mut client in all {
        let mut sent = client.try_clone().unwrap();
        let sending = std::thread::spawn(move || {
            sent.write_all(&vec![7; bytes]).unwrap();
            sent.shutdown(Shutdown::Write).unwrap();
        });
        let (received, end) = read_all(&mut client);
        assert!(end.is_ok() && received.len() == bytes, "{end:?} {}", received.len());
        sending.join().unwrap();
    }
}

const CLIENTS: usize = 7;
const BYTES: usize = 300_000;

#[test]
fn every_counter_equals_what_the_clients_counted() {
    let (member, ports) = (echo_member(), [free_port(), free_port()]);
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }}, empty: {{ members: [] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{}', pool: p }}
  nobody: {{ destination: '127.0.0.1:{}', pool: empty }}
",
            member.port(),
            ports[0],
            ports[1]
        )
    });
    let [address, nobody] = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    load(address, CLIENTS, BYTES);
    (0..3).for_each(|_| assert!(is_refused(nobody)));
    let server = |name: &str| format!("{{virtual_server=\"{name}\",mode=\"passthrough\"");
    let closed = |samples: &BTreeMap<String, f64>, name: &str| {
        let begin = format!("pronk_virtual_server_closed_connections_total{}", server(name));
        samples.iter().filter(|(sample, _)| sample.starts_with(&begin)).map(|(_, count)| *count).sum::<f64>()
    };
    until("all are closed", || {
        let samples = samples(&pronk);
        (closed(&samples, "vs"), closed(&samples, "nobody")) == (CLIENTS as f64, 3.0)
    });

    let samples = samples(&pronk);
    let (vs, bytes, key) = (server("vs"), (CLIENTS * BYTES) as f64, format!("a:{}", member.port()));
    let member = format!("{{pool=\"p\",member=\"{key}\"");
    let clients = CLIENTS as f64;
    for (sample, expected) in [
        (format!("pronk_virtual_server_client_connections_total{vs}}}"), clients),
        (format!("pronk_virtual_server_connections{vs}}}"), 0.0),
        (format!("pronk_virtual_server_connections_max{vs}}}"), clients),
        (format!("pronk_virtual_server_traffic_bytes_total{vs},direction=\"in\"}}"), bytes),
        (format!("pronk_virtual_server_traffic_bytes_total{vs},direction=\"out\"}}"), bytes),
        (format!("pronk_virtual_server_connection_duration_seconds_count{vs}}}"), clients),
        (format!("pronk_virtual_server_connection_duration_seconds_bucket{vs},le=\"+Inf\"}}"), clients),
        (format!("pronk_virtual_server_first_byte_duration_seconds_count{vs}}}"), clients),
        (format!("pronk_virtual_server_connect_duration_seconds_count{vs}}}"), clients),
        (format!("pronk_virtual_server_queue_duration_seconds_count{vs}}}"), 0.0),
        (format!("pronk_virtual_server_client_handshake_duration_seconds_count{vs}}}"), 0.0),
        ("pronk_pool_member_connections_total{pool=\"p\"}".to_owned(), clients),
        ("pronk_pool_traffic_bytes_total{pool=\"p\",direction=\"in\"}".to_owned(), bytes),
        ("pronk_pool_traffic_bytes_total{pool=\"p\",direction=\"out\"}".to_owned(), bytes),
        (format!("pronk_member_client_connections_total{member}}}"), clients),
        (format!("pronk_member_traffic_bytes_total{member},direction=\"in\"}}"), bytes),
        (format!("pronk_member_traffic_bytes_total{member},direction=\"out\"}}"), bytes),
        (format!("pronk_virtual_server_traffic_bytes_total{},direction=\"in\"}}", server("nobody")), 0.0),
    ] {
        assert_eq!(samples.get(&sample), Some(&expected), "{sample}: {samples:#?}");
    }
    let packets = &samples[&format!("pronk_virtual_server_packets_total{vs},direction=\"in\"}}")];
    assert!(*packets >= clients, "{packets}");

    // The same by another way.
    let stats = pronk.stats();
    let rows = [&stats["virtual_servers"][1], &stats["pools"][1], &stats["pools"][1]["members"][0]];
    for row in rows {
        assert_eq!(
            (row["bits_in"].as_f64(), row["bits_out"].as_f64()),
            (Some(bytes * 8.0), Some(bytes * 8.0)),
            "{row}"
        );
        assert_eq!(
            row["connections"],
            serde_json::json!({ "current": 0, "elsewhere": 0, "maximum": CLIENTS, "total": CLIENTS }),
            "{row}"
        );
    }
    let closes = stats["virtual_servers"][1]["closes"].as_object().unwrap();
    assert_eq!(closes.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), CLIENTS as u64);
}

#[test]
fn format_is_the_one_that_is_asked_for() {
    let member = echo_member();
    let pronk = Pronk::start(|_| crate::lb::passthrough(member, &format!("127.0.0.1:{}", free_port())));
    let (_, plain) = pronk.get("/metrics", "");
    assert!(plain.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{plain}");
    let (_, open) = pronk.get("/metrics", "accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n");
    assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{open}");
    assert!(open.contains("\n# EOF\n") && !plain.contains("# EOF"), "{open}");
}

#[test]
fn reloads_and_probes_are_counted() {
    let (member, port) = (echo_member(), free_port());
    let config = format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
monitors: {{ quick: {{ type: tcp, interval: 200ms, timeout: 1s }} }}
pools: {{ p: {{ members: ['a:{}'], monitors: [quick] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
",
        member.port()
    );
    let pronk = Pronk::start(|_| config.clone());
    let key = format!("pool=\"p\",member=\"a:{}\"", member.port());
    let probes = |result: &str| format!("pronk_monitor_probes_total{{{key},monitor=\"quick\",result=\"{result}\"}}");
    until("two probes succeed", || samples(&pronk)[&probes("success")] >= 2.0);
    let now = samples(&pronk);
    assert_eq!(now[&format!("pronk_monitor_up{{{key},monitor=\"quick\"}}")], 1.0);
    assert_eq!(now[&probes("failure")], 0.0);
    assert_eq!(now[&format!("pronk_member_availability{{{key},availability=\"available\"}}")], 1.0);

    assert!(pronk.command(&["reload"]).status.success());
    let file = pronk.folder.path().join("pronk.yaml");
    std::fs::write(&file, "nonsense").unwrap();
    assert!(!pronk.command(&["reload"]).status.success());
    assert!(!pronk.command(&["reload", "--dry-run"]).status.success());
    let now = samples(&pronk);
    assert_eq!(now["pronk_reloads_total{result=\"success\"}"], 1.0);
    assert_eq!(now["pronk_reloads_total{result=\"failure\"}"], 1.0, "a dry run is no reload");
    assert_eq!(now["pronk_config_last_reload_successful"], 0.0);
    std::fs::write(&file, config).unwrap();
    assert!(pronk.command(&["reload"]).status.success());
    assert_eq!(samples(&pronk)["pronk_config_last_reload_successful"], 1.0);
    assert!(samples(&pronk)[&probes("success")] >= 2.0, "a reload keeps the counts");
}
