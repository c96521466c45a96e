//! Pages of any length and any slowness: what has come of one is judged, and no more of it is waited for than that takes.

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// What a server does after the beginning of its page.
#[derive(Clone, Copy)]
enum Then {
    Closes,
    Resets,
    /// Sends nothing more, and keeps the connection.
    Hangs,
    /// Sends a byte now and then, for ever.
    Drips,
    /// Sends as much as it can, for ever.
    Floods,
}

/// Returns a server that answers with this and then goes on so.
async fn page(begins: impl Into<String>, then: Then) -> SocketAddr {
    let begins = Arc::new(begins.into());
    let serve = move |mut stream: TcpStream| {
        let begins = Arc::clone(&begins);
        async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let _ = stream.write_all(begins.as_bytes()).await;
            match then {
                Then::Closes => {}
                Then::Resets => crate::net::reset_on_close(&stream),
                Then::Hangs => while stream.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {},
                Then::Drips => {
                    while stream.write_all(b".").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                Then::Floods => while stream.write_all(&[b'.'; 4096]).await.is_ok() {},
            }
        }
    };
    server(serve).await.0
}

fn matching(recv: &'static str) -> MonitorKind {
    http(|check| check.recv = Some(recv.into()))
}

fn disabling(recv: &'static str, disable: &'static str) -> MonitorKind {
    http(|check| (check.recv, check.recv_disable) = (Some(recv.into()), Some(disable.into())))
}

/// Returns what a probe finds that must be done long before its limit.
async fn soon(kind: MonitorKind, address: SocketAddr) -> Outcome {
    let begun = Instant::now();
    let outcome = probe(&assignment(kind, PATIENT), address).await;
    assert!(begun.elapsed() < PATIENT / 2, "{outcome:?} took {:?}", begun.elapsed());
    outcome
}

#[tokio::test]
async fn status_is_enough_without_patterns() {
    for then in [Then::Closes, Then::Resets, Then::Hangs, Then::Drips, Then::Floods] {
        for head in ["", "Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"] {
            let ok = page(format!("HTTP/1.1 200 OK\r\n{head}\r\n"), then).await;
            assert_eq!(soon(http(|_| {}), ok).await, Outcome::Answers, "{head}");
            let ill = page(format!("HTTP/1.1 503 Busy\r\n{head}\r\n"), then).await;
            fails(soon(matching("OK"), ill).await, "it answers with status 503");
        }
    }
}

#[tokio::test]
async fn page_is_judged_as_soon_as_it_matches() {
    for then in [Then::Closes, Then::Hangs, Then::Drips, Then::Floods] {
        let healthy = page(format!("{OK}healthy"), then).await;
        assert_eq!(soon(matching("healthy"), healthy).await, Outcome::Answers);
        let reversed = http(|check| (check.recv, check.reverse) = (Some("healthy".into()), true));
        fails(soon(reversed, healthy).await, "matches recv, which is reversed");
        let Outcome::Reported(Verdict::Disabled(_)) = soon(disabling("200", "healthy"), healthy).await else {
            panic!("recv-disable matches")
        };
    }
}

#[tokio::test]
async fn first_64_kib_decide() {
    let pages = [format!("Content-Length: {}\r\n\r\n{}", 65537, "x".repeat(65537)), "\r\n".to_owned()];
    for (rest, then) in pages.into_iter().zip([Then::Closes, Then::Floods]) {
        let long = page(format!("HTTP/1.1 200 OK\r\n{rest}"), then).await;
        fails(soon(matching("healthy"), long).await, "its answer does not match recv in the first 64 KiB");
        assert_eq!(soon(disabling("200", "maintenance"), long).await, Outcome::Answers);
        let reversed = http(|check| (check.recv, check.reverse) = (Some("healthy".into()), true));
        assert_eq!(soon(reversed, long).await, Outcome::Answers);
    }
    let whole =
        page(format!("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n{}", "x".repeat(65536)), Then::Hangs).await;
    let Outcome::Fails(reason) = soon(matching("healthy"), whole).await else { panic!() };
    assert_eq!(reason, "its answer does not match recv");
}

#[tokio::test]
async fn what_came_by_the_limit_or_the_end_decides() {
    let drips = page(OK, Then::Drips).await;
    let ask = async |kind, address| probe(&assignment(kind, BRIEF), address).await;
    let Outcome::Fails(reason) = ask(matching("healthy"), drips).await else { panic!() };
    assert!(
        reason.contains("does not match recv in the ") && reason.contains(" bytes that came within 300ms"),
        "{reason}"
    );
    assert_eq!(ask(disabling("200", "maintenance"), drips).await, Outcome::Answers, "it waits for recv-disable");
    let broken = page("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nOK", Then::Closes).await;
    fails(soon(matching("healthy"), broken).await, "does not match recv and breaks off after 2 bytes");
    assert_eq!(soon(matching("OK"), broken).await, Outcome::Answers);
}

/// `$` and `\b` look at what follows, which may still be to come.
#[tokio::test]
async fn end_of_what_has_come_is_not_the_end_of_the_page() {
    let pieces = |first: &'static str, second: &'static str| async move {
        let serve = move |mut stream: TcpStream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(format!("{OK}{first}").as_bytes()).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            let _ = stream.write_all(second.as_bytes()).await;
        };
        server(serve).await.0
    };
    for pattern in ["healthy$", r"healthy\b", r"\Whealthy\z"] {
        fails(soon(matching(pattern), pieces("healthy", "ish").await).await, "does not match recv");
        assert_eq!(soon(disabling("200", pattern), pieces("healthy", "ish").await).await, Outcome::Answers);
        assert_eq!(soon(matching(pattern), pieces("heal", "thy").await).await, Outcome::Answers);
    }
}

/// The role and the load are in pages of which all is needed. One that is too long tells nothing, and the port decides.
#[tokio::test]
async fn web_ui_without_end_is_no_failure_of_the_member() {
    let port = saying(b"\x80\x01\0\x02\0\0\0\0\0\0\0\0\0").await;
    for then in [Then::Floods, Then::Resets, Then::Closes] {
        let web = page(OK, then).await;
        let kind = impala(ImpalaProtocol::Hs2, Some(false), Some(web.port()));
        assert_eq!(soon(kind, port).await, Outcome::Answers);
    }
    let drips = page(OK, Then::Drips).await;
    let kind = impala(ImpalaProtocol::Hs2, Some(false), Some(drips.port()));
    assert_eq!(probe(&assignment(kind, BRIEF * 4), port).await, Outcome::Answers, "the port has its part of the limit");
}

#[tokio::test]
async fn health_page_needs_no_end() {
    for then in [Then::Floods, Then::Drips] {
        let web = page(OK, then).await;
        let assignment = assignment(impala(ImpalaProtocol::Hs2, Some(false), Some(web.port())), BRIEF * 4);
        let outcome = probe(&assignment, silent().await).await;
        assert!(matches!(outcome, Outcome::Reported(Verdict::Unavailable(_))), "{outcome:?}");
    }
}
