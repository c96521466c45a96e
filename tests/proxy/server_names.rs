//! Server names (SNI) as clients send them, right or wrong, and what the log tells of them.

use std::process::{Command, Stdio};

use crate::codes::front::Front;
use crate::peers::echo_member;

/// Sends one name with OpenSSL, which takes any.
fn send(address: std::net::SocketAddr, name: Option<&str>) {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &address.to_string()]);
    match name {
        Some(name) => client.args(["-servername", name]),
        None => client.arg("-noservername"),
    };
    client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    client.status().expect("openssl is installed by tests/setup.sh");
}

#[test]
fn names_that_are_no_host_names_are_told_with_the_reason() {
    let front = Front::before(echo_member()).client_ssl("sni-require: true").start();
    for (name, words) in [
        (Some("lb.example.com:21050"), "which is no host name: it has a port"),
        (Some("*.example.com"), "which is no host name: it has a wildcard"),
        (Some("-lb.example.com"), "which is no host name: a label of it begins with a hyphen"),
        (Some("lb..example.com"), "which is no host name: a label of it is empty"),
        (Some("lb example"), "which is no host name: it has the character ' '"),
        (Some("https://lb.example.com/"), "which is no host name: it is a URL"),
        (Some("m\u{fc}nchen.example.com"), "which is no host name: it has letters beyond ASCII"),
        (Some("10.0.0.1"), "which is no host name: it is an IP address"),
        (Some("2001:db8::1"), "which is no host name: it is an IP address"),
        (Some("x.example.org"), "which no certificate of the profile has"),
        (None, "sent no server name (SNI), and the profile requires one"),
    ] {
        let told = |line: &serde_json::Value| {
            let detail = line["close.detail"].as_str().unwrap_or_default();
            line["close.code"] == "client-tls-error"
                && detail.contains(words)
                && name.is_none_or(|name| detail.contains(&format!("the server name \"{name}\"")))
        };
        send(front.address, name);
        front.pronk.logged(words, told);
    }
}

#[test]
fn address_as_a_name_and_a_dot_at_its_end_are_served_and_logged_as_sent() {
    let front = Front::before(echo_member()).client_ssl("").start();
    for name in ["10.0.0.1", "lb.example.test."] {
        send(front.address, Some(name));
        front.pronk.logged(name, |line| line["client_tls_sni"] == name);
    }
}
