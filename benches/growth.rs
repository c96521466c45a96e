//! What a larger configuration and more connections cost: members, virtual servers, certificates chosen by SNI, and idle TLS
//! connections, each a hundred times as many in the end. docs/benchmarks.md says how to read it.

mod support;

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Resource, getrlimit};

use support::certificates::Certificates;
use support::client::{Connection, config as client_config};
use support::figures::median;
use support::member::Member;
use support::mode::Mode;
use support::number;
use support::running::{Running, private, program};

/// What there is many of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Many {
    Members,
    VirtualServers,
    /// Virtual servers that share a pool of ten times as many members.
    SharedMembers,
    Certificates,
}

impl Many {
    const ALL: [Self; 4] = [Self::Members, Self::VirtualServers, Self::SharedMembers, Self::Certificates];

    /// Returns how many there are at most, of the largest number that is asked for.
    fn most(self, most: usize) -> usize {
        match self {
            Self::Members => most,
            Self::VirtualServers | Self::Certificates => most / 10,
            Self::SharedMembers => most / 100,
        }
    }

    fn describe(self, count: usize) -> String {
        match self {
            Self::Members => format!("{count} members"),
            Self::VirtualServers => format!("{count} virtual servers"),
            Self::SharedMembers => format!("{count} virtual servers, one pool of {}", count * 10),
            Self::Certificates => format!("{count} certificates by SNI"),
        }
    }

    /// Returns a configuration with so many, and the destination of the last virtual server. A reload to another `edition`
    /// changes something.
    fn config(self, count: usize, port: u16, edition: usize) -> (String, SocketAddr) {
        let count = count.max(1);
        let (members, servers) = match self {
            Self::Members => (count, 1),
            Self::VirtualServers => (10, count),
            Self::SharedMembers => (count * 10, count),
            Self::Certificates => (10, 1),
        };
        let mut text = "nodes:\n".to_owned();
        (0..members).for_each(|it| writeln!(text, "  n{it}: {{ address: {} }}", address(1, it)).unwrap());
        text += "pools:\n  p:\n    members:\n";
        (0..members)
            .for_each(|it| writeln!(text, "      - {{ member: \"n{it}:9\", ratio: {} }}", 1 + edition).unwrap());
        text += "profiles:\n  front: { type: client-ssl, defaults-from: clientssl, cert-key-chain: [\n";
        let certificates = if self == Self::Certificates { count } else { 1 };
        (0..certificates).for_each(|it| writeln!(text, "    {{ cert: {it}.pem, key: {it}.key }},").unwrap());
        text += "  ] }\nvirtual-servers:\n";
        let destination = |it| SocketAddr::from((address(2, it), port));
        for it in 0..servers {
            writeln!(text, "  vs{it}: {{ destination: \"{}\", pool: p, client-ssl: front }}", destination(it)).unwrap();
        }
        (text, destination(servers - 1))
    }
}

/// One of the addresses of the loopback network.
fn address(network: u8, number: usize) -> Ipv4Addr {
    let [_, high, middle, low] = (number as u32 + 1).to_be_bytes();
    Ipv4Addr::new(127, 16 * network + high, middle, low)
}

/// What one configuration costs.
#[derive(Default)]
struct Costs {
    check: Vec<f64>,
    start: Vec<f64>,
    reload: Vec<f64>,
    map: Vec<f64>,
    kib: Vec<f64>,
    /// After some reloads.
    kib_reloaded: Vec<f64>,
    handshake: Vec<f64>,
}

const RELOADS: usize = 3;
const HANDSHAKES: usize = 50;

fn main() {
    pronk::net::raise_open_file_limit();
    let (most, rounds) = (number("BENCH_MOST", 10_000), number("BENCH_ROUNDS", 3));
    println!("\nGrowth: pronk {} with more and more of everything\n", env!("CARGO_PKG_VERSION"));
    println!("  seconds, and MiB of resident memory; medians of {rounds} round(s)");
    println!(
        "  {:<40}{:>8}{:>8}{:>8}{:>10}{:>8}{:>16}{:>14}",
        "", "check", "start", "reload", "show map", "MiB", "MiB, reloaded", "handshake ms"
    );
    let folder = tempfile::tempdir().unwrap();
    write_certificates(folder.path(), Many::Certificates.most(most).max(1));
    for many in Many::ALL {
        let counts = [100, 10, 1].map(|part| many.most(most) / part);
        for count in counts.into_iter().filter(|count| *count > 0) {
            let mut costs = Costs::default();
            (0..rounds).for_each(|_| costs.measure(folder.path(), many, count));
            let [check, start, reload, map] =
                [&costs.check, &costs.start, &costs.reload, &costs.map].map(|it| median(it));
            let [kib, reloaded] = [&costs.kib, &costs.kib_reloaded].map(|it| median(it) / 1024.0);
            println!(
                "  {:<40}{check:>8.3}{start:>8.3}{reload:>8.3}{map:>10.3}{kib:>8.1}{reloaded:>16.1}{:>14.2}",
                many.describe(count),
                median(&costs.handshake)
            );
        }
    }
    idle(most);
}

impl Costs {
    fn measure(&mut self, folder: &Path, many: Many, count: usize) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.join("pronk.yaml");
        let write = |edition| {
            let (text, address) = many.config(count, port, edition);
            fs::write(&file, text).unwrap();
            address
        };
        let address = write(0);
        self.check.push(seconds(|| run(Command::new(program()).arg("check").arg(&file))));
        let pronk = Running::start(folder, address);
        self.start.push(pronk.started_in.as_secs_f64());
        thread::sleep(SETTLING);
        self.kib.push(pronk.resident_kib());
        let mut show = Command::new(program());
        show.args(["show", "map", "--admin-socket"]).arg(&pronk.socket);
        self.map.push(seconds(|| run(&mut show)));
        for edition in 1..=RELOADS {
            write(edition);
            self.reload.push(seconds(|| drop(pronk.ask("POST", "/v1/reload"))));
        }
        self.kib_reloaded.push(pronk.resident_kib());
        let names = if many == Many::Certificates { count } else { 1 };
        for handshake in 0..HANDSHAKES {
            // The last certificates as often as the first.
            let name = host_name(handshake * names.saturating_sub(1) / (HANDSHAKES - 1));
            self.handshake.push(1e3 * seconds(|| drop(Connection::open_as(&name, address, client_config()).unwrap())));
        }
    }
}

/// Prints what idle TLS connections weigh.
fn idle(most: usize) {
    // The client's end and the member's are here, and pronk has two as well.
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) as usize;
    let most = most.min(files.saturating_sub(400) / 2);
    println!("\n  idle TLS connections (offload), KiB of resident memory each");
    let certificates = Certificates::new();
    let member = Member::start(&certificates);
    for count in [100, 10, 1].map(|part| most / part).into_iter().filter(|count| *count > 0) {
        let folder = tempfile::tempdir().unwrap();
        let (pronk, address) = offload(folder.path(), &member);
        (0..30).for_each(|_| open(address).close().unwrap());
        let before = pronk.resident_kib();
        let held: Vec<_> = (0..count).map(|_| open(address)).collect();
        thread::sleep(SETTLING);
        println!("  {count:<40}{:>8.1}", (pronk.resident_kib() - before) / count as f64);
        drop(held);
    }
    // A tenth of them at a time, so that memory is freed in another order than it was allocated.
    let (at_once, waves) = ((most / 10).max(1), 100);
    let folder = tempfile::tempdir().unwrap();
    let (pronk, address) = offload(folder.path(), &member);
    (0..30).for_each(|_| open(address).close().unwrap());
    let before = pronk.resident_kib() / 1024.0;
    let mut after = Vec::new();
    for _ in 0..waves {
        let mut held: Vec<_> = (0..at_once).map(|_| open(address)).collect();
        fastrand::shuffle(&mut held);
        held.into_iter().for_each(|connection| connection.close().unwrap());
        after.push(pronk.resident_kib() / 1024.0);
    }
    thread::sleep(if at_once < FEW_CONNECTIONS { SETTLING } else { REST });
    println!(
        "\n  {at_once} TLS connections that come and go {waves} times: {before:.1} MiB before, {:.1} after the first time, \
         {:.1} after the last, {:.1} at rest",
        after[0],
        after[waves - 1],
        pronk.resident_kib() / 1024.0
    );
}

/// Starts a pronk that terminates TLS for a member.
fn offload(folder: &Path, member: &Member) -> (Running, SocketAddr) {
    write_certificates(folder, 1);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "nodes: {{ m: {{ address: {} }} }}
pools: {{ p: {{ members: [\"m:{}\"] }} }}
profiles: {{ front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: 0.pem, key: 0.key }}] }} }}
virtual-servers: {{ vs: {{ destination: \"127.0.0.1:{port}\", pool: p, client-ssl: front }} }}
",
        member.plain.ip(),
        member.plain.port()
    );
    fs::write(folder.join("pronk.yaml"), text).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    (Running::start(folder, address), address)
}

fn open(address: SocketAddr) -> Connection {
    let mut connection = Connection::open(address, Mode::Offload).unwrap();
    connection.exchange(&mut [0; 128]).unwrap();
    connection
}

/// Time for buffers to be given back.
const SETTLING: Duration = Duration::from_millis(1500);
/// Time for memory to be given back to the system, which pronk does after ten seconds.
const REST: Duration = Duration::from_secs(13);
/// Memory of fewer connections is not given back.
const FEW_CONNECTIONS: usize = 500;

fn host_name(number: usize) -> String {
    format!("lb{number}.example.test")
}

fn write_certificates(folder: &Path, count: usize) {
    for number in 0..count {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([host_name(number)]).unwrap().self_signed(&key).unwrap();
        private(&folder.join(format!("{number}.pem")), &certificate.pem());
        private(&folder.join(format!("{number}.key")), &key.serialize_pem());
    }
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}
