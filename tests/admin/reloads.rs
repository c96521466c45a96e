//! The address, the certificate and the presence of the API change while pronk runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rustls::{ClientConnection, StreamOwned};

use super::http::{Way, connect_from, exchange};
use super::lab::{Lab, configuration, fresh_address};
use super::support::ca::Authority;
use super::support::lb::{PATIENCE, free_port, until};
use super::support::tls::trusting;

#[test]
fn address_changes_and_the_api_comes_and_goes() {
    let lab = Lab::plain();
    let (first, second) = (lab.port, free_port());
    let health = |port| Way::Plain(port).ask("GET", "/healthz", None).code;
    let refused = |port| TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_err();
    // A connection that is kept open ends when another address serves.
    let mut kept = connect_from(fresh_address(), first).unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: pronk\r\n\r\n").unwrap();
    kept.read_exact(&mut [0; 12]).unwrap();
    lab.reload(&format!("listen: '127.0.0.1:{second}', tokens-file: tokens"));
    assert_eq!(health(second), 200);
    until("the first address is closed", || refused(first));
    kept.read_to_end(&mut Vec::new()).unwrap();
    lab.reload("audit-log: audit.log");
    until("no address is open", || refused(second));
    lab.reload(&format!("listen: '127.0.0.1:{first}', tokens-file: tokens"));
    assert_eq!(health(first), 200);
    lab.reload(&format!("listen: '127.0.0.1:{first}', tokens-file: tokens, metrics-without-token: true"));
    assert_eq!(Way::Plain(first).ask("GET", "/metrics", None).code, 200);
}

#[test]
fn address_that_another_program_has_is_refused_and_nothing_changes() {
    let lab = Lab::plain();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = other.local_addr().unwrap();
    std::fs::write(lab.folder().join("pronk.yaml"), configuration(&format!("listen: '{at}', tokens-file: tokens")))
        .unwrap();
    let refused = lab.pronk.command(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&format!("the admin API cannot listen on {at}: address already in use")), "{said}");
    assert!(said.contains("ss -ltnp") && said.contains("listen: '127"), "{said}");
    assert_eq!(lab.over_plain().get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn certificate_that_is_replaced_on_disk_is_shown_without_a_reload() {
    let lab = Lab::tls();
    let renewed = Authority::new("another ca");
    assert_eq!(lab.over_tls().get("/v1/map", &lab.viewer).code, 200);
    until("it is in the inventory", || {
        let shown = lab.pronk.command(&["show", "certificates", "--json"]);
        String::from_utf8_lossy(&shown.stdout).contains("lb1.example.com")
    });
    let files = tempfile::tempdir().unwrap();
    renewed.issue("lb1.example.com").dns("lb1.example.com").ip("127.0.0.1").build().write(files.path(), "api");
    for file in ["api.key", "api.pem"] {
        std::fs::copy(files.path().join(file), lab.folder().join(format!("{file}.new"))).unwrap();
        std::fs::rename(lab.folder().join(format!("{file}.new")), lab.folder().join(file)).unwrap();
    }
    let config = trusting(&renewed);
    until("the new certificate is shown", || {
        let tls = ClientConnection::new(Arc::clone(&config), "127.0.0.1".try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(tls, connect_from(fresh_address(), lab.port).unwrap());
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\n\r\n").is_ok()
    });
    assert_eq!(Way::Tls(lab.port, config).get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn new_process_goes_on_at_the_address_without_a_refused_client() {
    let lab = Lab::plain();
    let way = lab.over_plain();
    let mut kept = connect_from(fresh_address(), lab.port).unwrap();
    let late = [(); 3].map(|()| connect_from(fresh_address(), lab.port).unwrap());
    let (done, stop) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut count, since) = (0, Instant::now());
            while !done.load(stop) && since.elapsed() < PATIENCE {
                assert_eq!(way.ask_from(fresh_address(), "GET", "/healthz", &[]).code, 200);
                count += 1;
            }
            count
        });
        let upgraded = way.post("/v1/upgrade?drain_timeout=5&reason=newer", &lab.admin);
        assert_eq!(upgraded.code, 200, "{upgraded:?}");
        let process = way.get("/v1/map", &lab.viewer).json()["process"]["pid"].clone();
        assert_eq!(process, upgraded.json()["pid"]);
        // Who was accepted by the old process is still answered, whatever the hand-over, and sent to the new process.
        let bearer = format!("Bearer {}", lab.viewer);
        for (mut stream, uri) in late.into_iter().zip(["/healthz", "/readyz", "/v1/map"]) {
            let request = format!("GET {uri} HTTP/1.1\r\nhost: pronk\r\nauthorization: {bearer}\r\n\r\n");
            let answer = exchange(&mut stream, &request).unwrap();
            assert_eq!((answer.code, answer.header("connection")), (200, Some("close")), "{uri}: {answer:?}");
        }
        kept.read_to_end(&mut Vec::new()).unwrap();
        done.store(true, stop);
        assert!(asking.join().unwrap() > 0);
    });
    let record = lab.audit().into_iter().find(|it| it["what"] == "POST /v1/upgrade").unwrap();
    assert_eq!(
        (&record["outcome"], &record["why"], &record["pid"]),
        (&"done".into(), &"newer".into(), &lab.pronk.pid().into())
    );
    let successor = way.get("/v1/map", &lab.viewer).json()["process"]["pid"].as_u64().unwrap();
    std::process::Command::new("kill").args(["-s", "TERM", &successor.to_string()]).status().unwrap();
}
