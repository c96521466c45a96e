//! Resolving names in DNS: once, and again and again for a node.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Name;
use crate::net::Shortage;
use crate::pool::LiveNode;

/// Returns the addresses of a name, sorted, each once.
///
/// # Errors
/// The resolver's error.
pub async fn resolve_once(fqdn: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<_> = tokio::net::lookup_host((fqdn, 0)).await?.map(|address| address.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// Returns what pronk lacked to look up a name, if that is why it failed. It is reported here, and says nothing of the
/// name.
pub(super) fn shortage_of(error: &io::Error, name: &str) -> Option<Shortage> {
    let shortage = Shortage::of_lookup(error)?;
    shortage.report(format_args!("resolving {name}"));
    Some(shortage)
}

/// Keeps a node's addresses up to date, and publishes them. While the name does not resolve, the last addresses stay in
/// use.
pub async fn keep_resolving(
    node: Name,
    fqdn: String,
    every: Duration,
    live: Arc<LiveNode>,
    publish: impl Fn(Vec<IpAddr>) + Send,
) -> Infallible {
    loop {
        match resolve_once(&fqdn).await {
            Ok(addresses) => {
                live.set_addresses(addresses.clone());
                publish(addresses);
            }
            Err(error) if shortage_of(&error, &fqdn).is_some() => {}
            Err(error) => tracing::warn!(%node, %fqdn, %error, "the node's name does not resolve"),
        }
        tokio::time::sleep(every).await;
    }
}
