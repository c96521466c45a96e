//! What each proxy is configured with: the same ports, certificates and members.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::certificates::{Certificates, MEMBER_NAME};
use super::contestant::{Contestant, nginx_module};
use super::member::Member;
use super::mode::Mode;

pub const PORTS: usize = 4;
/// In what order ports are written in configurations: the mode, and whether the member lets sessions be resumed.
pub const ROUTES: [(Mode, bool); PORTS] =
    [(Mode::Passthrough, false), (Mode::Offload, false), (Mode::ReEncrypt, false), (Mode::ReEncrypt, true)];

/// Returns pronk's, whose pool without TLS has so many more members that are out of service.
pub fn pronk(
    addresses: &[SocketAddr; PORTS],
    certificates: &Certificates,
    member: &Member,
    more_members: usize,
) -> String {
    let file = |name: &str| certificates.path(name).display().to_string();
    let (mut nodes, mut members) = (String::new(), String::new());
    for number in 0..more_members {
        writeln!(nodes, "  n{number}: {{ address: 127.0.0.2 }}").unwrap();
        write!(members, ", {{ member: \"n{number}:9\", state: forced-offline }}").unwrap();
    }
    let mut text = format!(
        "nodes:
  member: {{ address: {}, hostname: {MEMBER_NAME} }}
{nodes}pools:
  pool-plain: {{ members: [\"member:{}\"{members}] }}
  pool-tls: {{ members: [\"member:{}\"] }}
  pool-resuming: {{ members: [\"member:{}\"] }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: {}, key: {} }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: {} }}
virtual-servers:
",
        member.plain.ip(),
        member.plain.port(),
        member.tls.port(),
        member.resuming.port(),
        file("lb.pem"),
        file("lb.key"),
        file("ca.pem"),
    );
    for (route, address) in ROUTES.iter().zip(addresses) {
        let rest = match route {
            (Mode::Passthrough, _) => "pool: pool-plain",
            (Mode::Offload, _) => "pool: pool-plain, client-ssl: front",
            (Mode::ReEncrypt, false) => "pool: pool-tls, client-ssl: front, server-ssl: back",
            (Mode::ReEncrypt, true) => "pool: pool-resuming, client-ssl: front, server-ssl: back",
        };
        writeln!(text, "  vs-{}: {{ destination: \"{address}\", {rest} }}", name(route)).unwrap();
    }
    text
}

pub fn haproxy(
    contestant: Contestant,
    addresses: &[SocketAddr; PORTS],
    certificates: &Certificates,
    member: &Member,
) -> String {
    let tuned = contestant == Contestant::HaproxyTuned;
    let path = |name: &str| -> String { Path::display(&certificates.path(name)).to_string() };
    let mut text = format!(
        "global
    nbthread 1
    maxconn 4000
    log stdout format raw local0 info
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-server-options ssl-min-ver TLSv1.3
{}
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 10s
    timeout client 1h
    timeout server 1h
{}
",
        if tuned { HAPROXY_TUNED_GLOBAL } else { "" },
        if tuned { HAPROXY_TUNED_DEFAULTS } else { "" },
    );
    for (route, address) in ROUTES.iter().zip(addresses) {
        let name = name(route);
        let front = format!("ssl crt {}", path("lb-both.pem"));
        let back = format!("ssl verify required ca-file {} verifyhost {MEMBER_NAME}", path("ca.pem"));
        let (front, back) = match route.0 {
            Mode::Passthrough => ("", ""),
            Mode::Offload => (front.as_str(), ""),
            Mode::ReEncrypt => (front.as_str(), back.as_str()),
        };
        let server = member.address(*route);
        writeln!(text, "listen {name}\n    bind {address} {front}\n    server member {server} {back}\n").unwrap();
    }
    text
}

pub fn nginx(
    addresses: &[SocketAddr; PORTS],
    certificates: &Certificates,
    member: &Member,
    pid: &Path,
    access: &Path,
) -> String {
    let path = |name: &str| -> String { Path::display(&certificates.path(name)).to_string() };
    let mut text = format!(
        "load_module {};
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {};
error_log stderr;
events {{ worker_connections 10000; }}
stream {{
    log_format line '$remote_addr:$remote_port [$time_local] $server_port $upstream_addr $upstream_connect_time $status '
        '$bytes_sent $bytes_received $session_time $ssl_protocol $ssl_cipher';
    access_log {} line;
    ssl_protocols TLSv1.3;
    proxy_ssl_protocols TLSv1.3;
    proxy_connect_timeout 10s;
    proxy_timeout 1h;
",
        nginx_module().display(),
        pid.display(),
        access.display(),
    );
    for (route, address) in ROUTES.iter().zip(addresses) {
        let front = format!("ssl_certificate {}; ssl_certificate_key {};", path("lb.pem"), path("lb.key"));
        let back = format!(
            "proxy_ssl on; proxy_ssl_verify on; proxy_ssl_name {MEMBER_NAME}; proxy_ssl_trusted_certificate {};",
            path("ca.pem")
        );
        let (ssl, front, back) = match route.0 {
            Mode::Passthrough => ("", "", ""),
            Mode::Offload => (" ssl", front.as_str(), ""),
            Mode::ReEncrypt => (" ssl", front.as_str(), back.as_str()),
        };
        let server = member.address(*route);
        writeln!(text, "    server {{ listen {address}{ssl}; {front} {back} proxy_pass {server}; }}").unwrap();
    }
    text + "}\n"
}

fn name((mode, resuming): &(Mode, bool)) -> String {
    let resuming = if *resuming { "-resuming" } else { "" };
    format!("{}{resuming}", mode.as_str())
}

const HAPROXY_TUNED_GLOBAL: &str = "    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    tune.pipesize 1048576
    tune.bufsize 131072
";
const HAPROXY_TUNED_DEFAULTS: &str = "    option splice-response\n    option splice-request\n";
