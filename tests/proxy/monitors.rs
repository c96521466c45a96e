//! Monitors of a running pronk: what they need beside the file, and what they do to a member.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::{ServerConnection, StreamOwned};

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::peers::{connect, echo_member, is_refused, member};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::showing;

/// One virtual server on one member that is watched by `m` with these keys, and what else the file has.
fn config(member: SocketAddr, port: u16, monitor: &str, more: &str) -> String {
    format!(
        "nodes: {{ a: {{ address: {}, hostname: n1.example.test }} }}
pools: {{ p: {{ reselect-tries: 0, members: ['a:{}'], monitors: [m] }} }}
monitors: {{ m: {{ {monitor} }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
{more}",
        member.ip(),
        member.port(),
    )
}

/// Waits until the network map says this of the member.
fn wait_for(pronk: &Pronk, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let map = String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap();
        if map.contains(wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "the map never says {wanted:?}:\n{map}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a command of pronk's on a file that it must refuse, and returns what it says.
fn refused(command: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .arg(command)
        .arg(folder.path().join("pronk.yaml"))
        .env("PRONK_ADMIN_SOCKET", folder.path().join("admin.sock"))
        .output()
        .unwrap();
    assert!(!run.status.success());
    String::from_utf8_lossy(&run.stderr).into_owned()
}

/// Reads a request and answers it.
fn answer(stream: &mut (impl Read + Write), status: &str, body: &str) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
    }
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// A member that speaks HTTPS with this certificate.
fn https_member(leaf: &Leaf) -> SocketAddr {
    let config = showing(leaf);
    member(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        answer(&mut stream, "200 OK", "OK");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

/// A probe may take as long as the interval.
const QUICK: &str = "interval: 300ms, timeout: 3s";

#[test]
fn https_verifies_only_where_a_server_ssl_profile_says_so() {
    let authority = Authority::new("cluster");
    let leaf = authority.issue("n1.example.test").dns("n1.example.test").build();
    let other = Authority::new("other");
    let member = https_member(&leaf);
    let start = |monitor: &str, ca: Option<&Authority>| {
        Pronk::start(|folder| {
            let more = ca.map(|ca| {
                let file = ca.write(folder, "ca.pem");
                format!("profiles: {{ back: {{ type: server-ssl, ca-file: {} }} }}\n", file.display())
            });
            let keys = format!("type: https, {QUICK}, recv: '200 OK', {monitor}");
            config(member, free_port(), &keys, &more.unwrap_or_default())
        })
    };
    wait_for(&start("", None), "available: every monitor succeeds");
    wait_for(&start("server-ssl: back", Some(&authority)), "available: every monitor succeeds");
    wait_for(&start("server-ssl: back", Some(&other)), "offline: monitor m: TLS with 127.0.0.1");
}

#[test]
fn recv_disable_stops_new_connections_and_spares_the_others() {
    let drains = Arc::new(AtomicUsize::new(0));
    let page = Arc::clone(&drains);
    let web = member(move |mut stream| {
        let body = if page.load(Ordering::SeqCst) == 0 { "serving" } else { "maintenance" };
        answer(&mut stream, "200 OK", body);
    });
    let (echo, port) = (echo_member(), free_port());
    let keys = format!("type: http, {QUICK}, alias-port: {}, recv: serving, recv-disable: maintenance", web.port());
    let pronk = Pronk::start(|_| config(echo, port, &keys, ""));
    wait_for(&pronk, "available: every monitor succeeds");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut held = connect(address);
    held.write_all(b"hello").unwrap();
    held.read_exact(&mut [0; 5]).unwrap();

    drains.store(1, Ordering::SeqCst);
    wait_for(&pronk, "unavailable: monitor m: its answer matches recv-disable; it gets no new connection");
    assert!(is_refused(address), "a new connection is reset");
    pronk.closed("no-member-enabled");
    held.write_all(b"still").unwrap();
    held.read_exact(&mut [0; 5]).unwrap();
    drains.store(0, Ordering::SeqCst);
    wait_for(&pronk, "available: every monitor succeeds");
}

#[test]
fn manual_resume_waits_for_the_command() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let keys = format!("{QUICK}, manual-resume: true");
    let pronk = Pronk::start(|_| config(address, free_port(), &keys, ""));
    wait_for(&pronk, "offline: monitor m: cannot connect");
    let _listener = TcpListener::bind(address).unwrap();
    wait_for(&pronk, "offline: monitor m: it answers again, and stays down until `pronk member resume`");
    let name = format!("a:{}", address.port());
    let resumed = pronk.command(&["member", "resume", "p", &name]);
    assert!(resumed.status.success(), "{resumed:?}");
    wait_for(&pronk, "available: every monitor succeeds");

    for (pool, member, why) in [
        ("q", &*name, "there is no pool q"),
        ("p", "a:1", "pool p has no member a:1"),
        ("p", "a b", "a member is `node:port`, found `a b`"),
    ] {
        let refused = pronk.command(&["member", "resume", pool, member]);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}

#[test]
fn inband_counts_failures_of_clients_and_forgives_after_the_retry_time() {
    let (address, port) = (SocketAddr::from(([127, 0, 0, 1], free_port())), free_port());
    let keys = "type: inband, failures: 3, failure-interval: 1h, retry-time: 2s";
    let pronk = Pronk::start(|_| config(address, port, keys, ""));
    wait_for(&pronk, "available: every monitor succeeds");
    for _ in 0..3 {
        assert!(is_refused(SocketAddr::from(([127, 0, 0, 1], port))));
    }
    // The map would say so only until the retry time is over.
    let down = pronk.logged("that it is down", |line| line["message"] == "member is down" && line["monitor"] == "m");
    let reason = down["reason"].as_str().unwrap();
    assert!(reason.starts_with("3 connections failed within 3600s; the last: "), "{reason}");
    // Nobody has seen it answer yet.
    wait_for(&pronk, "available: suspect, so others are tried first (");
    wait_for(&pronk, "); every monitor succeeds");
}

#[test]
fn missing_password_is_told_by_check_and_at_start() {
    let keys = "type: http, user: monitor, password-file: nowhere.pass";
    let text = config(SocketAddr::from(([127, 0, 0, 1], 1)), free_port(), keys, "");
    for command in ["check", "run"] {
        let said = refused(command, &text);
        assert!(said.contains("monitor `m` has no password: ") && said.contains("nowhere.pass"), "{said}");
        assert!(said.contains("pronk.yaml:3:"), "{said}");
    }
}

/// With the permission it works, which a network namespace of its own would show; without it the line is told.
#[test]
fn ping_that_the_system_forbids_is_told_at_start() {
    let range = std::fs::read_to_string(Path::new("/proc/sys/net/ipv4/ping_group_range")).unwrap();
    let text = config(SocketAddr::from(([127, 0, 0, 1], 1)), free_port(), &format!("type: gateway-icmp, {QUICK}"), "");
    if range.split_whitespace().eq(["1", "0"]) {
        let said = refused("run", &text);
        assert!(said.contains("monitor `m` cannot ping"), "{said}");
        assert!(said.contains("sysctl -w net.ipv4.ping_group_range='0 2147483647'"), "{said}");
    } else {
        let pronk = Pronk::start(|_| text);
        wait_for(&pronk, "available: every monitor succeeds");
    }
}

#[test]
fn min_of_several_monitors_is_enough() {
    let (echo, refusing) = (echo_member(), free_port());
    let start = |rule: &str| {
        Pronk::start(|_| {
            let text = config(echo, free_port(), QUICK, "");
            text.replace("monitors: [m]", &format!("monitors: {rule}"))
                .replace("monitors: { m:", &format!("monitors: {{ no: {{ {QUICK}, alias-port: {refusing} }}, m:"))
        })
    };
    wait_for(&start("{ min: 1, of: [m, no] }"), "available: every monitor succeeds");
    wait_for(&start("m and no"), "offline: monitor no: cannot connect");
}

/// Not a test: a member of its own process, when a test starts it so. It answers HTTP, and says on which port and
/// whenever it has answered.
#[test]
fn member_process() {
    if std::env::var_os(MEMBER_PROCESS).is_none() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("\nport {}", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        answer(&mut stream.unwrap(), "200 OK", "OK");
        println!("answered");
    }
}

const MEMBER_PROCESS: &str = "PRONK_TEST_MEMBER_PROCESS";

/// A member of its own process, killed with this.
struct MemberProcess {
    child: Child,
    port: u16,
    /// When it last answered.
    answered: Arc<Mutex<Instant>>,
}

impl MemberProcess {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "monitors::member_process", "--nocapture"])
            .env(MEMBER_PROCESS, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("port ")?.parse().ok()).unwrap();
        let answered = Arc::new(Mutex::new(Instant::now()));
        let last = Arc::clone(&answered);
        std::thread::spawn(move || lines.for_each(|_| *last.lock() = Instant::now()));
        Self { child, port, answered }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for MemberProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The kernel goes on to accept connections for a process that is stopped.
#[test]
fn stopped_member_is_down_when_its_timeout_passes() {
    let (stopped, other) = (MemberProcess::start(), MemberProcess::start());
    let port = free_port();
    let pronk = Pronk::start(|_| {
        let member = SocketAddr::from(([127, 0, 0, 1], stopped.port));
        // A probe that begins just before the timeout passes ends long after it.
        let text = config(member, port, "type: http, interval: 2s, timeout: 3s, jitter: false", "");
        text.replace(&format!("'a:{}'", stopped.port), &format!("'a:{}', 'a:{}'", stopped.port, other.port))
    });
    wait_for(&pronk, "2 of 2 members available");
    stopped.signal("STOP");
    let name = format!("a:{}", stopped.port);
    pronk.logged("that it is down", |line| line["message"] == "member is down" && line["member"] == *name);
    let took = stopped.answered.lock().elapsed();
    let timeout = Duration::from_secs(3);
    assert!(took.abs_diff(timeout) <= Duration::from_millis(500), "down {took:?} after its last answer");

    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("OK"), "the other serves: {said}");
    stopped.signal("CONT");
    wait_for(&pronk, "2 of 2 members available");
}
