//! After an upgrade: the connections of processes that drain count toward limits, and where the next client goes.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;

use crate::lb::{PATIENCE, Pronk, done, free_port, passthrough, until};
use crate::peers::{connect, echo_member, echoes, is_refused, member, read_all};

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A client that has its hello back.
fn client(port: u16) -> TcpStream {
    let mut client = connect(at(port));
    assert!(echoes(&mut client));
    client
}

/// A client from this address of loopback; none if it is reset.
fn client_from(source: [u8; 4], port: u16) -> Option<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((IpAddr::from(source), 0)).into()).unwrap();
    socket.connect(&at(port).into()).ok()?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match stream.write_all(b"hello").and_then(|()| stream.read_exact(&mut [0; 5])) {
        Ok(()) => Some(stream),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
            None
        }
    }
}

/// Each limit is used up by connections of two processes that drain, and there is room as soon as one of these ends.
#[test]
fn limits_hold_over_upgrades() {
    let [of_member, of_node, of_server, of_client] = [(); 4].map(|()| free_port());
    let pronk = Pronk::start(|_| {
        let [a, b, c] = [(); 3].map(|()| echo_member().port());
        format!(
            "nodes:
  a: {{ address: 127.0.0.1 }}
  b: {{ address: 127.0.0.1, connection-limit: 2 }}
  c: {{ address: 127.0.0.1 }}
pools:
  m: {{ members: [{{ member: 'a:{a}', connection-limit: 2 }}] }}
  n: {{ members: ['b:{b}'] }}
  free: {{ members: ['c:{c}'] }}
virtual-servers:
  of-member: {{ destination: '127.0.0.1:{of_member}', pool: m }}
  of-node: {{ destination: '127.0.0.1:{of_node}', pool: n }}
  of-server: {{ destination: '127.0.0.1:{of_server}', pool: free, connection-limit: 2 }}
  of-client: {{ destination: '127.0.0.1:{of_client}', pool: free, client-connection-limit: 2 }}
"
        )
    });
    let ports = [of_member, of_node, of_server, of_client];
    let mut first = ports.map(client);
    pronk.upgrade();
    let mut second = ports.map(client);
    for port in ports {
        assert!(is_refused(at(port)), "{port}: there is room for one more alone");
    }
    pronk.upgrade();
    for port in ports {
        assert!(is_refused(at(port)), "{port}");
    }
    assert!(client_from([127, 0, 0, 9], of_client).is_some(), "another client has room");
    assert!(first.iter_mut().chain(&mut second).all(echoes), "those that are open go on");
    let map = done(&pronk, &["show", "map"]);
    assert!(map.contains("at its connection limit of 2, 2 of them in processes that drain"), "{map}");
    let told = done(&pronk, &["explain", "of-client", "127.0.0.1"]);
    assert!(told.contains("has 2 connections of its limit of 2"), "{told}");
    let stats = pronk.stats();
    assert_eq!(stats["virtual_servers"][0]["connections"]["current"], 0);
    assert_eq!(stats["virtual_servers"][0]["connections"]["elsewhere"], 2, "{stats}");
    let (_, metrics) = pronk.get("/metrics", "");
    for [name, count] in [["connections", "0"], ["connections_elsewhere", "2"]] {
        let begins = format!("pronk_virtual_server_{name}{{virtual_server=");
        assert!(metrics.lines().any(|it| it.starts_with(&begins) && it.ends_with(&format!(" {count}"))), "{metrics}");
    }
    let begins = "pronk_member_connections_elsewhere{";
    assert!(metrics.lines().any(|it| it.starts_with(begins) && it.ends_with(" 2")), "{metrics}");
    let table = done(&pronk, &["show", "stats"]);
    assert!(table.contains("0+2") && table.contains("of processes that drain"), "{table}");

    let rest: Vec<_> = ports.into_iter().zip(first).zip(second).collect();
    for ((port, first), second) in rest {
        drop(first);
        let mut again = None;
        until("there is room", || {
            again = client_from([127, 0, 0, 1], port);
            again.is_some()
        });
        assert!(is_refused(at(port)), "{port}: for one alone");
        drop(second);
        until("there is room again", || client_from([127, 0, 0, 1], port).is_some());
    }
}

#[test]
fn whoever_waits_is_served_when_a_connection_of_another_process_ends() {
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: [{{ member: 'a:{}', connection-limit: 1 }}], queue-on-connection-limit: true }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
",
            echo_member().port()
        )
    });
    let held = client(port);
    pronk.upgrade();
    let mut waiting = connect(at(port));
    waiting.write_all(b"hello").unwrap();
    until("it waits", || done(&pronk, &["show", "map"]).contains("1 connections wait"));
    drop(held);
    waiting.read_exact(&mut [0; 5]).unwrap();
}

/// Whoever asks it something holds its end up for two seconds.
#[test]
fn connections_of_a_process_count_no_more_while_it_ends() {
    // On a very busy machine it may have ended before it is looked at.
    assert!((0..5).any(|_| counts_no_more_while_it_ends()));
}

fn counts_no_more_while_it_ends() -> bool {
    let port = free_port();
    let pronk = Pronk::start(|_| passthrough(echo_member(), &format!("127.0.0.1:{port}")));
    let (held, old) = (client(port), pronk.pid());
    pronk.upgrade();
    let elsewhere = || pronk.stats()["virtual_servers"][0]["connections"]["elsewhere"].clone();
    let own = pronk.folder.path().join(format!("admin.sock.{old}"));
    until("it has an admin socket of its own", || own.exists());
    let mut asking = UnixStream::connect(&own).unwrap();
    asking.write_all(b"GET /v1/stop HTTP/1.1\r\n").unwrap();
    until("its connection counts", || elsewhere() == 1);
    drop(held);
    until("it counts no more", || elsewhere() == 0);
    let map = done(&pronk, &["show", "map"]);
    map.contains(&format!("process {old}, has handed over"))
}

/// Two processes drain, one with five connections to the first member and one with three to the second.
#[test]
fn next_client_goes_where_the_fewest_connections_of_all_processes_are() {
    let named = |name: u8| {
        let of = member(move |mut stream| {
            if stream.read_exact(&mut [0]).is_ok() && stream.write_all(&[name]).is_ok() {
                drop(read_all(&mut stream));
            }
        });
        format!("{}:{}", name as char, of.port())
    };
    let [a, b] = [named(b'a'), named(b'b')];
    for method in ["least-connections-member", "least-connections-node"] {
        // The processes of before may still listen on theirs.
        let port = free_port();
        let pronk = Pronk::start(|_| {
            format!(
                "nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['{a}', '{b}'], load-balancing-mode: {method}, slow-ramp-time: 0 }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
"
            )
        });
        let ask = || {
            let (mut client, mut name) = (connect(at(port)), [0]);
            client.write_all(b"?").and_then(|()| client.read_exact(&mut name)).unwrap();
            (name[0], client)
        };
        let served = |count: usize| -> Vec<(u8, TcpStream)> { (0..count).map(|_| ask()).collect() };
        let by = |served: &[(u8, TcpStream)], name| served.iter().filter(|(by, _)| *by == name).count();
        done(&pronk, &["offline", "member", &b]);
        let first = served(5);
        done(&pronk, &["enable", "member", &b]);
        done(&pronk, &["offline", "member", &a]);
        pronk.upgrade();
        let second = served(3);
        assert_eq!((by(&first, b'a'), by(&second, b'b')), (5, 3));
        done(&pronk, &["enable", "member", &a]);
        pronk.upgrade();
        let third = served(8);
        assert_eq!((by(&third, b'a'), by(&third, b'b')), (3, 5), "{method}: each member has eight then");
        // What ends with a process does not count any more.
        drop((second, third));
        until("the second has ended", || done(&pronk, &["show", "map"]).matches("has handed over").count() == 1);
        until("those of the first alone are left", || {
            let connections = &pronk.stats()["pools"][0]["connections"];
            connections["current"] == 0 && connections["elsewhere"] == 5
        });
        let fourth = served(5);
        assert_eq!(by(&fourth, b'b'), 5, "{method}");
    }
}
