//! Whether the control plane holds up connections: 200 of them ping every millisecond, first undisturbed, then through
//! reloads with five encrypted keys, lists of a million persistence records and requests to the admin socket, all at once;
//! then while thousands of open connections are listed. At last another process takes over with all these records.
//! docs/benchmarks.md says how to read it.

mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pkcs8::der::Decode;
use pkcs8::{LineEnding, PrivateKeyInfoRef, pkcs5::pbes2};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};

use support::figures::percentile;
use support::number;
use support::running::{Running, ask, private};

const CONNECTIONS: usize = 200;
const KEYS: usize = 5;
/// What OWASP asks of PBKDF2 with SHA-256; a tenth of a second or so.
const ITERATIONS: u32 = 600_000;
const PASSPHRASE: &str = "secret";

fn main() {
    pronk::net::raise_open_file_limit();
    let records = number("BENCH_RECORDS", 1_000_000);
    let reloads = number("BENCH_RELOADS", 100);
    let requests = number("BENCH_REQUESTS", 1000);
    let seconds = number("BENCH_SECONDS", 20);
    let idle = number("BENCH_CONNECTIONS", 9_500);
    println!("\nControl: what pings through pronk see of its control plane\n");
    let mut pronk = Pronk::start();
    let began = Instant::now();
    fill(pronk.address, records);
    println!("  {records} persistence records made by as many clients in {:.0} s", began.elapsed().as_secs_f64());

    let quiet = pings(pronk.address, || thread::sleep(Duration::from_secs(seconds as u64)));
    let disturbances = Disturbances::default();
    let disturbed = pings(pronk.address, || disturbances.run(&pronk.running.socket, reloads, requests));
    println!(
        "  meanwhile: {reloads} reloads of {KEYS} encrypted keys ({:.2} s each), {} lists ({:.1} MB, {:.1} s each), {requests} requests\n",
        disturbances.reload_seconds(reloads),
        disturbances.lists.load(Ordering::Relaxed),
        disturbances.list_bytes.load(Ordering::Relaxed) as f64 / 1e6,
        f64::from(disturbances.list_milliseconds.load(Ordering::Relaxed))
            / 1e3
            / f64::from(disturbances.lists.load(Ordering::Relaxed).max(1)),
    );
    let held = hold(pronk.address, idle);
    let lists = number("BENCH_LISTS", 100);
    let among_idle = pings(pronk.address, || thread::sleep(Duration::from_secs(1 + seconds as u64 / 4)));
    let listing = || {
        let mut took: Vec<_> = (0..lists)
            .map(|_| {
                thread::sleep(Duration::from_millis(20));
                let began = Instant::now();
                ask(&pronk.running.socket, "GET", "/v1/connections");
                began.elapsed()
            })
            .collect();
        took.sort_unstable();
        took
    };
    // What makes lists has a lower priority than what carries bytes, so that it waits while all processors are busy.
    let of_idle = listing();
    let mut beside_pings = Vec::new();
    let listed = pings(pronk.address, || beside_pings = listing());
    for (when, connections, took) in
        [("of idle connections", idle, of_idle), ("beside the pings", idle + CONNECTIONS, beside_pings)]
    {
        println!(
            "  {lists} lists of {connections} connections, {when}: {:.0} ms each (median), {:.0} ms the longest",
            milliseconds(took[took.len() / 2]),
            milliseconds(took[took.len() - 1])
        );
    }
    println!();
    drop(held);
    println!("  {CONNECTIONS} connections, ms     pings/s    median       p99     p99.9   longest silence");
    let rows = [("quiet", &quiet), ("disturbed", &disturbed), ("quiet, among idle", &among_idle), ("listed", &listed)];
    for (name, figures) in rows {
        println!(
            "  {name:<24}{:>10.0}{:>10.2}{:>10.2}{:>10.2}{:>18.1}",
            figures.per_second,
            figures.at(0.5),
            figures.at(0.99),
            figures.at(0.999),
            figures.at(1.0)
        );
    }
    println!("  p99.9 disturbed / quiet: {:.2} ×", disturbed.at(0.999) / quiet.at(0.999));
    println!("  p99.9 listed / among idle: {:.2} ×\n", listed.at(0.999) / among_idle.at(0.999));
    let (took, longest, clients) = pronk.upgrade();
    println!(
        "  upgrade with {records} records: {:.0} ms; of {clients} clients that connected meanwhile, none was refused, and the \
         longest waited {:.0} ms",
        milliseconds(took),
        milliseconds(longest)
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A running pronk with a plain virtual server and one for each encrypted key.
struct Pronk {
    running: Running,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Pronk {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let member = echo_member();
        let ports: Vec<_> = (0..=KEYS).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<_> = ports.into_iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let mut text = format!(
            "nodes: {{ m: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: [\"m:{}\"] }} }}
profiles:
  sticky: {{ type: source-addr, defaults-from: source_addr, timeout: indefinite }}
",
            member.port()
        );
        for key in 0..KEYS {
            write_pair(folder.path(), key);
            text += &format!(
                "  front-{key}: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: \
                 [{{ cert: {key}.pem, key: {key}.key, passphrase-file: pass }}] }}\n"
            );
        }
        private(&folder.path().join("pass"), PASSPHRASE);
        text += &format!(
            "virtual-servers:\n  ping: {{ destination: \"127.0.0.1:{}\", pool: p, persistence: sticky }}\n",
            ports[KEYS]
        );
        for (key, port) in ports[..KEYS].iter().enumerate() {
            text += &format!("  vs-{key}: {{ destination: \"127.0.0.1:{port}\", pool: p, client-ssl: front-{key} }}\n");
        }
        fs::write(folder.path().join("pronk.yaml"), text).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], ports[KEYS]));
        Self { running: Running::start(folder.path(), address), address, _folder: folder }
    }

    /// Has another process take over. Returns how long that took, the longest time that a client who connected meanwhile
    /// waited for its first answer, and how many there were.
    fn upgrade(&mut self) -> (Duration, Duration, usize) {
        let (done, address) = (AtomicBool::new(false), self.address);
        thread::scope(|scope| {
            let connecting = scope.spawn(|| {
                let (mut longest, mut clients) = (Duration::ZERO, 0);
                while !done.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let mut stream = std::net::TcpStream::connect(address).expect("a client was refused");
                    stream.write_all(&[7; 16]).and_then(|()| stream.read_exact(&mut [0; 16])).expect("no answer");
                    longest = longest.max(began.elapsed());
                    clients += 1;
                }
                (longest, clients)
            });
            let began = Instant::now();
            let answer = ask(&self.running.socket, "POST", "/v1/upgrade?reason=benchmark");
            let took = began.elapsed();
            // Clients come to the new process.
            thread::sleep(Duration::from_millis(200));
            done.store(true, Ordering::Relaxed);
            let answer: serde_json::Value =
                serde_json::from_slice(&answer[answer.iter().position(|byte| *byte == b'{').unwrap()..]).unwrap();
            self.running.successor = answer["pid"].as_i64().map(|pid| pid as i32);
            let (longest, clients) = connecting.join().unwrap();
            (took, longest, clients)
        })
    }
}

fn write_pair(folder: &Path, number: usize) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([format!("lb{number}.example.test")]).unwrap().self_signed(&key).unwrap();
    private(&folder.join(format!("{number}.pem")), &certificate.pem());
    let parameters =
        pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, b"0123456789abcdef", *b"fedcba9876543210")
            .unwrap();
    let der = key.serialize_der();
    let encrypted = PrivateKeyInfoRef::from_der(&der).unwrap().encrypt_with_params(parameters, PASSPHRASE).unwrap();
    let pem = encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
    private(&folder.join(format!("{number}.key")), &pem);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Answers every byte with itself, on a thread of its own.
fn echo_member() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                tokio::spawn(async move {
                    let mut buffer = [0; 64];
                    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..count]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
    });
    address
}

/// Makes so many persistence records, each by a connection from another address of the loopback network.
fn fill(address: SocketAddr, records: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    runtime().block_on(async {
        let clients: Vec<_> = (0..64)
            .map(|_| {
                let next = Arc::clone(&next);
                tokio::spawn(async move {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= records {
                            return;
                        }
                        let [_, high, middle, low] = (number as u32 + 0x01_0000).to_be_bytes();
                        let source = IpAddr::V4(Ipv4Addr::new(127, high, middle, low));
                        let socket = TcpSocket::new_v4().unwrap();
                        // No closed connection waits for its last packets.
                        socket.set_zero_linger().unwrap();
                        socket.set_reuseaddr(true).unwrap();
                        socket.bind(SocketAddr::new(source, 0)).unwrap();
                        let mut stream = socket.connect(address).await.unwrap();
                        ping(&mut stream).await.unwrap();
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    });
}

/// Opens so many connections, which end when what is returned is dropped.
fn hold(address: SocketAddr, connections: usize) -> Vec<std::net::TcpStream> {
    let open = |_| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(&[7; 16]).and_then(|()| stream.read_exact(&mut [0; 16])).expect("a connection ended");
        stream
    };
    (0..connections).map(open).collect()
}

async fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[7; 16]).await?;
    stream.read_exact(&mut [0; 16]).await.map(drop)
}

/// How long pings took, sorted, in microseconds.
struct Figures {
    sorted: Vec<u32>,
    per_second: f64,
}

impl Figures {
    /// Milliseconds below which so much of all pings took.
    fn at(&self, part: f64) -> f64 {
        f64::from(percentile(&self.sorted, part)) / 1e3
    }
}

/// Pings while `meanwhile` runs.
fn pings(address: SocketAddr, meanwhile: impl FnOnce()) -> Figures {
    let stop = Arc::new(AtomicBool::new(false));
    let pinging = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            runtime().block_on(async {
                let pinging: Vec<_> = (0..CONNECTIONS)
                    .map(|number| {
                        let stop = Arc::clone(&stop);
                        tokio::spawn(async move {
                            let mut stream = TcpStream::connect(address).await.unwrap();
                            stream.set_nodelay(true).unwrap();
                            // What it takes to connect is another figure.
                            ping(&mut stream).await.expect("a connection ended");
                            sleep(Duration::from_micros(number as u64 * 5)).await;
                            let mut every = interval(Duration::from_millis(1));
                            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
                            let mut took = Vec::new();
                            while !stop.load(Ordering::Relaxed) {
                                every.tick().await;
                                let began = Instant::now();
                                ping(&mut stream).await.expect("a connection ended");
                                took.push(u32::try_from(began.elapsed().as_micros()).unwrap());
                            }
                            took
                        })
                    })
                    .collect();
                let mut all = Vec::new();
                for connection in pinging {
                    all.extend(connection.await.unwrap());
                }
                all
            })
        })
    };
    let began = Instant::now();
    meanwhile();
    let lasted = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut sorted = pinging.join().unwrap();
    sorted.sort_unstable();
    Figures { per_second: sorted.len() as f64 / lasted.as_secs_f64(), sorted }
}

/// What happened beside the pings.
#[derive(Default)]
struct Disturbances {
    reload_milliseconds: AtomicU32,
    lists: AtomicU32,
    list_milliseconds: AtomicU32,
    list_bytes: AtomicUsize,
}

impl Disturbances {
    fn run(&self, socket: &Path, reloads: usize, requests: usize) {
        let (done, next) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let bytes = ask(socket, "GET", "/v1/persistence").len();
                    self.list_bytes.store(bytes, Ordering::Relaxed);
                    self.list_milliseconds.fetch_add(began.elapsed().as_millis() as u32, Ordering::Relaxed);
                    self.lists.fetch_add(1, Ordering::Relaxed);
                }
            });
            for _ in 0..8 {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < requests {
                        ask(socket, "GET", "/v1/map");
                        // Spread over the reloads.
                        thread::sleep(Duration::from_millis(100));
                    }
                });
            }
            let began = Instant::now();
            for _ in 0..reloads {
                ask(socket, "POST", "/v1/reload");
            }
            self.reload_milliseconds.store(began.elapsed().as_millis() as u32, Ordering::Relaxed);
            done.store(true, Ordering::Relaxed);
        });
    }

    fn reload_seconds(&self, reloads: usize) -> f64 {
        f64::from(self.reload_milliseconds.load(Ordering::Relaxed)) / 1e3 / reloads.max(1) as f64
    }
}
