//! A new process takes over: what clients see of it, what goes over, and what changes nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};

use crate::ca::Authority;
use crate::lb::{Pronk, done, free_port, until};
use crate::peers::{connect, echo_member, echoes, is_refused, member, read_all, try_connect};
use crate::tls::trusting;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn plain(member: SocketAddr, port: u16) -> String {
    crate::lb::passthrough(member, &at(port).to_string())
}

/// The member of a map that has one.
fn map_member(map: &str) -> String {
    map.lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .find(|word| word.starts_with("a:"))
        .unwrap()
        .to_owned()
}

fn alive(pid: u32) -> bool {
    // A process that has ended may be a zombie, which has no arguments.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| !arguments.is_empty())
}

#[test]
fn open_connections_go_on_and_the_old_process_ends_with_the_last() {
    let port = free_port();
    let mut pronk = Pronk::start(|_| plain(echo_member(), port));
    let mut open = connect(at(port));
    assert!(echoes(&mut open));
    let first = pronk.pid();
    let second = pronk.upgrade();
    assert_ne!(first, second);
    let map = done(&pronk, &["show", "map"]);
    assert!(map.contains(&format!("process {second}: serving")), "the socket is the new process's: {map}");
    assert!(map.contains(&format!("process {first}, has handed over and drains")), "{map}");
    assert!(echoes(&mut connect(at(port))) && echoes(&mut open));
    let own = pronk.folder.path().join(format!("admin.sock.{first}"));
    let map =
        Command::new(env!("CARGO_BIN_EXE_pronk")).args(["show", "map", "--admin-socket"]).arg(&own).output().unwrap();
    let map = String::from_utf8(map.stdout).unwrap();
    assert!(map.contains(&format!("process {first}: draining")), "{map}");

    // Nobody is told that a member is free while another process has connections to it.
    let member = map_member(&map);
    let told = done(&pronk, &["drain", "member", &member, "--no-wait"]);
    assert!(told.contains(&format!("1 connection left; 1 of them in process {first}")), "{told}");
    done(&pronk, &["enable", "member", &member]);

    // A third one knows of the first, although the second is between them.
    let mut other = connect(at(port));
    assert!(echoes(&mut other));
    let third = pronk.upgrade();
    let map = || done(&pronk, &["show", "map"]);
    let both = |map: &str| {
        [first, second].iter().all(|pid| map.contains(&format!("process {pid}, has handed over and drains 1 ")))
    };
    until("both are shown with their connections", || both(&map()));
    assert!(echoes(&mut open) && echoes(&mut other));
    drop(other);
    until("the second ends before the first", || !map().contains(&format!("process {second},")));
    assert!(alive(first) && echoes(&mut open));
    drop(open);
    until("the third is alone", || !map().contains("has handed over"));
    assert!(pronk.ended().success());
    assert!(!own.exists() && alive(third) && !alive(second));
    assert!(echoes(&mut connect(at(port))));
}

#[test]
fn signal_upgrades_too() {
    let port = free_port();
    let mut pronk = Pronk::start(|_| plain(echo_member(), port));
    pronk.signal("USR2");
    let line = pronk.logged("an upgrade", |line| line["message"] == "the new process serves; this one drains");
    pronk.adopt(line["pid"].as_u64().unwrap() as u32);
    assert!(pronk.ended().success());
    assert!(echoes(&mut connect(at(port))));
}

/// Whoever asks while another process drains is told so, and a second SIGTERM closes what is left.
#[test]
fn old_process_gets_the_drain_time_of_a_stop_with_the_first_signal() {
    let port = free_port();
    let mut pronk = Pronk::start_with(Command::new(env!("CARGO_BIN_EXE_pronk")), 3600, |_| plain(echo_member(), port));
    let mut open = connect(at(port));
    assert!(echoes(&mut open));
    pronk.upgrade();
    pronk.signal("TERM");
    let map = || done(&pronk, &["show", "map"]);
    let left = |map: &str| map.split("for ").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    until("the time is shorter", || left(&map()).is_some_and(|seconds| seconds <= 3600));
    assert!(echoes(&mut open), "a stop waits as long");
    pronk.signal("USR2");
    pronk.logged("a refusal", |line| {
        line["message"].as_str().is_some_and(|it| it.starts_with("an upgrade is refused: this process drains"))
    });
    pronk.signal("TERM");
    assert!(read_all(&mut open).0.is_empty());
    assert!(pronk.ended().success());
}

#[test]
fn drain_time_of_the_old_process_can_be_given() {
    let port = free_port();
    let mut pronk = Pronk::start(|_| plain(echo_member(), port));
    let mut open = connect(at(port));
    assert!(echoes(&mut open));
    let told = done(&pronk, &["upgrade", "--drain-timeout", "0"]);
    let pid = told.split(' ').nth(1).unwrap().parse().unwrap();
    pronk.adopt(pid);
    assert!(read_all(&mut open).0.is_empty(), "it is closed");
    assert!(pronk.ended().success());
    assert!(echoes(&mut connect(at(port))));
}

/// What is wrong with the new process, and what is said of it.
#[test]
fn new_process_that_does_not_start_changes_nothing() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("pronk");
    std::fs::copy(env!("CARGO_BIN_EXE_pronk"), &program).unwrap();
    let pronk = Pronk::start_by(Command::new(&program), |_| plain(echo_member(), port));
    let good = std::fs::read_to_string(pronk.folder.path().join("pronk.yaml")).unwrap();
    let mut open = connect(at(port));
    assert!(echoes(&mut open));
    let refused = |expected: &str| {
        let output = pronk.command(&["upgrade"]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains("the upgrade failed, and nothing has changed: ") && err.contains(expected), "{err}");
        let map = done(&pronk, &["show", "map"]);
        assert!(map.contains(&format!("process {}: serving", pronk.pid())), "{map}");
    };
    let mut echoes_on = || echoes(&mut open) && echoes(&mut connect(at(port)));

    std::fs::write(pronk.folder.path().join("pronk.yaml"), good.replace("pool: p", "pool: q")).unwrap();
    refused("there is no pool");
    assert!(echoes_on());
    std::fs::write(pronk.folder.path().join("pronk.yaml"), &good).unwrap();

    let replace = |script: &str| {
        std::fs::remove_file(&program).unwrap();
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    replace("#!/bin/sh\nexit 7\n");
    refused("ended with exit status: 7");
    replace("#!/bin/sh\nexit 0\n");
    refused(&format!("ended (exit status: 0) without taking over; is {} a pronk?", program.display()));
    replace("#!/bin/sh\nexec 0<&-\nexec sleep 600\n");
    refused("was ended (signal: 9");
    assert!(echoes_on());
    replace("#!/bin/sh\nkill -KILL $$\n");
    refused("was ended (signal: 9");
    replace("no program");
    refused("");
    std::fs::remove_file(&program).unwrap();
    refused(&format!("cannot start {}", program.display()));
    assert!(echoes_on());

    std::fs::copy(env!("CARGO_BIN_EXE_pronk"), &program).unwrap();
    pronk.upgrade();
    assert!(echoes_on());
}

/// A process that has prepared itself and then dies, and one that never speaks.
#[test]
fn new_process_that_dies_after_it_is_prepared_changes_nothing() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("pronk");
    std::fs::copy(env!("CARGO_BIN_EXE_pronk"), &program).unwrap();
    let pronk = Pronk::start_by(Command::new(&program), |_| plain(echo_member(), port));
    std::fs::remove_file(&program).unwrap();
    // It says that it is prepared, reads what comes, and ends.
    let script = "#!/usr/bin/env python3
import os, socket
s = socket.socket(fileno=os.dup(0))
def say(text): s.sendall(len(text).to_bytes(4, 'big') + text)
if pid := os.fork():
    say(b'{\"started\":{\"pid\":%d}}' % pid)
    raise SystemExit
def receive():
    length = int.from_bytes(s.recv(4, socket.MSG_WAITALL), 'big')
    return s.recv(length, socket.MSG_WAITALL)
while b'greeting' not in receive(): pass
say(b'\"prepared\"')
while b'take-over' not in receive(): pass
";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut served = 0;
                while !stop.load(Ordering::Relaxed) {
                    assert!(echoes(&mut connect(at(port))));
                    served += 1;
                }
                served
            })
        })
        .collect();
    for _ in 0..5 {
        let output = pronk.command(&["upgrade"]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("ended before it was ready; its log says why"), "{err}");
    }
    stop.store(true, Ordering::Relaxed);
    let served: Vec<usize> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
}

/// A program that does something in the process that is to take over, not in its starter, and then is pronk.
fn pronk_after(folder: &Path, what: &str) -> std::path::PathBuf {
    let program = folder.join("pronk");
    let _ = std::fs::remove_file(&program);
    let script = format!(
        "#!/bin/bash\nif [ -z \"$PRONK_STARTS_SUCCESSOR\" ]; then\n{what}\nfi\nexec -a \"$0\" {} \"$@\"\n",
        env!("CARGO_BIN_EXE_pronk")
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// By then the new process has the sockets, and nobody else serves.
#[test]
fn new_process_serves_where_the_old_one_dies_before_it_hands_over() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let program = pronk_after(folder.path(), ":");
    let mut pronk = Pronk::start_by(Command::new(&program), |_| plain(echo_member(), port));
    let go = folder.path().join("go");
    pronk_after(folder.path(), &format!("while [ ! -e {} ]; do sleep 0.01; done", go.display()));
    pronk.signal("USR2");
    let line = pronk.logged("a new process", |line| line["message"] == "a new process prepares to take over");
    pronk.adopt(line["pid"].as_u64().unwrap() as u32);
    pronk.signal("KILL");
    pronk.ended();
    let mut waiting = connect(at(port));
    std::fs::write(go, "").unwrap();
    assert!(echoes(&mut waiting) && echoes(&mut connect(at(port))));
    pronk.logged("what it lacks", |line| line["message"].as_str().is_some_and(|it| it.contains("without its state")));
    assert!(done(&pronk, &["show", "map"]).contains(": serving"));
}

/// Whenever a stop comes while another process takes over: either the new one serves, with the admin socket, or nobody does.
#[test]
fn stop_at_any_moment_of_an_upgrade_leaves_a_whole_process_or_none() {
    for round in 0..20 {
        let port = free_port();
        let mut pronk = Pronk::start(|_| plain(echo_member(), port));
        pronk.signal("USR2");
        let line = pronk.logged("a new process", |line| line["message"] == "a new process prepares to take over");
        let pid = line["pid"].as_u64().unwrap() as u32;
        pronk.adopt(pid);
        std::thread::sleep(std::time::Duration::from_millis(fastrand::u64(0..40)));
        pronk.signal("TERM");
        assert!(pronk.ended().success(), "{round}");
        // One that gives up may be alive for a moment.
        if alive(pid) && try_connect(at(port)).is_ok_and(|mut client| echoes(&mut client)) {
            let map = done(&pronk, &["show", "map"]);
            assert!(map.contains(&format!("process {pid}: serving")), "{round}: {map}");
        } else {
            // A process that is killed closes its sockets last.
            until("nobody listens", || try_connect(at(port)).is_err());
        }
    }
}

/// Whether it is the new process that hangs, or what is to start it.
#[test]
fn stop_ends_an_upgrade_that_is_under_way() {
    for hangs_at in ["[ -n \"$PRONK_STARTS_SUCCESSOR\" ]", "[ -z \"$PRONK_STARTS_SUCCESSOR\" ]"] {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let (program, hanging) = (folder.path().join("pronk"), folder.path().join("pid"));
        std::fs::copy(env!("CARGO_BIN_EXE_pronk"), &program).unwrap();
        let mut pronk = Pronk::start_by(Command::new(&program), |_| plain(echo_member(), port));
        std::fs::remove_file(&program).unwrap();
        let (note, real) = (hanging.display(), env!("CARGO_BIN_EXE_pronk"));
        let hang = format!("if {hangs_at}; then echo $$ > {note}.new; mv {note}.new {note}; exec sleep 1000; fi");
        std::fs::write(&program, format!("#!/bin/bash\n{hang}\nexec -a \"$0\" {real} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        pronk.signal("USR2");
        until("it hangs", || hanging.exists());
        let pid: u32 = std::fs::read_to_string(&hanging).unwrap().trim().parse().unwrap();
        let why = String::from_utf8(pronk.command(&["reload"]).stderr).unwrap();
        assert!(why.contains("a reload is refused: an upgrade is under way"), "{why}");
        let again = String::from_utf8(pronk.command(&["upgrade"]).stderr).unwrap();
        assert!(again.contains("an upgrade is refused: an upgrade is under way"), "{again}");
        pronk.signal("TERM");
        assert!(pronk.ended().success());
        until("the new process has ended", || !alive(pid));
    }
}

/// Persistence records, administrative states and verdicts go over.
#[test]
fn state_goes_over() {
    let (first, second, sticky) = (free_port(), free_port(), free_port());
    let named = |name: u8| {
        member(move |mut stream| {
            if stream.read_exact(&mut [0]).is_ok() && stream.write_all(&[name]).is_ok() {
                drop(read_all(&mut stream));
            }
        })
    };
    let members = [named(b'a'), named(b'b')];
    let down = free_port();
    let pronk = Pronk::start(|_| {
        let [a, b] = members.map(|member| member.port());
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }}, c: {{ address: 127.0.0.1 }} }}
monitors:
  slow: {{ type: tcp, defaults-from: tcp, interval: 1h, timeout: 3h, jitter: false }}
  quick: {{ type: tcp, defaults-from: tcp, interval: 1h, timeout: 1, jitter: false }}
pools:
  p: {{ monitors: [slow], members: ['a:{a}', 'b:{b}'], slow-ramp-time: 0 }}
  q: {{ monitors: [quick], members: ['c:{down}'] }}
virtual-servers:
  one: {{ destination: '127.0.0.1:{first}', pool: p }}
  two: {{ destination: '127.0.0.1:{second}', pool: q }}
  sticky: {{ destination: '127.0.0.1:{sticky}', pool: p, persistence: source_addr }}
"
        )
    });
    let ask = |port: u16, from: u8| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, from], 0)).into()).unwrap();
        socket.connect(&at(port).into()).unwrap();
        let (mut client, mut name) = (TcpStream::from(socket), [0]);
        client.write_all(b"?").and_then(|()| client.read_exact(&mut name)).unwrap();
        name[0]
    };
    let map = || done(&pronk, &["show", "map"]);
    let down_for = format!("c:{down}  offline: monitor quick");
    until("the monitors have looked", || {
        map().matches("every monitor succeeds").count() >= 4 && map().contains(&down_for)
    });
    let before: Vec<_> = (1..=40).map(|client| ask(sticky, client)).collect();
    assert!(before.contains(&b'a') && before.contains(&b'b'));
    done(&pronk, &["offline", "member", &format!("p/b:{}", members[1].port()), "--until-restart", "--reason", "disk"]);
    let shown = done(&pronk, &["state", "show"]);
    pronk.upgrade();
    assert_eq!(done(&pronk, &["state", "show"]), shown, "an upgrade is no restart");
    assert!((0..6).all(|_| ask(first, 1) == b'a'));
    let states = map();
    assert!(states.contains("(set by ") && states.contains(": disk)"), "{states}");
    assert!(states.contains(&down_for) && states.contains("every monitor succeeds"), "at once: {states}");
    done(&pronk, &["state", "clear", "--all"]);
    let after: Vec<_> = (1..=40).map(|client| ask(sticky, client)).collect();
    assert_eq!(before, after);
}

fn client(config: &Arc<ClientConfig>, port: u16) -> HandshakeKind {
    let connection = ClientConnection::new(Arc::clone(config), "lb.example.com".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, connect(at(port)));
    stream.write_all(b"hello").unwrap();
    // What comes also brings the ticket for the next time.
    stream.read_exact(&mut [0; 5]).unwrap();
    stream.conn.handshake_kind().unwrap()
}

/// A session goes on in the new process, unless the profile's certificates or its policy are others there.
#[test]
fn tls_sessions_are_resumed_by_the_new_process_of_the_same_profile_alone() {
    let (port, ca) = (free_port(), Authority::new("CA"));
    let write = |folder: &Path| {
        let files = ca.issue("lb.example.com").dns("lb.example.com").build().write(folder, "lb");
        format!(
            "profiles: {{ front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: '{}', key: '{}' }}] }} }}",
            files.cert.display(),
            files.key.display()
        )
    };
    let pronk = Pronk::start(|folder| {
        let base = plain(echo_member(), port).replace("pool: p }", "pool: p, client-ssl: front }");
        format!("{}\n{base}", write(folder))
    });
    let config = trusting(&ca);
    assert_eq!(client(&config, port), HandshakeKind::Full);
    assert_eq!(client(&config, port), HandshakeKind::Resumed);
    for _ in 0..2 {
        pronk.upgrade();
        assert_eq!(client(&config, port), HandshakeKind::Resumed);
    }
    // Another certificate under the same names.
    write(pronk.folder.path());
    pronk.upgrade();
    assert_eq!(client(&config, port), HandshakeKind::Full);
    assert_eq!(client(&config, port), HandshakeKind::Resumed);
}

/// More sockets than one message carries.
#[test]
fn hundreds_of_virtual_servers_go_over() {
    let (port, member) = (free_port(), echo_member());
    let addresses = || (0..600_u16).map(|number| SocketAddr::from(([127, 1, (number >> 8) as u8, number as u8], port)));
    let mut text = format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['a:{}'] }} }}\nvirtual-servers:\n",
        member.port()
    );
    for (number, at) in addresses().enumerate() {
        text += &format!("  vs{number}: {{ destination: '{at}', pool: p }}\n");
    }
    let pronk = Pronk::start(|_| text);
    for _ in 0..2 {
        let pid = pronk.upgrade();
        assert!(done(&pronk, &["show", "map"]).contains(&format!("process {pid}: serving")));
        for at in addresses() {
            assert!(echoes(&mut connect(at)), "{at}");
        }
    }
}

/// The new process takes its file as it is by then: other destinations, fewer, and port 0.
#[test]
fn new_process_listens_as_its_file_says() {
    let [stays, goes, comes] = [(); 3].map(|()| free_port());
    let member = echo_member();
    let file = |ports: &[u16]| {
        let mut text = format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['a:{}'] }} }}\nvirtual-servers:",
            member.port()
        );
        for (number, port) in ports.iter().enumerate() {
            text += &format!("\n  vs{number}: {{ destination: '127.0.0.1:{port}', pool: p }}");
        }
        text + "\n"
    };
    let pronk = Pronk::start(|_| file(&[stays, goes, 0]));
    std::fs::write(pronk.folder.path().join("pronk.yaml"), file(&[stays, comes, 0])).unwrap();
    let any = pronk.logged("port 0", |line| line["virtual_server"] == "vs2" && line["message"] == "listening");
    let any: SocketAddr = any["address"].as_str().unwrap().parse().unwrap();
    pronk.upgrade();
    for address in [at(stays), at(comes), any] {
        assert!(echoes(&mut connect(address)), "{address}");
    }
    until("the one that is gone is refused", || try_connect(at(goes)).is_err());
    assert!(!is_refused(at(stays)));
}
