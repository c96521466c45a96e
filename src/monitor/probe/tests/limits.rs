//! A probe of many steps ends within its limit, wherever a server hangs.

use super::*;

/// Returns a server that answers each question with these bytes after `delay`, and then holds the connection.
async fn slow(delay: Duration, answer: &'static [u8]) -> SocketAddr {
    let serve = move |mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        tokio::time::sleep(delay).await;
        let _ = stream.write_all(answer).await;
        while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
    };
    server(serve).await.0
}

/// Returns a server that begins so and then sends a byte now and then, for ever.
async fn dripping(begins: &'static [u8]) -> SocketAddr {
    let serve = move |mut stream: TcpStream| async move {
        let _ = stream.write_all(begins).await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(LIMIT / 20).await;
        }
    };
    server(serve).await.0
}

const LIMIT: Duration = Duration::from_secs(1);
/// A page of a web UI, whole.
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[tokio::test]
async fn probe_of_many_steps_ends_within_its_limit() {
    let hs2 = |sasl, web: Option<SocketAddr>| impala(ImpalaProtocol::Hs2, sasl, web.map(|web| web.port()));
    let silent = silent().await;
    // Each page takes a good part of the time, and all of them more than there is.
    let slow_web = slow(LIMIT * 2 / 5, PAGE).await;
    let healthy = slow(Duration::ZERO, PAGE).await;
    let thrift: &[u8] = b"\x80\x01\0\x02\0\0\xff\0";
    let cases = [
        ("silent to HTTP", http(|_| {}), silent),
        ("headers that drip", http(|_| {}), dripping(b"HTTP/1.1 200 OK\r\nX: ").await),
        (
            "a page that drips",
            http(|check| check.recv = Some("healthy".into())),
            dripping(PAGE.get(..17).unwrap()).await,
        ),
        ("silent to TLS", MonitorKind::Tls, silent),
        ("a TLS record that drips", MonitorKind::Tls, dripping(b"\x16\x03\x03\x40\0").await),
        ("silent to a question", hs2(None, None), silent),
        ("an answer that drips", hs2(Some(false), None), dripping(thrift).await),
        ("refused slowly, and then the other way", hs2(None, None), slow(LIMIT * 3 / 5, b"garbage").await),
        ("slow pages and a silent port", hs2(None, Some(slow_web)), silent),
        ("no pages and a silent port", hs2(None, Some(silent)), silent),
        ("a page at once and a silent port", hs2(None, Some(healthy)), silent),
    ];
    let probes = cases.into_iter().map(|(what, kind, address)| async move {
        let (assignment, begun) = (assignment(kind, LIMIT), Instant::now());
        let outcome = probe(&assignment, address).await;
        let took = begun.elapsed();
        assert!(took < LIMIT + Duration::from_millis(400), "{what}: {outcome:?} took {took:?}");
        assert_ne!(outcome, Outcome::Answers, "{what}");
    });
    // All at once, so that it takes as long as one.
    let mut probing: tokio::task::JoinSet<()> = tokio::task::JoinSet::new();
    probes.for_each(|probe| drop(probing.spawn(probe)));
    probing.join_all().await;
}
