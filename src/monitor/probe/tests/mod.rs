//! Probes of every protocol against small servers, and every way in which a server can fail.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::Probe;
use crate::model::profile::Passphrase;
use crate::model::{
    Credentials, HttpCheck, ImpalaCheck, ImpalaProtocol, MemberKey, Monitor, MonitorKind, Name, PortSsl, Transport,
    WebUi,
};
use crate::monitor::assignment::Assignment;
use crate::monitor::kind::Method;
use crate::monitor::outcome::Outcome;
use crate::pool::{LiveMember, LiveNode, Verdict};

mod limits;
mod pages;
mod shortage;
mod ways;

/// Long enough for an answer on a busy machine; `BRIEF` where silence is what is tested.
const PATIENT: Duration = Duration::from_secs(20);
const BRIEF: Duration = Duration::from_millis(300);

/// Returns a server that does this with each connection, and how many there were.
async fn server<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (address, count)
}

/// Returns a server that reads something, answers this and closes.
async fn saying(answer: &[u8]) -> SocketAddr {
    let answer = Arc::new(answer.to_vec());
    let talk = move |mut stream: TcpStream| {
        let answer = Arc::clone(&answer);
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
            // What the client still sends must not become a reset that overtakes the answer.
            while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
        }
    };
    server(talk).await.0
}

/// Returns a socket at whose address nobody listens, or will while it is held.
fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Returns a server that takes connections and never answers.
async fn silent() -> SocketAddr {
    let hold =
        |mut stream: TcpStream| async move { while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
    server(hold).await.0
}

fn assignment(kind: MonitorKind, limit: Duration) -> Assignment {
    Assignment {
        pool: Name::from("p"),
        member: MemberKey { node: Name::from("n"), port: 21050 },
        monitor: Arc::new(Monitor::new(Name::from("m"), kind, limit, limit * 3)),
        live: Arc::new(LiveMember::default()),
        node: Arc::new(LiveNode::default()),
        hostname: None,
        transport: Transport::Plaintext,
        web_tls: None,
        authorization: None,
        server_name: None,
        certificates: Arc::default(),
        resume: Notify::default(),
    }
}

fn probe_of(assignment: &Assignment) -> Box<dyn Probe + '_> {
    match Method::of(assignment) {
        Method::Active(probe) => probe,
        Method::Inband(_) => panic!("an inband monitor makes no probe"),
    }
}

async fn probe(assignment: &Assignment, address: SocketAddr) -> Outcome {
    probe_of(assignment).probe(address, assignment.probe_limit()).await
}

#[track_caller]
fn fails(outcome: Outcome, why: &str) {
    match outcome {
        Outcome::Fails(reason) | Outcome::Silent(reason) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?} and not a failure: {why}"),
    }
}

/// Returns a monitor of type http for `/healthz`, changed by `change`.
fn http(change: impl FnOnce(&mut HttpCheck)) -> MonitorKind {
    let mut check = HttpCheck {
        tls: None,
        send: "/healthz".into(),
        host: None,
        credentials: None,
        status: vec![(200, 399)],
        recv: None,
        recv_disable: None,
        reverse: false,
    };
    change(&mut check);
    MonitorKind::Http(Box::new(check))
}

/// Returns a monitor of type impala; without `web` it does without a web UI.
fn impala(protocol: ImpalaProtocol, sasl: Option<bool>, web: Option<u16>) -> MonitorKind {
    let web = web.map(|port| WebUi { port, tls: None, credentials: None });
    MonitorKind::Impala(Box::new(ImpalaCheck { protocol, sasl, ssl: PortSsl::Off, service_threads: 64, web }))
}

mod http {
    use super::http as check;
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Role: coordinator\r\n\r\nOK\n";

    #[tokio::test]
    async fn answer_is_judged_by_status_and_text() {
        let page = saying(OK).await;
        let ask = async |change: fn(&mut HttpCheck)| probe(&assignment(check(change), PATIENT), page).await;
        assert_eq!(ask(|_| {}).await, Outcome::Answers);
        fails(ask(|check| check.status = vec![(204, 204)]).await, "status 200");
        assert_eq!(ask(|check| check.recv = Some("200 OK".into())).await, Outcome::Answers);
        assert_eq!(ask(|check| check.recv = Some("(?i)x-role: COORD".into())).await, Outcome::Answers);
        assert_eq!(ask(|check| check.recv = Some("^HTTP/1\\.[01] 2".into())).await, Outcome::Answers);
        fails(ask(|check| check.recv = Some("executor".into())).await, "does not match recv");
        let disabled = ask(|check| (check.recv, check.recv_disable) = (Some("OK".into()), Some("OK\n$".into()))).await;
        assert_eq!(disabled, Outcome::Reported(Verdict::Disabled("its answer matches recv-disable".into())));
        fails(ask(|check| (check.recv, check.reverse) = (Some("OK".into()), true)).await, "reversed");
        assert_eq!(ask(|check| (check.recv, check.reverse) = (Some("Error".into()), true)).await, Outcome::Answers);
    }

    #[tokio::test]
    async fn every_failure_has_its_reason() {
        let ask = async |address| probe(&assignment(check(|_| {}), PATIENT), address).await;
        fails(ask(saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").await).await, "status 503");
        fails(ask(saying(b"SSH-2.0-OpenSSH\r\n").await).await, "no HTTP answer");
        fails(ask(saying(b"").await).await, "no HTTP answer");
        let (_held, nobody) = nobody();
        fails(ask(nobody).await, "cannot connect");
        fails(probe(&assignment(check(|_| {}), BRIEF), silent().await).await, "answers nothing within 300ms");
    }

    /// Returns a server that answers 200 to a request that has every one of these lines, else 400.
    async fn wanting(lines: &'static [&'static str]) -> SocketAddr {
        let judge = move |mut stream: TcpStream| async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let good = lines.iter().all(|line| request.lines().any(|sent| sent == line.to_lowercase()));
            let code = if good { 200 } else { 400 };
            let answer = format!("HTTP/1.1 {code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        };
        server(judge).await.0
    }

    #[tokio::test]
    async fn request_is_what_the_monitor_says() {
        let ask = async |assignment: Assignment, lines| probe(&assignment, wanting(lines).await).await;
        let mut named = assignment(check(|_| {}), PATIENT);
        named.hostname = Some("n1.example.com".into());
        assert_eq!(ask(named, &["GET /healthz HTTP/1.1", "Host: n1.example.com"]).await, Outcome::Answers);
        let hosted = assignment(check(|check| check.host = Some("web.example.com".into())), PATIENT);
        assert_eq!(ask(hosted, &["Host: web.example.com"]).await, Outcome::Answers);
        let whole = check(|check| check.send = r"HEAD /x?json HTTP/1.0\r\nHost: a\r\nX-B: c\r\n\r\n".into());
        assert_eq!(
            ask(assignment(whole, PATIENT), &["HEAD /x?json HTTP/1.1", "Host: a", "X-B: c"]).await,
            Outcome::Answers
        );

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "open sesame\n").unwrap();
        let password = Passphrase::File(file.path().to_owned());
        let mut secret = assignment(check(|_| {}), PATIENT);
        secret.authorization =
            Some(crate::monitor::authorization(&Credentials { user: "Aladdin".into(), password }).unwrap());
        let header = &["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="];
        assert_eq!(ask(secret, header).await, Outcome::Answers);
    }
}

mod impala {
    use super::impala as check;
    use super::*;

    const HS2: ImpalaProtocol = ImpalaProtocol::Hs2;

    /// Returns a reply to GetInfo whose status is an error with this message.
    fn refused(message: &str) -> Vec<u8> {
        let status = [b"\x08\0\x01\0\0\0\x03\x0b\0\x05", &(message.len() as u32).to_be_bytes()[..], message.as_bytes()];
        let head: &[u8] = b"\x80\x01\x00\x02\0\0\0\x07GetInfo\0\0\0\0\x0c\0\0\x0c\0\x01";
        [head, &status.concat(), b"\0\0\0"].concat()
    }

    fn sasl_bad() -> Vec<u8> {
        [&b"\x03\0\0\0\x1f"[..], b"Unsupported mechanism type NOPE"].concat()
    }

    /// Returns an impalad's port without SASL.
    async fn alive() -> SocketAddr {
        saying(&refused("Invalid session id: 0:0")).await
    }

    /// Returns a web UI with these pages; others are 404.
    async fn web(pages: &'static [(&'static str, &'static str)]) -> u16 {
        let answer = move |mut stream: TcpStream| async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let page = pages.iter().find(|(name, _)| *name == path).map(|(_, page)| *page);
            let code = if page.is_some() { 200 } else { 404 };
            let page = page.unwrap_or_default();
            let head = format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", page.len());
            let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
        };
        server(answer).await.0.port()
    }

    const COORDINATOR: (&str, &str) =
        ("/?json", r#"{"is_coordinator": true, "is_executor": true, "is_quiescing": false}"#);

    #[tokio::test]
    async fn every_protocol_has_its_question() {
        let ask = async |protocol, sasl, answer: &[u8]| {
            probe(&assignment(check(protocol, sasl, None), PATIENT), saying(answer).await).await
        };
        assert_eq!(ask(HS2, Some(false), &refused("Invalid session id: 0:0")).await, Outcome::Answers);
        let shutting = ask(HS2, Some(false), &refused("Server is being shut down: 1m left")).await;
        assert_eq!(shutting, Outcome::Reported(Verdict::Disabled("it says that it is being shut down".into())));
        let pong = b"\x80\x01\0\x02\0\0\0\x11PingImpalaService\0\0\0\0\x0c\0\0\x0b\0\x01\0\0\0\x034.6\0\0";
        assert_eq!(ask(ImpalaProtocol::Beeswax, Some(false), pong).await, Outcome::Answers);
        assert_eq!(ask(HS2, Some(true), &sasl_bad()).await, Outcome::Answers);
        assert_eq!(ask(ImpalaProtocol::Beeswax, Some(true), &sasl_bad()).await, Outcome::Answers);
        assert_eq!(ask(ImpalaProtocol::Hs2Http, None, b"HTTP/1.1 200 OK\r\n\r\n").await, Outcome::Answers);
    }

    #[tokio::test]
    async fn answer_may_come_in_pieces() {
        let pieces = server(|mut stream: TcpStream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            for byte in refused("Invalid session id: 0:0") {
                let _ = stream.write_all(&[byte]).await;
                tokio::task::yield_now().await;
            }
            let _ = stream.read(&mut [0; 1]).await;
        });
        let assignment = assignment(check(HS2, None, None), PATIENT);
        assert_eq!(probe(&assignment, pieces.await.0).await, Outcome::Answers);
    }

    /// A port that speaks SASL ends the connection of whoever does not, at once.
    #[tokio::test]
    async fn sasl_is_found_out_and_remembered() {
        let sasl = |mut stream: TcpStream| async move {
            let mut first = [0; 5];
            if stream.read_exact(&mut first).await.is_ok() && first[0] == 1 {
                let _ = stream.write_all(&sasl_bad()).await;
                let _ = stream.read(&mut [0; 4096]).await;
            }
        };
        let (address, connections) = server(sasl).await;
        let assignment = assignment(check(HS2, None, None), PATIENT);
        let mut prober = probe_of(&assignment);
        assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers);
        assert_eq!(connections.load(Ordering::SeqCst), 2);
        assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers);
        assert_eq!(connections.load(Ordering::SeqCst), 3, "the second probe knows");
        assert_eq!(
            prober.probe(alive().await, PATIENT).await,
            Outcome::Answers,
            "and unlearns when the port has changed"
        );
    }

    #[tokio::test]
    async fn every_failure_has_its_reason() {
        let ask = async |answer: &[u8]| {
            probe(&assignment(check(HS2, Some(false), None), PATIENT), saying(answer).await).await
        };
        fails(ask(b"").await, "closed the connection without an answer");
        fails(ask(b"\x80\x01\0\x02\0\0").await, "closed the connection within its answer");
        fails(ask(b"HTTP/1.1 400 Bad Request\r\n").await, "speaks HTTP: write `protocol: hs2-http`");
        fails(ask(b"\x15\x03\x03\0\x02\x02\x46").await, "it speaks TLS, and the monitor has `ssl: false`");
        fails(ask(b"garbage").await, "not Thrift");
        // A text that is announced longer than any answer is.
        fails(ask(b"\x80\x01\0\x02\x7f\xff\xff\xff").await, "not Thrift");
        let (_held, nobody) = nobody();
        fails(probe(&assignment(check(HS2, None, None), PATIENT), nobody).await, "cannot connect");
    }

    #[tokio::test]
    async fn answer_without_end_is_judged_by_its_beginning() {
        let endless = server(|mut stream: TcpStream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"\x80\x01\0\x02\0\0\0\0\0\0\0\0\x0f\0\0\x03\x7f\xff\xff\xff").await;
            while stream.write_all(&[0; 4096]).await.is_ok() {}
        });
        let assignment = assignment(check(HS2, Some(false), None), PATIENT);
        assert_eq!(probe(&assignment, endless.await.0).await, Outcome::Answers);
    }

    #[tokio::test]
    async fn port_that_is_silent_is_unavailable_while_the_web_ui_is_well_and_fails_otherwise() {
        let (port, well) = (silent().await, web(&[COORDINATOR, ("/healthz", "OK")]).await);
        // The web UI has a third of the limit to answer in.
        let assigned = assignment(check(HS2, None, Some(well)), BRIEF * 10);
        let Outcome::Reported(Verdict::Unavailable(reason)) = probe(&assigned, port).await else { panic!() };
        assert!(reason.contains("its service threads are all busy"), "{reason}");
        fails(probe(&assignment(check(HS2, None, None), BRIEF), port).await, "answers nothing");
        let ill = web(&[COORDINATOR]).await;
        fails(probe(&assignment(check(HS2, None, Some(ill)), BRIEF), port).await, "answers nothing");
    }

    #[tokio::test]
    async fn web_ui_tells_what_the_port_does_not_and_the_port_is_left_alone() {
        let (port, asked) = server(|_| async {}).await;
        let told = async |pages| probe(&assignment(check(HS2, None, Some(web(pages).await)), PATIENT), port).await;
        let draining = r#"{"is_coordinator": true, "is_quiescing": true, "shutdown_status": "2m left"}"#;
        let quiescing = told(Box::leak(Box::new([("/?json", draining)]))).await;
        assert_eq!(quiescing, Outcome::Reported(Verdict::Disabled("it shuts down gracefully: 2m left".into())));
        let executor = told(&[("/?json", r#"{"is_coordinator": false, "is_quiescing": false}"#)]).await;
        assert_eq!(executor, Outcome::Reported(Verdict::Down("executor-only: it opens no client ports".into())));
        let full = r#"{"impala.thrift-server.hiveserver2-frontend.connections-in-use": 64}"#;
        let full = told(Box::leak(Box::new([COORDINATOR, ("/jsonmetrics?json", full)]))).await;
        let reason = "64 connections use all of its 64 service threads";
        assert_eq!(full, Outcome::Reported(Verdict::Unavailable(reason.into())));
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn old_web_ui_is_asked_for_the_list_of_daemons() {
        // The row is found by the node's name, as the web UI's port is only known once it listens.
        let port = alive().await;
        let listed = server(|mut stream: TcpStream| async move {
            let own = stream.local_addr().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let page = if request.starts_with(b"GET /backends?json ") {
                format!(
                    r#"{{"backends": [{{"webserver_url": "http://{own}", "is_coordinator": true, "is_quiescing": true}}]}}"#
                )
            } else {
                r#"{"version": "3.4"}"#.to_owned()
            };
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}", page.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let assignment = assignment(check(HS2, None, Some(listed.await.0.port())), PATIENT);
        let outcome = probe(&assignment, port).await;
        assert_eq!(outcome, Outcome::Reported(Verdict::Disabled("it shuts down gracefully".into())));
    }

    #[tokio::test]
    async fn load_is_handed_to_the_member() {
        let metrics = r#"{"impala.thrift-server.beeswax-frontend.connections-in-use": 3,
            "impala.thrift-server.beeswax-frontend.connection-setup-queue-size": 1,
            "impala-server.num-queries-registered": 5, "admission-controller.local-num-queued.default": 2,
            "memory.rss": 1, "mem-tracker.process.limit": 4}"#;
        let pages: &'static _ = Box::leak(Box::new([COORDINATOR, ("/jsonmetrics?json", metrics)]));
        let before = Instant::now();
        let assignment = assignment(check(ImpalaProtocol::Beeswax, None, Some(web(pages).await)), PATIENT);
        assert_eq!(probe(&assignment, alive().await).await, Outcome::Answers);
        let load = assignment.live.measurement().unwrap();
        assert!(load.taken >= before);
        assert_eq!((load.connections_in_use, load.setup_queue), (Some(3), Some(1)));
        assert_eq!((load.queries_registered, load.admission_queued), (Some(5), Some(2)));
        assert_eq!(load.memory_fraction, Some(0.25));
    }

    #[tokio::test]
    async fn without_the_web_ui_the_port_decides() {
        let port = alive().await;
        let ask = async |web| probe(&assignment(check(HS2, None, Some(web)), PATIENT), port).await;
        let (_held, nobody) = nobody();
        assert_eq!(ask(nobody.port()).await, Outcome::Answers);
        assert_eq!(ask(web(&[]).await).await, Outcome::Answers);
        assert_eq!(ask(web(&[("/?json", "<html>")]).await).await, Outcome::Answers);
        assert_eq!(ask(saying(b"garbage").await.port()).await, Outcome::Answers);
    }
}
