//! How each kind of end is passed on, in every mode: the tables of docs/connection-ends.md.

use std::io::ErrorKind;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::lb::{PATIENCE, Pronk, until};
use crate::peers::reset;
use crate::sides::{Layers, Peer, Seen, Sides};

const DOCS: &str = include_str!("../../docs/connection-ends.md");

/// What one side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Fin,
    Reset,
    CloseNotify,
    FinAlone,
    NoTls,
}

impl Deed {
    const PLAIN: &[Self] = &[Self::Fin, Self::Reset];
    const TLS: &[Self] = &[Self::CloseNotify, Self::FinAlone, Self::Reset, Self::NoTls];

    fn words(self, in_tls: bool) -> &'static str {
        match self {
            Self::Fin => "FIN",
            Self::Reset if in_tls => "RST under TLS",
            Self::Reset => "RST",
            Self::CloseNotify => "close_notify, FIN",
            Self::FinAlone => "FIN without close_notify",
            Self::NoTls => "bytes that are not TLS",
        }
    }

    /// Does it; returns the side, if it is still there.
    async fn by(self, mut peer: Peer) -> Option<Peer> {
        match self {
            Self::Fin | Self::CloseNotify => peer.finish().await,
            Self::FinAlone => peer.truncate().await,
            Self::Reset => {
                peer.reset();
                return None;
            }
            Self::NoTls => peer.write_raw(b"this is no record of TLS, and long enough to be read as one").await,
        }
        Some(peer)
    }
}

/// One side ends by `deed` while the other one is silent or sends. Returns what the other one sees.
async fn exchange(deed: Deed, doer: Peer, mut other: Peer, sends: bool) -> Seen {
    if !sends {
        let doer = deed.by(doer).await;
        let (bytes, seen) = other.read_to_end().await;
        assert_eq!(bytes, b"");
        drop(doer);
        return seen;
    }
    // The other one sends more than sockets hold, so that it is sending whenever the end comes.
    let (mut doer, chunk) = (doer, vec![7; 1 << 20]);
    let sending = async {
        let mut failed = None;
        for _ in 0..64 {
            failed = failed.or(other.write(&chunk).await.err());
        }
        let (bytes, seen) = other.read_to_end().await;
        assert_eq!(bytes, b"");
        match failed {
            // A write has taken the socket's error, so that reads end as if by FIN. After a FIN the error is another.
            Some(error) if error.kind() == ErrorKind::ConnectionReset && seen != Seen::CloseNotify => Seen::Reset,
            _ => seen,
        }
    };
    let ending = async {
        doer.read_exact(1 << 20).await;
        let Some(mut doer) = deed.by(doer).await else { return };
        if deed == Deed::NoTls {
            return;
        }
        // It has ended its own side alone, and takes all that the other one sends.
        let mut room = vec![0; 65536];
        let mut left = 63_usize << 20;
        while left > 0 {
            left -= doer.read(&mut room).await.unwrap();
        }
        // The other one sees the end only after it has sent everything.
        drop(doer);
    };
    tokio::join!(sending, ending).0
}

/// What one row of the table says: what the other side sees without and with TLS, and the close code.
#[derive(Debug, Default)]
struct Row {
    plain: Option<&'static str>,
    tls: Option<&'static str>,
    code: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_passed_on_as_it_was_in_every_mode() {
    let mut rows: Vec<((&str, &str), Row)> = Vec::new();
    for layers in Layers::ALL {
        let sides = Sides::start(layers, "", "").await;
        let mut count = 0;
        for (by, in_tls, other_in_tls) in
            [("client", layers.client, layers.member), ("member", layers.member, layers.client)]
        {
            for deed in if in_tls { Deed::TLS } else { Deed::PLAIN } {
                for sends in [false, true] {
                    let (client, member) = timeout(PATIENCE, sides.connect()).await.unwrap();
                    let (doer, other) = if by == "client" { (client, member) } else { (member, client) };
                    let what = format!("{layers:?}: {by}: {deed:?}, the other side sends: {sends}");
                    let seen = timeout(PATIENCE, exchange(*deed, doer, other, sends)).await.expect(&what);
                    count += 1;
                    let code = sides.code_after(count);
                    let key = (by, deed.words(in_tls));
                    let row = match rows.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, row)) => row,
                        None => &mut rows.push_mut((key, Row { code: code.clone(), ..Row::default() })).1,
                    };
                    assert_eq!(row.code, code, "{what}");
                    let cell = if other_in_tls { &mut row.tls } else { &mut row.plain };
                    assert_eq!(*cell.get_or_insert(seen.as_str()), seen.as_str(), "{what}");
                }
            }
        }
        until("all places are free", || sides.at_member() == 0);
    }
    let cell = |seen: Option<&'static str>| seen.unwrap_or("");
    let lines = rows.iter().map(|((by, deed), row)| {
        format!("| {by} | {deed} | {} | {} | `{}` |", cell(row.plain), cell(row.tls), row.code)
    });
    check_documentation(lines.collect());
    assert_eq!(rows.len(), 12);
}

#[track_caller]
fn check_documentation(lines: Vec<String>) {
    let missing: Vec<_> = lines.into_iter().filter(|line| !DOCS.lines().any(|known| known == line)).collect();
    assert!(missing.is_empty(), "docs/connection-ends.md lacks\n{}", missing.join("\n"));
}

/// What client and member see of an end that pronk decides, and its code. `drain` is whether pronk stops, and if so,
/// in the middle of an answer.
async fn decided(layers: Layers, protocol: &str, drain: Option<bool>) -> (Seen, Seen, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    let sides = Sides::start_with(layers, protocol, "", |write| Pronk::start_with(command, 3, write)).await;
    let (mut client, mut member) = sides.connect().await;
    match drain {
        Some(true) => {
            // More than sockets hold, and nobody reads it.
            let _ = timeout(Duration::from_millis(500), member.write(&vec![7; 32 << 20])).await;
        }
        Some(false) => {}
        None if protocol.contains("half-closed") => client.finish().await,
        None => {}
    }
    if drain.is_some() {
        sides.pronk.signal("TERM");
    }
    let code = sides.code_after(1);
    let (_, at_client) = client.read_to_end().await;
    let (_, at_member) = member.read_to_end().await;
    (at_client, at_member, code)
}

// A thread for each, as waiting for pronk to start blocks it.
#[tokio::test(flavor = "multi_thread", worker_threads = 12)]
async fn ends_that_pronk_decides_are_as_the_table_says() {
    let plain = Layers { client: false, member: false };
    let tls = Layers { client: true, member: true };
    let mut ends = JoinSet::new();
    for (what, protocol, drain) in [
        ("idle-timeout, with `reset-on-timeout: true`", ", idle-timeout: 4s", None),
        ("idle-timeout, with `reset-on-timeout: false`", ", idle-timeout: 4s, reset-on-timeout: false", None),
        ("half-closed-timeout after the client's end", ", half-closed-timeout: 1s", None),
        ("end of a drain, nothing under way", "", Some(false)),
        ("end of a drain in a request or an answer", "", Some(true)),
    ] {
        ends.spawn(async move {
            let [in_plain, in_tls] = [plain, tls].map(|layers| tokio::spawn(decided(layers, protocol, drain)));
            let (in_plain, in_tls) = (in_plain.await.unwrap(), in_tls.await.unwrap());
            assert_eq!(in_plain.2, in_tls.2, "{what}");
            // After the client's own end the member has seen that already.
            if !protocol.contains("half-closed") {
                assert_eq!((in_plain.0, in_tls.0), (in_plain.1, in_tls.1), "{what}");
            }
            format!("| {what} | {} | {} | `{}` |", in_plain.0.as_str(), in_tls.0.as_str(), in_plain.2)
        });
    }
    check_documentation(ends.join_all().await);
}

/// As a coordinator that is restarted while clients keep idle sessions: their kernel does not end for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_of_a_member_that_ended_is_free_while_clients_keep_their_side_open() {
    for layers in Layers::ALL {
        let sides = Sides::start(layers, ", half-closed-timeout: 2s", "").await;
        let mut idle = Vec::new();
        for _ in 0..3 {
            let (client, member) = sides.connect().await;
            idle.push(client);
            drop(member);
        }
        let ended = Instant::now();
        until("the member's places are free", || sides.at_member() == 0);
        assert!(ended.elapsed() < Duration::from_secs(10), "{:?}", ended.elapsed());
        // The records follow when the clients' sides are given up.
        assert!(sides.code_after(3).starts_with("member-"));
        drop(idle);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_is_lost_after_it_ended_its_side_resets_the_member() {
    for layers in Layers::ALL {
        let sides = Sides::start(layers, "", "").await;
        let (mut client, mut member) = sides.connect().await;
        client.finish().await;
        let mut end = [0];
        assert_eq!(member.read(&mut end).await.unwrap(), 0, "the end of the client's side");
        client.reset();
        // The member waits for nobody any more.
        until("the member is reset", || member.tcp().take_error().unwrap().is_some());
        assert_eq!(sides.code_after(1), "client-reset");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_pass_both_ways_after_either_end() {
    for layers in Layers::ALL {
        let sides = Sides::start(layers, "", "").await;
        let (mut client, mut member) = sides.connect().await;
        member.finish().await;
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        // Longer than the member's place is kept without bytes.
        tokio::time::sleep(Duration::from_millis(700)).await;
        client.write(b"later").await.unwrap();
        client.finish().await;
        assert_eq!(member.read_to_end().await.0, b"later");
        assert_eq!(sides.code_after(1), "member-fin");
    }
}

/// A connection whose other side takes nothing is no reason to keep a lost one for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_is_passed_on_within_close_wait_to_a_side_that_reads_nothing() {
    let sides = Sides::start(Layers::ALL[0], ", close-wait: 1s, idle-timeout: indefinite", "").await;
    let (client, mut member) = sides.connect().await;
    // The member's socket and pronk's are full, so that bytes wait in pronk.
    let Peer::Plain(member_tcp) = &mut member else { panic!() };
    let filled = timeout(Duration::from_secs(1), async {
        loop {
            member_tcp.writable().await.unwrap();
            let _ = member_tcp.try_write(&[7; 65536]);
        }
    });
    assert!(filled.await.is_err());
    reset(member.tcp());
    drop(member);
    // The client sends, which finds the member lost although its bytes cannot be delivered.
    client.tcp().try_write(b"more").unwrap();
    assert_eq!(sides.code_after(1), "member-reset");
    drop(client);
}

/// Fills the sockets of a side that reads nothing, so that bytes wait in pronk.
async fn fill(from: &Peer) {
    let mut quiet = 0;
    while quiet < 10 {
        quiet += 1;
        let Peer::Plain(tcp) = from else { panic!() };
        while tcp.try_write(&[7; 65536]).is_ok() {
            quiet = 0;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Nobody reads it meanwhile, so that it has to be watched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn side_that_is_lost_while_the_other_reads_nothing_holds_no_place() {
    for layers in [Layers { client: false, member: false }, Layers { client: true, member: false }] {
        let sides = Sides::start(layers, ", close-wait: 1h, idle-timeout: indefinite", "").await;
        let (_client, member) = sides.connect().await;
        fill(&member).await;
        reset(member.tcp());
        drop(member);
        until("the member's place is free", || sides.at_member() == 0);
    }
    for layers in [Layers { client: false, member: false }, Layers { client: false, member: true }] {
        let sides = Sides::start(layers, ", close-wait: 1s, idle-timeout: indefinite", "").await;
        let (client, _member) = sides.connect().await;
        fill(&client).await;
        reset(client.tcp());
        drop(client);
        assert_eq!(sides.code_after(1), "client-reset");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_of_a_member_that_reset_is_free_before_its_client_has_read_everything() {
    let sides = Sides::start(Layers::ALL[0], ", close-wait: 1h, idle-timeout: indefinite", "").await;
    let (_client, mut member) = sides.connect().await;
    // Fits into the sockets before the client.
    member.write(&vec![7; 256 << 10]).await.unwrap();
    until("the member has nothing left to send", || pronk::net::is_all_acknowledged(member.tcp()));
    reset(member.tcp());
    drop(member);
    until("the member's place is free", || sides.at_member() == 0);
}

/// A pause of an answer cannot be told from its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_never_makes_a_part_of_an_answer_look_whole() {
    for layers in Layers::ALL {
        let command = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let sides = Sides::start_with(layers, "", "", |write| Pronk::start_with(command, 1, write)).await;
        let (mut client, mut member) = sides.connect().await;
        member.write(b"a part").await.unwrap();
        client.read_exact(6).await;
        // Longer than the log takes a pause for.
        tokio::time::sleep(Duration::from_millis(1200)).await;
        sides.pronk.signal("TERM");
        assert_eq!(client.read_to_end().await, (Vec::new(), Seen::Reset), "{layers:?}");
        assert_eq!(member.read_to_end().await, (Vec::new(), Seen::Reset), "{layers:?}");
        assert_eq!(sides.code_after(1), "drained", "{layers:?}");
    }
}

/// A side that has ended is at rest as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_calls_a_half_closed_connection_at_rest_no_exchange() {
    for layers in Layers::ALL {
        for by_client in [true, false] {
            let command = Command::new(env!("CARGO_BIN_EXE_pronk"));
            let sides = Sides::start_with(layers, "", "", |write| Pronk::start_with(command, 1, write)).await;
            let (mut client, mut member) = sides.connect().await;
            if by_client {
                client.finish().await;
                assert_eq!(member.read(&mut [0]).await.unwrap(), 0);
            } else {
                member.finish().await;
                assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            }
            tokio::time::sleep(Duration::from_millis(1200)).await;
            sides.pronk.signal("TERM");
            assert_eq!(sides.code_after(1), "drained", "{layers:?}, by the client: {by_client}");
        }
    }
}

/// The end of what it is still to receive is no reason to give it up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_closed_timeout_begins_when_the_end_was_passed_on() {
    for layers in [Layers { client: false, member: false }, Layers { client: true, member: false }] {
        let sides = Sides::start(layers, ", half-closed-timeout: 1s", "").await;
        let (mut client, mut member) = sides.connect().await;
        let sent = 24 << 20;
        let sending = tokio::spawn(async move {
            member.write(&vec![7; sent]).await.unwrap();
            member.finish().await;
            member
        });
        // Until nothing passes any more, and half-closed-timeout would be over.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (received, end) = client.read_to_end().await;
        let expected = if layers.client { Seen::CloseNotify } else { Seen::Fin };
        assert_eq!((received.len(), end), (sent, expected), "{layers:?}");
        drop(sending.await.unwrap());
    }
}

/// A slow login is no sign of a member without SASL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_blames_no_member_that_has_not_answered_yet() {
    for layers in [Layers { client: false, member: false }, Layers { client: true, member: false }] {
        let command = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let sides = Sides::start_with(layers, "", "", |write| Pronk::start_with(command, 1, write)).await;
        let mut client = sides.client().await;
        client.write(b"\x01\x00\x00\x00\x05PLAIN\x05\x00\x00\x00\x00").await.unwrap();
        let _member = sides.member().await;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        sides.pronk.signal("TERM");
        assert_eq!(sides.code_after(1), "drained-in-exchange", "{layers:?}");
    }
}
