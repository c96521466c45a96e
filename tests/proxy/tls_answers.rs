//! What a side may ask of TLS itself after the handshake, and clients that ask nothing.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::lb::PATIENCE;
use crate::sides::{Layers, Peer, Seen, Sides};

const TLS: Layers = Layers { client: true, member: true };

/// RFC 8446, section 4.6.3: the other side renews its keys before it sends again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_pass_after_either_side_has_renewed_its_keys() {
    let sides = Sides::start(TLS, "", "").await;
    let (mut client, mut member) = sides.connect().await;
    for _ in 0..2 {
        for by_client in [true, false] {
            let renews = if by_client { &mut client } else { &mut member };
            let Peer::Tls(tls) = renews else { panic!() };
            match &mut **tls {
                TlsStream::Client(tls) => tls.get_mut().1.refresh_traffic_keys(),
                TlsStream::Server(tls) => tls.get_mut().1.refresh_traffic_keys(),
            }
            .unwrap();
            client.write(b"request").await.unwrap();
            assert_eq!(member.read_exact(7).await, b"request");
            member.write(b"answer").await.unwrap();
            assert_eq!(client.read_exact(6).await, b"answer");
        }
    }
}

/// RFC 5246, section 7.2.2. As of old Java clients, which may renegotiate after some time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renegotiation_is_refused_at_once() {
    let sides = Sides::start(Layers { client: true, member: false }, "", "").await;
    let mut openssl = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &sides.address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asks = openssl.stdin.take().unwrap();
    asks.write_all(b"hello\n").unwrap();
    let mut member = sides.member().await;
    assert_eq!(member.read_exact(6).await, b"hello\n");
    // s_client's command.
    asks.write_all(b"R\n").unwrap();
    let said = BufReader::new(openssl.stderr.take().unwrap());
    let answered =
        tokio::task::spawn_blocking(|| said.lines().map_while(Result::ok).any(|it| it.contains("no renegotiation")));
    assert!(timeout(PATIENCE, answered).await.unwrap().unwrap());
    // It is what OpenSSL makes of it; other clients go on.
    assert_eq!(sides.code_after(1), "client-sent-alert");
    openssl.kill().unwrap();
    openssl.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_client_is_ended_as_reset_on_timeout_says() {
    for (client, resets, seen) in [
        (false, true, Seen::Reset),
        (true, true, Seen::Reset),
        (false, false, Seen::Fin),
        (true, false, Seen::CloseNotify),
    ] {
        let sides = Sides::start(
            Layers { client, member: false },
            &format!(", idle-timeout: 1s, reset-on-timeout: {resets}"),
            "",
        )
        .await;
        let mut client = sides.client().await;
        let end = timeout(PATIENCE, client.read_to_end()).await.unwrap();
        assert_eq!(end, (Vec::new(), seen), "reset-on-timeout: {resets}");
        assert_eq!(sides.code_after(1), "client-silent");
    }
}
