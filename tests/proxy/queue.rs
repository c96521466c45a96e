//! Clients that wait while the configuration changes: they are served by the newest, in order.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::lb::{Pronk, free_port};
use crate::peers::{connect, member, reset};
use crate::support::ca::Authority;
use crate::support::tls::trusting;
use crate::tls_peers::{FRONT, tls_client};

/// A member that answers the first word of each connection with its name.
fn named_member(name: u8) -> SocketAddr {
    member(move |mut stream| {
        let mut buffer = [0; 64];
        if stream.read(&mut buffer).is_ok_and(|count| count > 0) {
            let _ = stream.write_all(&[name]);
        }
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    })
}

/// A configuration: pools of members `mN`, each with a limit, and virtual servers with the keys that say their pool.
#[derive(Clone, Default)]
struct Written {
    members: Vec<SocketAddr>,
    pools: BTreeMap<&'static str, BTreeMap<usize, u32>>,
    virtual_servers: BTreeMap<u16, &'static str>,
    profiles: &'static str,
}

impl Written {
    fn text(&self) -> String {
        let (mut nodes, mut pools, mut servers) = (String::new(), String::new(), String::new());
        for number in 0..self.members.len() {
            nodes += &format!("  m{number}: {{ address: 127.0.0.1 }}\n");
        }
        for (name, members) in &self.pools {
            let members = members.iter().map(|(number, limit)| {
                format!("{{ member: 'm{number}:{}', connection-limit: {limit} }}", self.members[*number].port())
            });
            let members = members.collect::<Vec<_>>().join(", ");
            pools += &format!("  {name}: {{ members: [{members}], queue-on-connection-limit: true }}\n");
        }
        for (port, keys) in &self.virtual_servers {
            servers += &format!("  vs{port}: {{ destination: '127.0.0.1:{port}', {keys} }}\n");
        }
        format!("nodes:\n{nodes}pools:\n{pools}virtual-servers:\n{servers}{}", self.profiles)
    }

    /// The same with other members of pool `p`, by their numbers, and their limits.
    fn with<const N: usize>(&self, members: [(usize, u32); N]) -> Self {
        let mut written = self.clone();
        written.pools.insert("p", BTreeMap::from(members));
        written
    }
}

/// One virtual server before pool `p`, whose first member takes one connection.
fn one_place() -> (Written, SocketAddr) {
    let port = free_port();
    let written = Written {
        members: (0..3).map(named_member).collect(),
        pools: BTreeMap::from([("p", BTreeMap::from([(0, 1)]))]),
        virtual_servers: BTreeMap::from([(port, "pool: p")]),
        profiles: "",
    };
    (written, address(port))
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn reload(pronk: &Pronk, written: &Written) {
    std::fs::write(pronk.folder.path().join("pronk.yaml"), written.text()).unwrap();
    let reloaded = pronk.command(&["reload"]);
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
}

fn asking(address: SocketAddr) -> TcpStream {
    let mut client = connect(address);
    client.write_all(b"hello").unwrap();
    client
}

/// Which member serves the client, once one does.
fn served(client: &mut impl Read) -> usize {
    let mut name = [0];
    client.read_exact(&mut name).expect("it is served");
    name[0].into()
}

fn waits(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let waits = client.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    waits
}

/// Waits until so many connections are in the queue of the first virtual server's pool.
pub fn wait_until_queued(pronk: &Pronk, wanted: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let map = pronk.command(&["show", "map", "--json"]);
        let map: serde_json::Value = serde_json::from_slice(&map.stdout).unwrap();
        let queued = &map["virtual_servers"][0]["pool"]["queued"];
        if queued == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{queued} wait, not {wanted}");
    }
}

/// With the only place taken and two clients waiting, a reload makes room for one more, and another one for all.
#[track_caller]
fn served_in_order(first: &Written, one_more: &Written, many: &Written, address: SocketAddr) -> Pronk {
    let pronk = Pronk::start(|_| first.text());
    let mut holder = asking(address);
    served(&mut holder);
    let mut waiting = [1, 2].map(|count| {
        let client = asking(address);
        wait_until_queued(&pronk, count);
        client
    });
    reload(&pronk, one_more);
    served(&mut waiting[0]);
    wait_until_queued(&pronk, 1);
    let mut later = asking(address);
    wait_until_queued(&pronk, 2);
    assert!(waits(&waiting[1]) && waits(&later), "there is room for one more only");
    reload(&pronk, many);
    served(&mut waiting[1]);
    served(&mut later);
    served(&mut asking(address));
    pronk
}

#[test]
fn raised_limit_serves_those_who_wait() {
    let (written, address) = one_place();
    served_in_order(&written, &written.with([(0, 2)]), &written.with([(0, 9)]), address);
}

#[test]
fn added_member_serves_those_who_wait() {
    let (written, address) = one_place();
    served_in_order(&written, &written.with([(0, 1), (1, 1)]), &written.with([(0, 1), (1, 1), (2, 9)]), address);
}

#[test]
fn another_pool_serves_those_who_wait_and_is_told_of() {
    let (written, address) = one_place();
    let moved = |limit| {
        let mut moved = written.clone();
        moved.pools.insert("q", BTreeMap::from([(1, limit)]));
        moved.virtual_servers.values_mut().for_each(|keys| *keys = "pool: q");
        moved
    };
    let pronk = served_in_order(&written, &moved(1), &moved(9), address);
    let waited = pronk.logged("a wait", |line| line["ms_queue"].is_number());
    assert_eq!((&waited["pool"], &waited["close.code"]), (&"q".into(), &"client-fin".into()));
    assert!(waited["member"].as_str().unwrap().starts_with("m1:"), "{waited}");
}

#[test]
fn clients_that_change_queues_stay_in_order() {
    let (written, address) = one_place();
    let pronk = Pronk::start(|_| written.text());
    let mut holder = asking(address);
    served(&mut holder);
    let mut waiting: Vec<_> = (1..=8)
        .map(|count| {
            let client = asking(address);
            wait_until_queued(&pronk, count);
            client
        })
        .collect();
    let mut moved = written;
    moved.pools.insert("q", BTreeMap::from([(1, 1)]));
    moved.virtual_servers.values_mut().for_each(|keys| *keys = "pool: q");
    reload(&pronk, &moved);
    while !waiting.is_empty() {
        let mut first = waiting.remove(0);
        assert_eq!(served(&mut first), 1);
        wait_until_queued(&pronk, waiting.len());
        assert!(waiting.iter().all(waits), "one was overtaken");
    }
}

#[test]
fn limit_that_is_lowered_and_raised_again_serves_those_who_wait() {
    let (written, address) = one_place();
    let pronk = Pronk::start(|_| written.with([(0, 2)]).text());
    let mut holders = vec![asking(address), asking(address)];
    for holder in &mut holders {
        served(holder);
    }
    let mut waiting = asking(address);
    wait_until_queued(&pronk, 1);
    reload(&pronk, &written);
    holders.pop();
    let deadline = Instant::now() + Duration::from_secs(20);
    while pronk.stats()["pools"][0]["connections"]["current"] != 1 {
        assert!(Instant::now() < deadline);
    }
    wait_until_queued(&pronk, 1);
    assert!(waits(&waiting), "one is served, and one may be");
    reload(&pronk, &written.with([(0, 2)]));
    served(&mut waiting);
}

#[test]
fn client_that_waits_keeps_its_tls_when_the_mode_changes() {
    let (plain, address) = one_place();
    let ca = Authority::new("ca");
    let profiles = "profiles: { front: { type: client-ssl, defaults-from: clientssl, \
                    cert-key-chain: [{ cert: lb.pem, key: lb.key }] } }\n";
    let virtual_servers = BTreeMap::from([(address.port(), "pool: p, client-ssl: front")]);
    let offload = Written { profiles, virtual_servers, ..plain.clone() };
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        offload.text()
    });
    let asking_by_tls = || {
        let mut client = tls_client(address, trusting(&ca));
        client.write_all(b"hello").unwrap();
        client
    };
    let mut holder = asking_by_tls();
    served(&mut holder);
    let mut waiting = asking_by_tls();
    wait_until_queued(&pronk, 1);
    reload(&pronk, &plain.with([(1, 9)]));
    assert_eq!(served(&mut waiting), 1, "by the newest pool");
    assert_eq!(served(&mut asking(address)), 1, "others come without TLS");
    drop(waiting);
    let waited = pronk.logged("a wait", |line| line["ms_queue"].is_number());
    assert_eq!((&waited["mode"], &waited["client_tls_version"]), (&"offload".into(), &"TLS 1.3".into()));
}

#[test]
fn removed_virtual_server_holds_up_nobody() {
    let (mut written, one) = one_place();
    let other = free_port();
    written.virtual_servers.insert(other, "pool: p");
    let pronk = Pronk::start(|_| written.text());
    let mut holder = asking(one);
    served(&mut holder);
    let mut waiting = [(1, one), (2, address(other)), (3, one)].map(|(count, address)| {
        let client = asking(address);
        wait_until_queued(&pronk, count);
        client
    });
    let mut without = written.with([(0, 2)]);
    without.virtual_servers.remove(&one.port());
    reload(&pronk, &without);
    served(&mut waiting[0]);
    wait_until_queued(&pronk, 2);
    assert!(waiting[1..].iter().all(waits));
    without = without.with([(0, 3)]);
    reload(&pronk, &without);
    served(&mut waiting[1]);
    wait_until_queued(&pronk, 1);
    reload(&pronk, &without.with([(0, 9)]));
    served(&mut waiting[2]);
    served(&mut asking(address(other)));
}

/// Clients that come and leave between reloads, in a random order. Whenever fewer are served than there are places,
/// nobody waits.
#[test]
fn nobody_waits_beside_a_free_place() {
    let mut random = fastrand::Rng::with_seed(32);
    let (mut written, address) = one_place();
    let pronk = Pronk::start(|_| written.text());
    let (mut at_members, mut waiting) = (Vec::<(usize, TcpStream)>::new(), VecDeque::new());
    let mut happened = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        let members = written.pools.get_mut("p").unwrap();
        match random.u8(..8) {
            0..=2 => {
                happened.push("one comes".to_owned());
                waiting.push_back(asking(address));
            }
            3 | 4 if !at_members.is_empty() => {
                let (name, _) = at_members.swap_remove(random.usize(..at_members.len()));
                happened.push(format!("one leaves m{name}"));
            }
            5 if !waiting.is_empty() => {
                let place = random.usize(..waiting.len());
                happened.push(format!("number {place} leaves the queue"));
                reset(&waiting.remove(place).unwrap());
            }
            _ => {
                let number = random.usize(..3);
                if random.bool() || members.remove(&number).is_none() || members.is_empty() {
                    members.insert(number, random.u32(1..4));
                }
                happened.push(format!("{members:?}"));
                reload(&pronk, &written);
            }
        }
        let of = |at_members: &[(usize, TcpStream)], name: usize| at_members.iter().filter(|it| it.0 == name).count();
        let room = |at_members: &[(usize, TcpStream)]| {
            let limits = written.pools["p"].iter();
            limits.map(|(name, limit)| (*limit as usize).saturating_sub(of(at_members, *name))).sum::<usize>()
        };
        while room(&at_members) > 0
            && let Some(mut first) = waiting.pop_front()
        {
            let mut name = [0];
            first.read_exact(&mut name).unwrap_or_else(|error| panic!("it waits: {error}, after {happened:#?}"));
            at_members.push((name[0].into(), first));
        }
        wait_until_queued(&pronk, waiting.len());
        assert!(waiting.iter().all(waits), "one was overtaken, after {happened:#?}");
    }
    assert!(happened.len() > 10, "{happened:#?}");
}
