//! Connections over loopback, for tests.

use std::time::Duration;

use rustix::net::{RecvFlags, recv};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use tokio::time::timeout;

/// Returns both ends of a new connection, which can be written to at once.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (near, far) = (near.unwrap(), far.unwrap().0);
    near.writable().await.unwrap();
    far.writable().await.unwrap();
    (near, far)
}

/// Waits until bytes are in the receive buffer, without the runtime's help.
pub(crate) async fn arrived(stream: &TcpStream) {
    let arrived = async {
        while recv(stream, &mut [0; 1], RecvFlags::PEEK).is_err() {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), arrived).await.unwrap();
}
