//! What pronk itself runs out of: no member is blamed, marked down or left for it.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lb::{PATIENCE, Pronk, free_port, until};
use crate::namespace::in_namespace;
use crate::peers::{connect, echo_member, echoes};

/// Members are looked at often, and soon taken for down.
const MONITORS: &str = "monitors:
  fast: { type: tcp, interval: 500ms, timeout: 1600ms }
  passive: { type: inband, failures: 1 }
";
/// Twice the time after which a member without a good answer is down, and some.
const LONG: Duration = Duration::from_secs(4);

fn wait_until_up(pronk: &Pronk) {
    pronk.logged("member is up", |line| line["message"] == "member is up" && line["monitor"] == "fast");
}

fn says(line: &Value, words: &str) -> bool {
    line["message"].as_str().is_some_and(|message| message.contains(words))
}

/// No line but the one of the shortage speaks of a fault, and that one is there once.
#[track_caller]
fn assert_pronk_alone_is_blamed(pronk: &Pronk, shortage: &str) {
    let log = pronk.log();
    let of = |words: &str| log.iter().filter(|line| says(line, words)).collect::<Vec<_>>();
    assert_eq!(of("member is down"), [] as [&Value; 0]);
    assert_eq!(of("member failed a connection"), [] as [&Value; 0]);
    assert_eq!(of(shortage).len(), 1, "{:#?}", of(shortage));
    assert_eq!(log.iter().filter(|line| line["level"] == "ERROR").count(), 1);
}

mod descriptors {
    use super::*;

    const LIMIT: usize = 60;

    /// How many of the descriptors below the limit pronk holds. It may have inherited others beyond.
    fn held(pronk: &Pronk) -> usize {
        let all = std::fs::read_dir(format!("/proc/{}/fd", pronk.pid())).unwrap();
        let numbers = all.map(|entry| entry.unwrap().file_name().to_string_lossy().parse::<usize>().unwrap());
        numbers.filter(|number| *number < LIMIT).count()
    }

    #[test]
    fn members_stay_up_and_sessions_go_on_without_them() {
        let (member, port) = (echo_member(), free_port());
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {LIMIT}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_pronk")]);
        let pronk = Pronk::start_by(command, |_| {
            format!(
                "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'], monitors: [fast, passive], service-down-action: reset }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
{MONITORS}",
                member.port()
            )
        });
        wait_until_up(&pronk);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut session = connect(address);
        assert!(echoes(&mut session));
        // Clients that say nothing need no member; those for whom there is no descriptor wait in the kernel.
        let mut crowd: Vec<_> = (0..80).map(|_| connect(address)).collect();
        until("every descriptor is held", || held(&pronk) == LIMIT);
        let begun = Instant::now();
        while begun.elapsed() < LONG {
            assert!(echoes(&mut session), "the session has ended: {:#?}", pronk.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        let refused = crowd.iter_mut().take(LIMIT / 2).map(echoes).filter(|served| !served).count();
        assert!(refused > 0, "half as many sessions as descriptors, which each take two");
        let record = pronk.closed("proxy-out-of-descriptors");
        assert_eq!((&record["close.who"], &record["close.phase"]), (&"proxy".into(), &"connect".into()), "{record}");
        assert_eq!(record["close.mechanism"], "exhausted");
        assert!(record["close.remedy"].as_str().unwrap().contains("LimitNOFILE="), "{record}");
        assert!(echoes(&mut session));
        drop(crowd);
        until("it serves again", || echoes(&mut connect(address)));
        assert_pronk_alone_is_blamed(&pronk, "pronk is out of file descriptors");
    }
}

/// Local ports, of which a network namespace has as many as its test says.
mod ports {
    use super::*;

    fn set(name: &str, value: &str) {
        std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
    }

    /// A client of a virtual server on every address. Each connects to another of them, toward which no port is in use.
    struct Clients {
        port: u16,
        last: u32,
    }

    impl Clients {
        fn another(&mut self) -> TcpStream {
            self.last += 1;
            let address = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + self.last);
            connect((address, self.port).into())
        }
    }

    #[test]
    fn members_stay_up_and_another_serves_without_them() {
        if !in_namespace("shortage::ports::members_stay_up_and_another_serves_without_them") {
            return;
        }
        let (full, other) = (echo_member(), echo_member());
        let (alone, both) = (free_port(), free_port());
        let pronk = Pronk::start(|_| {
            format!(
                "nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }} }}
pools:
  alone: {{ members: ['a:{full}'], monitors: [fast, passive], service-down-action: reset }}
  both:
    members: [{{ member: 'a:{full}', priority-group: 2 }}, {{ member: 'b:{other}', priority-group: 1 }}]
    min-active-members: 1
virtual-servers:
  alone: {{ destination: '0.0.0.0:{alone}', pool: alone }}
  both: {{ destination: '0.0.0.0:{both}', pool: both }}
{MONITORS}",
                full = full.port(),
                other = other.port(),
            )
        });
        wait_until_up(&pronk);
        // What listens has its port from another range.
        set("ipv4/ip_local_port_range", "20000 20007");
        let (mut alone, mut both) = (Clients { port: alone, last: 0 }, Clients { port: both, last: 0 });
        let mut session = alone.another();
        assert!(echoes(&mut session));
        let (mut sessions, mut refused) = (Vec::new(), 0);
        let begun = Instant::now();
        while begun.elapsed() < LONG || refused < 10 {
            assert!(begun.elapsed() < PATIENCE, "{refused} were refused, {} not", sessions.len());
            // Whatever port a probe has left is taken again.
            let mut client = alone.another();
            if echoes(&mut client) {
                sessions.push(client);
            } else {
                refused += 1;
            }
            assert!(echoes(&mut session), "the session has ended: {:#?}", pronk.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        let record = pronk.closed("proxy-out-of-ports");
        assert_eq!((&record["close.who"], &record["close.phase"]), (&"proxy".into(), &"connect".into()), "{record}");

        let by_other = |line: &Value| {
            says(line, "connection closed")
                && line["tries"] == 2
                && line["member"].as_str().is_some_and(|member| member.starts_with("b:"))
        };
        until("the other member serves, toward which there are ports", || {
            assert!(echoes(&mut both.another()));
            pronk.log().iter().any(by_other)
        });
        assert!(echoes(&mut session));
        assert_pronk_alone_is_blamed(&pronk, "pronk is out of local ports");
    }

    /// The kernel's error is that of a lack of ports, and yet nothing is lacking that would come back.
    #[test]
    fn member_toward_which_this_machine_has_no_address_is_down() {
        if !in_namespace("shortage::ports::member_toward_which_this_machine_has_no_address_is_down") {
            return;
        }
        if !std::fs::exists("/proc/sys/net/ipv6").unwrap() {
            eprintln!("skipped: this system has no IPv6");
            return;
        }
        for interface in ["all", "lo"] {
            set(&format!("ipv6/conf/{interface}/disable_ipv6"), "1");
        }
        let port = free_port();
        let pronk = Pronk::start(|_| {
            format!(
                "nodes: {{ a: {{ address: '::1' }} }}
pools: {{ p: {{ members: ['a:21050'], monitors: [fast] }}, unwatched: {{ members: ['a:21050'] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{port}', pool: unwatched }}
  watched: {{ destination: '127.0.0.2:{port}', pool: p }}
{MONITORS}"
            )
        });
        let words = "this machine has no address from which to reach it";
        assert!(!echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], port)))));
        let is_record = |line: &Value| says(line, "connection closed") && line["close.code"] == "member-unreachable";
        let record = pronk.logged("the record", is_record);
        assert!(record["close.detail"].as_str().unwrap().contains(words), "{record}");
        let down = pronk.logged("member is down", |line| says(line, "member is down"));
        assert!(down["reason"].as_str().is_some_and(|reason| reason.contains(words)), "{down}");
        assert!(!pronk.log().iter().any(|line| says(line, "pronk is out of")));
    }
}
