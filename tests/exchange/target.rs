//! The proxies between clients and members: their virtual servers, one for each mode and TLS of the member.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::material::NODE;
use super::member::Members;
use super::plan::{Mode, Plan, Tls};
use crate::support::lb::{Pronk, free_port, with_threads};

/// What one virtual server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Route {
    mode: Mode,
    member_tls: Option<Tls>,
}

/// How many threads of pronk carry connections. A single one has a runtime of its own kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    One = 1,
    #[default]
    Two = 2,
}

impl Threads {
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The threads that carry the exchange of this number.
    pub fn of(number: u64) -> Self {
        if number.is_multiple_of(2) { Self::One } else { Self::Two }
    }
}

/// The virtual servers of a proxy.
#[derive(Clone, Debug)]
pub struct Routes {
    routes: Vec<(Route, SocketAddr)>,
    /// The most connections of each member; others wait in the queue.
    limit: Option<u32>,
}

impl Routes {
    /// Ports for every mode.
    pub fn new() -> Self {
        let tls = Mode::ALL.into_iter().flat_map(|mode| {
            let kinds = match mode {
                Mode::Plain | Mode::Offload => vec![None],
                Mode::Through | Mode::ReEncrypt | Mode::ServerOnly => Tls::BOTH.map(Some).to_vec(),
            };
            kinds.into_iter().map(move |member_tls| Route { mode, member_tls })
        });
        let routes = tls.map(|route| (route, SocketAddr::from(([127, 0, 0, 1], free_port())))).collect();
        Self { routes, limit: None }
    }

    /// As [`new`](Self::new), where each member takes so many connections at a time, and others queue.
    pub fn with_places(limit: u32) -> Self {
        Self { limit: Some(limit), ..Self::new() }
    }

    /// The modes, each with every TLS of the member.
    pub fn modes(&self) -> impl Iterator<Item = (Mode, Option<Tls>)> {
        self.routes.iter().map(|(route, _)| (route.mode, route.member_tls))
    }

    /// Where the client of an exchange connects to.
    pub fn address(&self, plan: &Plan) -> SocketAddr {
        let route = Route { mode: plan.mode, member_tls: plan.member_tls };
        self.routes.iter().find(|it| it.0 == route).unwrap().1
    }

    /// Starts pronk with these virtual servers.
    pub fn start_pronk(
        &self,
        threads: Threads,
        drain_timeout: u32,
        files: impl FnOnce(&Path),
        members: &Members,
    ) -> Pronk {
        Pronk::start_with(with_threads(threads as usize), drain_timeout, |folder| {
            files(folder);
            self.pronk_config(members)
        })
    }

    fn pronk_config(&self, members: &Members) -> String {
        let mut text = format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: ca.pem }}
pools:
"
        );
        for (route, address) in &self.routes {
            let (name, port) = (address.port(), members.address(route.member_tls).port());
            match self.limit {
                None => writeln!(text, "  p{name}: {{ members: ['a:{port}'] }}"),
                Some(limit) => writeln!(
                    text,
                    "  p{name}: {{ members: [{{ member: 'a:{port}', connection-limit: {limit} }}], \
                     queue-on-connection-limit: true }}"
                ),
            }
            .unwrap();
        }
        text += "virtual-servers:\n";
        for (Route { mode, .. }, address) in &self.routes {
            let profiles = match mode {
                Mode::Plain | Mode::Through => "",
                Mode::Offload => ", client-ssl: front",
                Mode::ReEncrypt => ", client-ssl: front, server-ssl: back",
                Mode::ServerOnly => ", server-ssl: back",
            };
            let port = address.port();
            writeln!(text, "  vs{port}: {{ destination: '{address}', pool: p{port}{profiles} }}").unwrap();
        }
        text
    }

    fn haproxy_config(&self, folder: &Path, members: &Members) -> String {
        let path = |name: &str| folder.join(name).display().to_string();
        let mut text = "global
    maxconn 4000
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-server-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    timeout queue 1m
"
        .to_owned();
        for (Route { mode, member_tls }, address) in &self.routes {
            let front = format!("ssl crt {}", path("lb-both.pem"));
            let back = format!("ssl verify required ca-file {} verifyhost {NODE}", path("ca.pem"));
            let (front, back) = match mode {
                Mode::Plain | Mode::Through => ("", ""),
                Mode::Offload => (front.as_str(), ""),
                Mode::ReEncrypt => (front.as_str(), back.as_str()),
                Mode::ServerOnly => ("", back.as_str()),
            };
            let (name, member) = (address.port(), members.address(*member_tls));
            let limit = self.limit.map_or_else(String::new, |limit| format!("maxconn {limit}"));
            writeln!(text, "listen vs{name}\n    bind {address} {front}\n    server member {member} {back} {limit}\n")
                .unwrap();
        }
        text
    }
}

/// A running HAProxy, to compare with.
pub struct Haproxy {
    child: Child,
    pub version: String,
    _folder: tempfile::TempDir,
}

impl Haproxy {
    /// Starts `HAPROXY_BIN`, or the haproxy of `PATH`; nothing where there is none.
    pub fn start(routes: &Routes, files: impl FnOnce(&Path), members: &Members) -> Option<Self> {
        let program = program();
        let version = match Command::new(&program).arg("-v").output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned(),
            Err(error) => {
                println!("there is no {} to compare with: {error}", program.display());
                return None;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        files(folder.path());
        let config = folder.path().join("haproxy.cfg");
        std::fs::write(&config, routes.haproxy_config(folder.path(), members)).unwrap();
        let child = Command::new(program)
            .args(["-db", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let haproxy = Self { child, version, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        for (_, address) in &routes.routes {
            while std::net::TcpStream::connect(address).is_err() {
                assert!(Instant::now() < deadline, "HAProxy does not listen");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Some(haproxy)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    std::env::var_os("HAPROXY_BIN").unwrap_or_else(|| "haproxy".into()).into()
}
