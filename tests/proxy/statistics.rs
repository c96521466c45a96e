//! `pronk show stats` and `pronk stats reset`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::lb::{Pronk, done, free_port, passthrough, until};
use crate::metrics::samples;
use crate::peers::{connect, echo_member, echoes};

/// A client that says hello, has it back and leaves; returns once it is counted as closed.
fn visit(pronk: &Pronk, address: SocketAddr) {
    let closed = || pronk.log().iter().filter(|line| line["message"] == "connection closed").count();
    let before = closed();
    assert!(echoes(&mut connect(address)));
    until("it is closed", || closed() > before);
}

#[test]
fn reset_begins_anew_and_metrics_go_on() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{port}")));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let held = &mut connect(address);
    assert!(echoes(held));
    visit(&pronk, address);
    let key = format!("a:{}", member.port());
    let rows = |stats: &serde_json::Value| {
        [&stats["virtual_servers"][0], &stats["pools"][0], &stats["pools"][0]["members"][0]].map(Clone::clone)
    };
    for row in rows(&pronk.stats()) {
        assert_eq!((row["bits_in"].as_u64(), row["since"].is_null()), (Some(80), true), "{row}");
        assert_eq!(
            row["connections"],
            serde_json::json!({ "current": 1, "elsewhere": 0, "maximum": 2, "total": 2 }),
            "{row}"
        );
    }

    let said = done(&pronk, &["stats", "reset"]);
    assert!(said.contains("1 virtual server, 1 pool, 1 member"), "{said}");
    let after = pronk.stats();
    for row in rows(&after) {
        assert_eq!((row["bits_in"].as_u64(), row["since"].is_string()), (Some(0), true), "{row}");
        assert_eq!(
            row["connections"],
            serde_json::json!({ "current": 1, "elsewhere": 0, "maximum": 1, "total": 0 }),
            "{row}"
        );
        assert!(row.get("closes").is_none(), "{row}");
    }
    let text = done(&pronk, &["show", "stats"]);
    assert!(text.starts_with(&format!("Since the last reset, {}\n", after["pools"][0]["since"].as_str().unwrap())));
    visit(&pronk, address);
    for row in rows(&pronk.stats()) {
        assert_eq!((row["bits_in"].as_u64(), row["connections"]["total"].as_u64()), (Some(40), Some(1)), "{row}");
    }
    let samples = samples(&pronk);
    let total = format!("pronk_member_client_connections_total{{pool=\"p\",member=\"{key}\"}}");
    assert_eq!((samples[&total], samples["pronk_pool_member_connections_total{pool=\"p\"}"]), (3.0, 3.0));

    // The member alone, by each of its names.
    for name in [key.clone(), format!("p/{key}")] {
        visit(&pronk, address);
        let said = done(&pronk, &["stats", "reset", "--member", &name]);
        assert!(said.trim_end().ends_with("the statistics of 1 member"), "{said}");
        let [server, pool, member] = rows(&pronk.stats()).map(|row| row["connections"]["total"].as_u64().unwrap());
        assert!(server > 1 && pool > 1 && member == 0, "{server} {pool} {member}");
    }
    let refused = pronk.command(&["stats", "reset", "--member", &key, "--pool", "absent"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no pool `absent`"));
    assert!(done(&pronk, &["stats", "reset", "--pool", "p"]).contains("1 pool, 1 member"));
    assert!(done(&pronk, &["stats", "reset", "--virtual-server", "vs"]).contains("of 1 virtual server"));
}

#[test]
fn status_search_and_legend_are_shown() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{port}")));
    let stats = done(&pronk, &["show", "stats"]);
    assert!(stats.contains("Status Virtual server/Pool/Member"), "{stats}");
    assert!(stats.lines().any(|line| line.starts_with("■      vs")), "{stats}");
    assert!(done(&pronk, &["disable", "vs", "vs"]).contains("disabled"));
    assert!(done(&pronk, &["show", "stats"]).lines().any(|line| line.starts_with("□      vs")));
    let found = done(&pronk, &["show", "stats", "--search", "A:"]);
    assert!(found.contains("-- a:") && !found.contains(" vs"), "{found}");
    assert_eq!(done(&pronk, &["show", "stats", "--search", "absent"]), "nothing of that name\n");
    let map = done(&pronk, &["show", "map"]);
    assert!(map.ends_with("hollow (○ △ ◇ □): disabled or forced offline\n"), "{map}");
    let colored = done(&pronk, &["show", "map", "--color", "always"]);
    assert!(colored.contains("\x1b[34m□\x1b[0m vs"), "{colored:?}");
    assert!(!map.contains('\x1b'));
}

#[test]
fn watch_prints_again_and_again_and_rates_are_per_second() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{port}")));
    let mut watching = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["show", "stats", "--json", "--rates", "--watch", "0.2"])
        .env("PRONK_ADMIN_SOCKET", pronk.folder.path().join("admin.sock"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    next();
    let rate = |stats: &serde_json::Value| stats["virtual_servers"][0]["bits_in"].as_u64().unwrap();
    visit(&pronk, SocketAddr::from(([127, 0, 0, 1], port)));
    while rate(&next()) == 0 {}
    while rate(&next()) != 0 {}
    watching.kill().unwrap();
    watching.wait().unwrap();
    let once = done(&pronk, &["show", "stats", "--rates"]);
    assert!(once.contains("Bits/s") && once.contains("New/s"), "{once}");
}
