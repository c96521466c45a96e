//! A TLS hello as some client sends it, and whether a server agrees to anything in it. Nothing more of TLS is spoken:
//! pronk's own TLS does not have what these clients offer.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::port::Port;
use crate::lint::clients::{Client, Offer};
use crate::model::Host;

/// Returns the clients that the port agrees with on a version and a cipher suite.
pub(super) async fn speaking(port: &Port, limit: Duration) -> Vec<Client> {
    let mut agreed: BTreeMap<&Offer, bool> = BTreeMap::new();
    let mut speaking = Vec::new();
    for client in Client::ALL {
        let Some(offer) = client.offer() else { continue };
        if !agreed.contains_key(offer) {
            let agrees = timeout(limit, agrees(port, offer)).await.is_ok_and(|answer| answer.unwrap_or(false));
            agreed.insert(offer, agrees);
        }
        if agreed.get(offer) == Some(&true) {
            speaking.push(*client);
        }
    }
    speaking
}

async fn agrees(port: &Port, offer: &Offer) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((port.host.as_str(), port.port)).await?;
    stream.write_all(&hello(port.server_name.as_ref(), offer)).await?;
    // The header of a record, that of its first message, and the message's version.
    let mut answer = [0; 11];
    stream.read_exact(&mut answer).await?;
    Ok(answer[0] == HANDSHAKE && answer[5] == SERVER_HELLO && answer[9..] >= TLS_1_2.to_be_bytes()[..])
}

/// Returns a record with a ClientHello (RFC 8446, section 4.1.2). Without a key share, a server of TLS 1.3 that agrees
/// asks for one.
fn hello(server_name: Option<&Host>, offer: &Offer) -> Vec<u8> {
    let numbers = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>();
    let mut extensions = Vec::new();
    if let Some(Host::Name(name)) = server_name {
        let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
        extend(&mut extensions, 0, &with_length_16(&[&[0][..], &with_length_16(name)].concat()));
    }
    // Uncompressed points.
    extend(&mut extensions, 11, &[1, 0]);
    extend(&mut extensions, 10, &with_length_16(&numbers(offer.groups)));
    extend(&mut extensions, 13, &with_length_16(&numbers(SIGNATURES)));
    // The extended master secret.
    extend(&mut extensions, 23, &[]);
    extend(&mut extensions, 43, &with_length_8(&numbers(&[TLS_1_3, TLS_1_2])));
    extend(&mut extensions, 51, &with_length_16(&[]));
    let mut body = TLS_1_2.to_be_bytes().to_vec();
    body.extend((0..32).map(|_| fastrand::u8(..)));
    body.extend(with_length_8(&[0; 32]));
    body.extend(with_length_16(&numbers(offer.suites)));
    // No compression.
    body.extend(with_length_8(&[0]));
    body.extend(with_length_16(&extensions));
    let mut message = vec![CLIENT_HELLO, 0];
    message.extend(with_length_16(&body));
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(with_length_16(&message));
    record
}

fn extend(extensions: &mut Vec<u8>, number: u16, contents: &[u8]) {
    extensions.extend(number.to_be_bytes());
    extensions.extend(with_length_16(contents));
}

fn with_length_8(contents: &[u8]) -> Vec<u8> {
    [&[contents.len() as u8], contents].concat()
}

fn with_length_16(contents: &[u8]) -> Vec<u8> {
    [&(contents.len() as u16).to_be_bytes()[..], contents].concat()
}

const HANDSHAKE: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;
/// What OpenSSL, Python and Java take, but for DSA.
const SIGNATURES: &[u16] = &[
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
    0x0303, 0x0301,
];
