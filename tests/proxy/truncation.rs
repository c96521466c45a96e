//! Ends without close_notify stay visible on the other side, and are named.

use std::io::ErrorKind;
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::lb::{Pronk, free_port};
use crate::support::ca::Authority;
use crate::tls_peers::{FRONT, NODE, showing, trusting};

/// Both ends of one connection through a re-encrypt virtual server, after one exchange.
async fn both_ends() -> (Pronk, client::TlsStream<TcpStream>, server::TlsStream<TcpStream>) {
    let ca = Authority::new("ca");
    let node = ca.issue(NODE).dns(NODE).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let member = listener.local_addr().unwrap();
    let port = free_port();
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        ca.write(folder, "ca.pem");
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: ca.pem }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, client-ssl: front, server-ssl: back }} }}
",
            member.port()
        )
    });
    let tcp = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
    let name = ServerName::try_from(FRONT).unwrap();
    let mut client = TlsConnector::from(trusting(&ca)).connect(name, tcp).await.unwrap();
    client.write_all(b"?").await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    let mut member = TlsAcceptor::from(showing(&node)).accept(tcp).await.unwrap();
    member.read_exact(&mut [0]).await.unwrap();
    (pronk, client, member)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_without_close_notify_ends_the_member_without_one() {
    let (pronk, mut client, mut member) = both_ends().await;
    client.get_mut().0.shutdown().await.unwrap();
    assert_eq!(member.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    drop(member);
    assert_eq!(pronk.closed("client-close-notify-missing")["close.mechanism"], "close-notify-missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_answer_never_looks_complete_to_the_client() {
    let (pronk, mut client, mut member) = both_ends().await;
    member.write_all(b"half").await.unwrap();
    member.get_mut().0.shutdown().await.unwrap();
    let mut half = [0; 4];
    client.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"half");
    assert_eq!(client.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    drop(client);
    pronk.closed("member-close-notify-missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_notify_is_passed_on_both_ways() {
    let (pronk, mut client, mut member) = both_ends().await;
    member.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    client.write_all(b"later").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    member.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"later");
    let line = pronk.closed("member-fin");
    assert_eq!(line["client_tls_version"], "TLS 1.3");
    assert_eq!(line["member_tls_group"], "X25519MLKEM768");
}
