//! Probes that pronk has no descriptors for: whatever cannot be asked, the member must not be blamed for it.

use super::*;
use crate::monitor::probe::{ping_refused, refusal};
use crate::monitor::shortage_tests::{alone, descriptors};

/// Returns what a probe finds while no descriptor can be opened.
async fn without_descriptors(kind: MonitorKind, address: SocketAddr) -> Outcome {
    let assignment = assignment(kind, PATIENT);
    descriptors(false);
    let outcome = probe(&assignment, address).await;
    descriptors(true);
    outcome
}

fn hs2(web: Option<u16>) -> MonitorKind {
    impala(ImpalaProtocol::Hs2, None, web)
}

#[tokio::test]
async fn no_kind_of_probe_blames_the_member() {
    if !alone("monitor::probe::tests::shortage::no_kind_of_probe_blames_the_member") {
        return;
    }
    let mut kinds = vec![
        MonitorKind::Tcp,
        MonitorKind::TcpHalfOpen,
        MonitorKind::Gateway,
        MonitorKind::Tls,
        http(|_| {}),
        hs2(None),
        hs2(Some(25000)),
    ];
    if ping_refused().is_none() {
        kinds.push(MonitorKind::GatewayIcmp);
    }
    let healthy = silent().await;
    for kind in kinds {
        let outcome = without_descriptors(kind.clone(), healthy).await;
        assert!(
            matches!(&outcome, Outcome::NotMade(reason) if reason.contains("out of file descriptors")),
            "{outcome:?}"
        );
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    descriptors(false);
    assert_eq!(refusal(nobody, PATIENT).await, None, "a member is not gone because nobody could look");
    descriptors(true);
    assert!(refusal(nobody, PATIENT).await.is_some());
}

/// The descriptors after so many connections are the last.
struct Scarce {
    left: AtomicUsize,
}

impl Scarce {
    fn take(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            descriptors(false);
        }
    }
}

/// Returns an old web UI, which tells its role on the second page only, and a port that `serve`s. Each connection to
/// either takes a descriptor from `scarce`.
async fn impalad<F>(scarce: &Arc<Scarce>, serve: fn(TcpStream) -> F) -> (SocketAddr, u16)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (of_web, of_port) = (Arc::clone(scarce), Arc::clone(scarce));
    let web = server(move |mut stream: TcpStream| {
        of_web.take();
        async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").await;
        }
    });
    let port = server(move |stream| {
        of_port.take();
        serve(stream)
    });
    (port.await.0, web.await.0.port())
}

/// Whichever of the questions is the first that cannot be asked, the outcome is that the probe was not made.
async fn sweep<F>(serve: fn(TcpStream) -> F, limit: Duration, questions: usize) -> Outcome
where
    F: Future<Output = ()> + Send + 'static,
{
    for asked in 1..questions {
        let scarce = Arc::new(Scarce { left: AtomicUsize::new(asked) });
        let (port, web) = impalad(&scarce, serve).await;
        let assignment = assignment(hs2(Some(web)), limit);
        let outcome = probe(&assignment, port).await;
        descriptors(true);
        assert!(matches!(outcome, Outcome::NotMade(_)), "{asked} of {questions} questions were asked: {outcome:?}");
    }
    let scarce = Arc::new(Scarce { left: AtomicUsize::new(questions) });
    let (port, web) = impalad(&scarce, serve).await;
    let assignment = assignment(hs2(Some(web)), limit);
    let outcome = probe(&assignment, port).await;
    descriptors(true);
    outcome
}

#[tokio::test]
async fn no_question_to_an_impalad_that_could_not_be_asked_counts_against_it() {
    if !alone("monitor::probe::tests::shortage::no_question_to_an_impalad_that_could_not_be_asked_counts_against_it") {
        return;
    }
    // Three pages, a question without SASL and one with it.
    let sasl = |mut stream: TcpStream| async move {
        let mut first = [0; 5];
        if stream.read_exact(&mut first).await.is_ok() && first[0] == 1 {
            let _ = stream.write_all(b"\x03\0\0\0\0").await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    };
    assert_eq!(sweep(sasl, PATIENT, 5).await, Outcome::Answers);
    // Three pages, a question that gets no answer, and the page that tells whether the daemon is well.
    let hold =
        |mut stream: TcpStream| async move { while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
    let outcome = sweep(hold, Duration::from_secs(2), 5).await;
    assert!(matches!(outcome, Outcome::Reported(Verdict::Unavailable(_))), "{outcome:?}");
}
