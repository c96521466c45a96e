//! Pools that find their members: what the cluster tells, and what becomes of those that it tells no more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::peers::connect;

/// What a daemon lists, by its number; none is no answer.
type Pages = Box<dyn Fn(u8) -> Option<String> + Send>;

/// A cluster whose daemons have addresses 127.0.0.2 and on, each with a member's port that tells who it is, and web UIs
/// that list what the test says.
struct Cluster {
    port: u16,
    web_port: u16,
    /// The page `/backends?json`, by the last byte of the address of the daemon that is asked; none is no answer.
    pages: Arc<Mutex<Pages>>,
}

impl Cluster {
    fn of(daemons: u8) -> Self {
        let (port, web_port) = (free_port(), free_port());
        let pages: Arc<Mutex<Pages>> = Arc::new(Mutex::new(Box::new(|_| None)));
        for daemon in 2..2 + daemons {
            let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, daemon], port))).unwrap();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    std::thread::spawn(move || answer(stream, daemon));
                }
            });
            let (web, pages) =
                (TcpListener::bind(SocketAddr::from(([127, 0, 0, daemon], web_port))).unwrap(), Arc::clone(&pages));
            std::thread::spawn(move || {
                for stream in web.incoming().flatten() {
                    let page = pages.lock()(daemon);
                    std::thread::spawn(move || tell(stream, page));
                }
            });
        }
        Self { port, web_port, pages }
    }

    /// What every daemon lists from here on.
    fn list(&self, daemons: &[u8]) {
        let page = backends(daemons);
        self.tell(move |_| Some(page.clone()));
    }

    fn tell(&self, page: impl Fn(u8) -> Option<String> + Send + 'static) {
        *self.pages.lock() = Box::new(page);
    }

    /// A pronk that knows 127.0.0.2 alone.
    fn front(&self, pool: &str) -> (Pronk, SocketAddr) {
        let front = free_port();
        let pronk = Pronk::start(|_| {
            format!(
                "nodes: {{ seed: {{ address: 127.0.0.2 }} }}
pools:
  p:
    monitors: {{ min: 1, of: [web, quick] }}
    discover: impala
    discover-interval: 100ms
    slow-ramp-time: 0
    members: ['seed:{}']
{pool}
monitors:
  web: {{ type: impala, web-port: {}, interval: 1h, timeout: 4h }}
  quick: {{ type: tcp, interval: 1h, timeout: 4h }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{front}', pool: p }} }}
",
                self.port, self.web_port
            )
        });
        (pronk, SocketAddr::from(([127, 0, 0, 1], front)))
    }
}

fn backends(daemons: &[u8]) -> String {
    let row = |daemon: &u8| serde_json::json!({ "address": format!("127.0.0.{daemon}:27000"), "is_coordinator": true, "is_quiescing": false });
    serde_json::json!({ "backends": daemons.iter().map(row).collect::<Vec<_>>() }).to_string()
}

/// Answers each message with the daemon's number.
fn answer(mut stream: TcpStream, daemon: u8) {
    while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {
        if stream.write_all(&[daemon]).is_err() {
            return;
        }
    }
}

fn tell(mut stream: TcpStream, page: Option<String>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let body = if request.contains("/backends") { page } else { Some("{}".to_owned()) };
    lines.find(String::is_empty);
    if let Some(body) = body {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all((head + &body).as_bytes());
    }
}

fn ask(client: &mut TcpStream) -> u8 {
    client.write_all(b"who?").unwrap();
    let mut answer = [0];
    client.read_exact(&mut answer).unwrap();
    answer[0]
}

/// The daemons that new connections go to, by asking some.
fn serving(address: SocketAddr) -> Vec<u8> {
    let mut all: Vec<_> = (0..8).map(|_| ask(&mut connect(address))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[track_caller]
fn wait_until_serving(address: SocketAddr, wanted: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = serving(address);
        if found == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?} serve, not {wanted:?}");
    }
}

fn told(pronk: &Pronk, message: &str, member: &str) {
    pronk.logged(message, |line| {
        line["message"] == message && line["member"].as_str().is_some_and(|told| told.starts_with(member))
    });
}

#[test]
fn coordinators_join_as_the_cluster_tells_and_drain_when_it_tells_no_more() {
    let cluster = Cluster::of(3);
    cluster.list(&[2]);
    let (pronk, address) = cluster.front("");
    assert_eq!(serving(address), [2]);
    cluster.list(&[2, 3, 4]);
    told(&pronk, "member discovered", "127.0.0.4:");
    wait_until_serving(address, &[2, 3, 4]);
    let map = String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap();
    assert!(map.contains(&format!("127.0.0.3:{} (discovered)", cluster.port)), "{map}");

    let mut clients: Vec<_> = (0..3).map(|_| connect(address)).collect();
    let served: Vec<_> = clients.iter_mut().map(ask).collect();
    let of_third = served.iter().position(|daemon| *daemon == 4).unwrap();
    cluster.list(&[2, 3]);
    told(&pronk, "member removed; its connections drain", "127.0.0.4:");
    wait_until_serving(address, &[2, 3]);
    assert_eq!(ask(&mut clients[of_third]), 4, "what it has goes on");
    let map = String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap();
    assert!(map.contains("127.0.0.4") && map.contains("1 connections drain"), "{map}");

    assert!(pronk.command(&["reload"]).status.success());
    assert_eq!(serving(address), [2, 3], "a reload forgets nobody");
}

#[test]
fn pages_that_tell_nothing_empty_no_pool() {
    let cluster = Cluster::of(2);
    cluster.list(&[2, 3]);
    let (pronk, address) = cluster.front("");
    wait_until_serving(address, &[2, 3]);
    for page in [backends(&[]), "<html>".to_owned(), "{}".to_owned()] {
        cluster.tell(move |_| Some(page.clone()));
        pronk.logged("that nothing is told", |line| {
            line["message"] == "cannot get the list of coordinators; the known ones are kept"
        });
        assert_eq!(serving(address), [2, 3]);
    }
}

#[test]
fn discovered_coordinators_are_asked_when_the_seed_is_silent() {
    let cluster = Cluster::of(3);
    cluster.list(&[2, 3]);
    let (_pronk, address) = cluster.front("");
    wait_until_serving(address, &[2, 3]);
    let page = backends(&[2, 3, 4]);
    cluster.tell(move |daemon| (daemon == 3).then(|| page.clone()));
    wait_until_serving(address, &[2, 3, 4]);
}

#[test]
fn filter_keeps_others_out() {
    let cluster = Cluster::of(3);
    cluster.list(&[2, 3, 4]);
    let (pronk, address) = cluster.front("    discover-filter: '[24]$'");
    told(&pronk, "member discovered", "127.0.0.4:");
    wait_until_serving(address, &[2, 4]);
}
