//! What a client cannot do: take up all places, hold one for ever, send without end, or have a web page ask for it.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::http::{Answer, connect_from, exchange, request};
use super::lab::{Lab, fresh_address};
use super::support::lb::until;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Waits until the other side has closed a connection, and returns how long that took.
fn closed_after(stream: &mut impl Read) -> Duration {
    let since = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new());
    since.elapsed()
}

#[test]
fn request_that_never_ends_is_given_up() {
    let lab = Lab::plain();
    let mut slow = connect_from(fresh_address(), lab.port).unwrap();
    slow.write_all(b"GET /v1/map HTTP/1.1\r\nhost: pronk\r\n").unwrap();
    let mut dripping = slow.try_clone().unwrap();
    let dripper = std::thread::spawn(move || {
        while dripping.write_all(b"x: y\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let mut silent = connect_from(fresh_address(), lab.port).unwrap();
    let took = closed_after(&mut slow);
    assert!((Duration::from_secs(8)..Duration::from_secs(40)).contains(&took), "{took:?}");
    closed_after(&mut silent);
    dripper.join().unwrap();
    assert_eq!(lab.over_plain().get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn handshake_that_never_ends_is_given_up() {
    let lab = Lab::tls();
    let mut silent = connect_from(fresh_address(), lab.port).unwrap();
    let took = closed_after(&mut silent);
    assert!(took < Duration::from_secs(40), "{took:?}");
    let mut plain = connect_from(fresh_address(), lab.port).unwrap();
    assert!(exchange(&mut plain, &request("GET", "/healthz", &[])).is_none(), "TLS is not optional");
    assert_eq!(lab.over_tls().get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn one_address_leaves_places_for_others() {
    let lab = Lab::plain();
    let greedy = fresh_address();
    let mut open: Vec<_> = (0..40).map(|_| connect_from(greedy, lab.port).unwrap()).collect();
    let alive = |stream: &mut std::net::TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        !matches!(stream.read(&mut [0]), Ok(0))
    };
    until("sixteen are left", || open.iter_mut().filter_map(|it| alive(it).then_some(())).count() <= 16);
    assert_eq!(open.iter_mut().filter_map(|it| alive(it).then_some(())).count(), 16);
    assert_eq!(lab.over_plain().get("/v1/map", &lab.viewer).code, 200);
    drop(open);
    until("it has room again", || {
        connect_from(greedy, lab.port).is_ok_and(|mut it| exchange(&mut it, &request("GET", "/healthz", &[])).is_some())
    });
}

#[test]
fn requests_are_bounded_in_size() {
    let lab = Lab::plain();
    let (way, token) = (lab.over_plain(), &lab.viewer);
    let long = way.get(&format!("/v1/persistence?client={}", "x".repeat(5000)), token);
    assert_eq!(long.code, 414);
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("x", &"y".repeat(20_000))];
    let mut stream = connect_from(LOOPBACK, lab.port).unwrap();
    let answer = exchange(&mut stream, &request("GET", "/v1/map", &headers));
    assert!(answer.is_none_or(|answer| answer.code == 431), "too many bytes of headers");
}

#[test]
fn body_is_refused_rather_than_passed_over() {
    let lab = Lab::plain();
    let authorization = format!("Bearer {}", lab.admin);
    let headers = [("authorization", authorization.as_str()), ("content-length", "16")];
    let mut stream = connect_from(LOOPBACK, lab.port).unwrap();
    let answer = exchange(&mut stream, &(request("POST", "/v1/reload", &headers) + "{\"dry_run\":true}")).unwrap();
    assert_eq!(answer.code, 400);
    assert!(answer.error().contains("write its parameters into the query"));
    let endless = [("authorization", authorization.as_str()), ("transfer-encoding", "chunked")];
    let mut stream = connect_from(LOOPBACK, lab.port).unwrap();
    stream.write_all(request("POST", "/v1/reload", &endless).as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut stream).unwrap().code, 400);
    assert!(lab.pronk.log().iter().all(|line| line["message"] != "configuration reloaded"));
}

#[test]
fn web_page_changes_nothing() {
    let lab = Lab::plain();
    let authorization = format!("Bearer {}", lab.admin);
    let of_page = [("authorization", authorization.as_str()), ("origin", "https://intranet.example.com")];
    let way = lab.over_plain();
    let change = way.ask_from(LOOPBACK, "POST", "/v1/reload?dry_run=true", &of_page);
    assert_eq!(change.code, 403);
    assert!(change.error().contains("not taken from web pages"), "{change:?}");
    let shown = way.ask_from(LOOPBACK, "GET", "/v1/map", &of_page);
    assert_eq!(
        (shown.code, shown.header("access-control-allow-origin")),
        (200, None),
        "the browser keeps it from the page"
    );
    let preflight = way.ask_from(LOOPBACK, "OPTIONS", "/v1/reload", &[("origin", "https://intranet.example.com")]);
    assert_eq!(preflight.code, 401);
}

#[test]
fn requests_of_an_address_are_bounded_in_number() {
    let lab = Lab::plain();
    let (from, others) = (fresh_address(), fresh_address());
    let authorization = format!("Bearer {}", lab.viewer);
    let headers = [("authorization", authorization.as_str())];
    let mut refused = None;
    // Many in one connection, as each of its own takes longer than the budget needs to grow.
    let one = format!("GET /v1/names HTTP/1.1\r\nhost: pronk\r\nauthorization: {authorization}\r\n\r\n");
    let since = Instant::now();
    while refused.is_none() && since.elapsed() < super::support::lb::PATIENCE {
        let mut stream = connect_from(from, lab.port).unwrap();
        let last = request("GET", "/v1/names", &headers);
        stream.write_all((one.repeat(250) + &last).as_bytes()).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        refused = text.split("HTTP/1.1 ").find(|answer| answer.starts_with("429")).map(str::to_owned);
    }
    let refused = refused.expect("never too many");
    assert!(refused.contains("retry-after: 1\r\n") && refused.contains("too many requests"), "{refused}");
    assert_eq!(lab.over_plain().ask_from(others, "GET", "/v1/names", &headers).code, 200);
    until("it may ask again", || lab.over_plain().ask_from(from, "GET", "/v1/names", &headers).code == 200);
}

#[test]
fn clients_from_elsewhere_get_no_answer() {
    let lab = Lab::with("tokens-file: tokens, source: [127.0.0.1, 127.77.0.0/16]");
    for (from, lets_in) in [([127, 0, 0, 1], true), ([127, 77, 3, 4], true), ([127, 0, 0, 2], false)] {
        let mut stream = connect_from(from.into(), lab.port).unwrap();
        assert_eq!(exchange(&mut stream, &request("GET", "/healthz", &[])).is_some(), lets_in, "{from:?}");
    }
}
