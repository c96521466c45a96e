//! Reloads, members taken out and put back, and upgrades, while many clients connect, talk and stay.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};

use crate::ca::Authority;
use crate::lb::{Pronk, done, free_port, resident_kib};
use crate::peers::{echo_member, try_connect};
use crate::tls::trusting;

/// What is done, and with how many clients.
struct Plan {
    clients: usize,
    reloads: usize,
    cycles: usize,
    upgrades: usize,
}

/// What clients have seen.
#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    requests: AtomicU64,
    resumed: AtomicU64,
    errors: Mutex<BTreeMap<String, u64>>,
}

impl Seen {
    fn note(&self, who: &str, result: io::Result<()>) {
        if let Err(error) = result {
            *self.errors.lock().entry(format!("{who}: {error}")).or_default() += 1;
        }
    }

    fn request(&self, stream: &mut (impl Read + Write), size: usize) -> io::Result<()> {
        let (sent, mut received) = (vec![b'q'; size], vec![0; size]);
        stream.write_all(&sent)?;
        stream.read_exact(&mut received)?;
        if sent != received {
            return Err(io::Error::other("it answers otherwise"));
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// How long a client's connection lasts.
#[derive(Clone, Copy)]
enum Kind {
    Short,
    Medium,
    /// As long as everything.
    Long,
    /// As long, in silence.
    Idle,
}

struct Client {
    kind: Kind,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    seen: Arc<Seen>,
    stop: Arc<AtomicBool>,
}

impl Client {
    fn run(&self) {
        let who = match self.kind {
            Kind::Short => "short",
            Kind::Medium => "medium",
            Kind::Long => "long",
            Kind::Idle => "idle",
        };
        while !self.stopped() {
            self.seen.note(who, self.connection());
            self.pause(Duration::from_millis(fastrand::u64(100..500)));
        }
    }

    fn connection(&self) -> io::Result<()> {
        let tcp = try_connect(self.address).map_err(|error| io::Error::other(format!("connecting: {error}")))?;
        self.seen.connections.fetch_add(1, Ordering::Relaxed);
        match &self.tls {
            None => self.talk(&mut { tcp }),
            Some(config) => {
                let name = "lb.example.com".try_into().map_err(io::Error::other)?;
                let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(connection, tcp);
                self.talk(&mut stream)?;
                if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
                    self.seen.resumed.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }
        }
    }

    fn talk(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        self.seen.request(stream, 1000)?;
        let began = Instant::now();
        match self.kind {
            Kind::Short => Ok(()),
            Kind::Idle => {
                while !self.stopped() {
                    self.pause(Duration::from_secs(3600));
                }
                self.seen.request(stream, 1000)
            }
            Kind::Medium | Kind::Long => {
                while !self.stopped() && (matches!(self.kind, Kind::Long) || began.elapsed() < MEDIUM) {
                    self.seen.request(stream, 20_000)?;
                    self.pause(Duration::from_millis(fastrand::u64(100..400)));
                }
                Ok(())
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits, but no longer than until everything stops.
    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.stopped() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
    }
}

/// The memory, in KiB, and the descriptors of a process, without those of connections, which come and go.
fn held(pid: u32) -> (usize, usize) {
    let descriptors = || {
        // One that comes or goes meanwhile is known before or after.
        let before = connections();
        let all = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let targets: Vec<_> = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect();
        let after = connections();
        let is_connection = |target: &PathBuf| before.contains(target) || after.contains(target);
        targets.iter().filter(|target| !is_connection(target)).count()
    };
    // One that came and went meanwhile is not.
    (resident_kib(pid), (0..5).map(|_| descriptors()).min().unwrap())
}

/// TCP sockets of this machine that do not listen, as `/proc/PID/fd` names them.
fn connections() -> HashSet<PathBuf> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // The fourth column is the state, where 0A listens, and the tenth the inode (proc_pid_net(5)).
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] != "0A").map(|row| PathBuf::from(format!("socket:[{}]", row[9]))).collect()
}

fn carry_out(plan: &Plan) {
    let (plain, tls, ca) = (free_port(), free_port(), Authority::new("CA"));
    let members = [(); 3].map(|()| echo_member());
    let config = |idle: u32| {
        let [a, b, c] = members.map(|member| member.port());
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }}, c: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ monitors: [tcp], members: ['a:{a}', 'b:{b}', 'c:{c}'] }} }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  l4: {{ type: fastL4, defaults-from: fastL4, idle-timeout: {idle} }}
virtual-servers:
  plain: {{ destination: '127.0.0.1:{plain}', pool: p, protocol: l4, persistence: source_addr }}
  tls: {{ destination: '127.0.0.1:{tls}', pool: p, client-ssl: front }}
"
        )
    };
    let pronk = Pronk::start(|folder| {
        let files = ca.issue("lb.example.com").dns("lb.example.com").build().write(folder, "lb");
        let key = folder.join("lb.key");
        if files.key != key {
            std::fs::copy(&files.key, key).unwrap();
        }
        config(3600)
    });
    let (seen, stop, trust) = (Arc::<Seen>::default(), Arc::<AtomicBool>::default(), trusting(&ca));
    let clients: Vec<_> = (0..plan.clients)
        .map(|number| {
            let kind = match number % 10 {
                0..5 => Kind::Short,
                5..7 => Kind::Medium,
                7..9 => Kind::Long,
                _ => Kind::Idle,
            };
            let is_tls = number % 4 == 3;
            let client = Client {
                kind,
                address: SocketAddr::from(([127, 0, 0, 1], if is_tls { tls } else { plain })),
                tls: is_tls.then(|| Arc::clone(&trust)),
                seen: Arc::clone(&seen),
                stop: Arc::clone(&stop),
            };
            std::thread::Builder::new().stack_size(256 << 10).spawn(move || client.run()).unwrap()
        })
        .collect();

    let done = |args: &[&str]| drop(done(&pronk, args));
    let member = format!("p/b:{}", members[1].port());
    let steps = plan.reloads.max(plan.cycles);
    let mut pids = vec![pronk.pid()];
    let mut after = Vec::new();
    for step in 0..steps {
        if step * plan.reloads / steps != (step + 1) * plan.reloads / steps {
            std::fs::write(pronk.folder.path().join("pronk.yaml"), config(3600 + step as u32 % 2)).unwrap();
            done(&["reload"]);
        }
        if step * plan.cycles / steps != (step + 1) * plan.cycles / steps {
            done(&["disable", "member", &member]);
            done(&["enable", "member", &member]);
        }
        if step * plan.upgrades / steps != (step + 1) * plan.upgrades / steps {
            pids.push(pronk.upgrade());
            // Clients come to the new process before it is looked at.
            let before = seen.connections.load(Ordering::Relaxed);
            while seen.connections.load(Ordering::Relaxed) < before + plan.clients as u64 / 4 {
                std::thread::sleep(Duration::from_millis(10));
            }
            after.push(held(*pids.last().unwrap()));
        }
    }
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());

    let Seen { connections, requests, resumed, errors } = &*seen;
    let [connections, requests, resumed] = [connections, requests, resumed].map(|count| count.load(Ordering::Relaxed));
    let errors = errors.lock();
    println!(
        "{} clients, {} reloads, {} times disabled and enabled, {} upgrades: {connections} connections ({resumed} TLS sessions \
         resumed), {requests} requests, {} errors {errors:?}",
        plan.clients,
        plan.reloads,
        plan.cycles,
        plan.upgrades,
        errors.values().sum::<u64>()
    );
    println!("memory in KiB and descriptors of each new process: {after:?}");
    assert!(errors.is_empty(), "{errors:?}");
    assert!(connections > 0 && requests > connections && resumed > 0);
    // What a process has inherited, it does not hold twice.
    let part = (after.len() / 4).max(3);
    let (early, late) = (&after[..part], &after[after.len() - part..]);
    let memory = |part: &[(usize, usize)]| part.iter().map(|it| it.0).max().unwrap();
    assert!(memory(late) < memory(early) * 3 / 2, "{after:?}");
    // The least, as a busy machine has more sockets at a time that are not connected yet or no more.
    let descriptors = |part: &[(usize, usize)]| part.iter().map(|it| it.1).min().unwrap();
    assert!(descriptors(late) <= descriptors(early) + plan.upgrades / 2 + 4, "{after:?}");
}

#[test]
fn no_client_notices_reloads_members_that_come_and_go_and_upgrades() {
    carry_out(&Plan { clients: 120, reloads: 20, cycles: 20, upgrades: 6 });
}

/// `make operations` prints what it counts.
#[test]
#[ignore = "takes a minute"]
fn hundreds_of_changes_under_hundreds_of_clients() {
    carry_out(&Plan { clients: 500, reloads: 100, cycles: 100, upgrades: 20 });
}

/// How long a connection of medium length lasts.
const MEDIUM: Duration = Duration::from_secs(2);
