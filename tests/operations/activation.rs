//! Restarts by a service manager that holds the listening sockets: as a socket unit, and as what it was given to keep.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lb::{PATIENCE, free_port, passthrough};
use crate::peers::{connect, echo_member, echoes, try_connect};

/// The stand-in for systemd (tests/support/service_manager.py), which runs a pronk.
struct Manager {
    child: Child,
    commands: ChildStdin,
    events: Receiver<Value>,
    folder: tempfile::TempDir,
}

impl Manager {
    fn start(options: &[&str], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pronk.yaml"), config).unwrap();
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/service_manager.py"))
            .args(options)
            .args(["--", env!("CARGO_BIN_EXE_pronk"), "run", "--drain-timeout", "5", "--log-file"])
            .arg(folder.path().join("log"))
            .arg("--admin-socket")
            .arg(folder.path().join("admin.sock"))
            .arg(folder.path().join("pronk.yaml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, events) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let manager = Self { commands: child.stdin.take().unwrap(), child, events, folder };
        manager.ready();
        manager
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// Waits for an event.
    fn event(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never: {what}\n{}", self.log()));
            if wanted(&event) {
                return event;
            }
        }
    }

    fn ready(&self) -> Value {
        self.event("ready", |event| event["READY"] == "1")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn command(&self, args: &[&str]) -> String {
        let socket = self.folder.path().join("admin.sock");
        let output =
            Command::new(env!("CARGO_BIN_EXE_pronk")).args(args).env("PRONK_ADMIN_SOCKET", socket).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = writeln!(self.commands, "stop");
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
    }
}

/// Clients that connect, talk and leave, until they are stopped. Returns how many connections there were.
fn clients(address: SocketAddr) -> impl FnOnce() -> u64 {
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut client = try_connect(address).unwrap();
                    assert!(echoes(&mut client));
                    served.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(fastrand::u64(5..50)));
                }
            })
        })
        .collect();
    move || {
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        served.load(Ordering::Relaxed)
    }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn restart_through_a_socket_unit_refuses_nobody() {
    let at = at(free_port());
    let mut manager = Manager::start(&["--listen", &at.to_string()], &passthrough(echo_member(), &at.to_string()));
    assert!(echoes(&mut connect(at)));
    let stop = clients(at);
    for _ in 0..5 {
        manager.tell("restart");
        manager.ready();
    }
    let served = stop();
    assert!(served > 20, "{served}");
    println!("{served} connections over 5 restarts, none refused");
    // After a crash whoever connects waits for the next process.
    manager.tell("kill");
    manager.event("a start", |event| event["event"] == "started");
    assert!(echoes(&mut connect(at)));
}

#[test]
fn restart_with_kept_sockets_refuses_nobody() {
    let at = at(free_port());
    let mut manager = Manager::start(&["--store", "16"], &passthrough(echo_member(), &at.to_string()));
    manager.event("kept", |event| event["event"] == "stored");
    let stop = clients(at);
    for _ in 0..5 {
        manager.tell("restart");
        let started = manager.event("a start", |event| event["event"] == "started");
        assert_eq!(started["passed"].as_array().unwrap().len(), 1, "{started}");
        manager.ready();
    }
    let served = stop();
    assert!(served > 20, "{served}");

    // What nobody listens at any more is not kept, and clients are refused.
    let (file, other) = (manager.folder.path().join("pronk.yaml"), self::at(free_port()));
    std::fs::write(file, passthrough(echo_member(), &other.to_string())).unwrap();
    manager.command(&["reload"]);
    manager.event("forgotten", |event| event["event"] == "forgot");
    assert!(echoes(&mut connect(other)));
    crate::lb::until("the old one is refused", || try_connect(at).is_err());
}

#[test]
fn admin_api_is_where_it_was_after_a_restart_and_refuses_nobody() {
    let (served, api) = (at(free_port()), at(free_port()));
    let tokens = tempfile::tempdir().unwrap();
    let file = tokens.path().join("tokens");
    let create = ["admin", "token", "create", "--name", "ci", "--role", "viewer", "--file", file.to_str().unwrap()];
    assert!(Command::new(env!("CARGO_BIN_EXE_pronk")).args(create).output().unwrap().status.success());
    let config = passthrough(echo_member(), &served.to_string())
        + &format!("admin: {{ listen: '{api}', tokens-file: '{}' }}\n", file.display());
    let mut manager = Manager::start(&["--store", "16"], &config);
    for _ in 0..2 {
        manager.event("kept", |event| event["event"] == "stored");
    }
    let healthy = || {
        let mut client = connect(api);
        client.write_all(b"GET /healthz HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200")
    };
    assert!(healthy());
    for _ in 0..3 {
        manager.tell("restart");
        let started = manager.event("a start", |event| event["event"] == "started");
        assert_eq!(started["passed"].as_array().unwrap().len(), 2, "{started}");
        // Whoever connects meanwhile waits.
        assert!(healthy());
        manager.ready();
    }
}

/// What was kept for a destination that the file has no more would take its clients, and answer none of them.
#[test]
fn kept_socket_that_the_file_has_no_use_for_any_more_is_closed_with_the_next_start() {
    let (before, after) = (at(free_port()), at(free_port()));
    let member = echo_member();
    let mut manager = Manager::start(&["--store", "16"], &passthrough(member, &before.to_string()));
    manager.event("kept", |event| event["event"] == "stored");
    let file = manager.folder.path().join("pronk.yaml");
    for (destination, served) in
        [(after, after), (SocketAddr::from(([0, 0, 0, 0], after.port())), after), (before, before)]
    {
        std::fs::write(&file, passthrough(member, &destination.to_string())).unwrap();
        manager.tell("restart");
        manager.event("forgotten", |event| event["event"] == "forgot");
        assert!(echoes(&mut connect(served)), "{destination}");
        let gone = if served == after { before } else { after };
        crate::lb::until("the other one is refused", || try_connect(gone).is_err());
    }
}

#[test]
fn upgrade_is_told_to_the_service_manager_and_keeps_its_sockets() {
    let (of_unit, own) = (at(free_port()), at(free_port()));
    let member = echo_member();
    let text = |destinations: &[SocketAddr]| {
        let mut text = format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['a:{}'] }} }}\nvirtual-servers:",
            member.port()
        );
        for (number, at) in destinations.iter().enumerate() {
            text += &format!("\n  vs{number}: {{ destination: '{at}', pool: p }}");
        }
        text + "\n"
    };
    let options = ["--listen", &of_unit.to_string(), "--store", "16", "--watchdog", "0.3"];
    let mut manager = Manager::start(&options, &text(&[of_unit, own]));
    let first = manager.event("a watchdog", |event| event["WATCHDOG"] == "1")["main"].clone();
    let said = manager.command(&["upgrade"]);
    let pid: u64 = said.split(' ').nth(1).unwrap().parse().unwrap();
    manager.event("another main process", |event| event["main"] == pid);
    manager.event("the old one's end", |event| event["event"] == "ended" && event["pid"] == first);
    manager.event("the new one's watchdog", |event| event["WATCHDOG"] == "1" && event["main"] == pid);
    assert!(echoes(&mut connect(of_unit)) && echoes(&mut connect(own)));

    // What is kept is kept by the new process as it was by the old one.
    manager.tell("restart");
    let started = manager.event("a start", |event| event["event"] == "started");
    let kept = started["passed"].as_array().unwrap().iter().filter(|name| *name != "pronk.socket").count();
    assert_eq!(kept, 2, "{started}");
    manager.ready();
    assert!(echoes(&mut connect(of_unit)) && echoes(&mut connect(own)));

    // The unit's socket is the manager's still: without a virtual server clients are left waiting, and the log says so;
    // with one again, they are served.
    let file = manager.folder.path().join("pronk.yaml");
    std::fs::write(&file, text(&[own])).unwrap();
    manager.command(&["reload"]);
    assert!(manager.log().contains("a socket at which no virtual server listens"), "{}", manager.log());
    let mut waiting = connect(of_unit);
    std::fs::write(&file, text(&[own, of_unit])).unwrap();
    manager.command(&["upgrade"]);
    assert!(echoes(&mut waiting) && echoes(&mut connect(own)));
    manager.tell("kill");
    manager.event("a start", |event| event["event"] == "started");
    assert!(echoes(&mut connect(of_unit)) && echoes(&mut connect(own)));
}

/// The new process is the service manager's child, not the old one's, so that its end is noticed while that drains.
#[test]
fn crash_of_the_new_process_is_noticed_while_the_old_one_drains() {
    let at = at(free_port());
    let mut manager = Manager::start(&["--listen", &at.to_string()], &passthrough(echo_member(), &at.to_string()));
    let mut query = connect(at);
    assert!(echoes(&mut query));
    let said = manager.command(&["upgrade"]);
    let pid: u64 = said.split(' ').nth(1).unwrap().parse().unwrap();
    manager.event("another main process", |event| event["main"] == pid);
    manager.tell("kill");
    manager.event("its end", |event| event["event"] == "ended" && event["pid"] == pid);
    manager.event("a start", |event| event["event"] == "started");
    assert!(echoes(&mut query), "the old process goes on with what it has");
    assert!(echoes(&mut connect(at)));
}

/// The real program that activates by sockets.
#[test]
fn systemd_activates_pronk_with_the_first_client() {
    if Command::new("systemd-socket-activate").arg("--version").output().is_err() {
        return println!("there is no systemd-socket-activate here");
    }
    let (folder, at) = (tempfile::tempdir().unwrap(), at(free_port()));
    let file = folder.path().join("pronk.yaml");
    std::fs::write(&file, passthrough(echo_member(), &at.to_string())).unwrap();
    let mut child = Command::new("systemd-socket-activate")
        .args(["--listen", &at.to_string(), env!("CARGO_BIN_EXE_pronk"), "run", "--admin-socket"])
        .arg(folder.path().join("admin.sock"))
        .arg(file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    crate::lb::until("it listens", || try_connect(at).is_ok());
    assert!(echoes(&mut connect(at)));
    child.kill().unwrap();
    child.wait().unwrap();
}
