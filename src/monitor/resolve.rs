//! Resolving names in DNS: once, and again and again for a node.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::model::Name;
use crate::net::Shortage;
use crate::pool::{BeforeResolved, LiveNode};
use crate::reading::os_reason;

/// Returns the addresses of a name, sorted, each once; the first of very many.
///
/// # Errors
/// The resolver's error, or that there is no address.
pub async fn resolve_once(fqdn: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<_> = tokio::net::lookup_host((fqdn, 0)).await?.map(|address| address.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MOST_ADDRESSES);
    if addresses.is_empty() {
        return Err(io::Error::other("it has no address"));
    }
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
        let looked_up = resolve_once(&fqdn).await;
        if let Some(addresses) = note_lookup(&node, &fqdn, &live, looked_up) {
            publish(addresses);
        }
        tokio::time::sleep(every).await;
    }
}

/// Takes what a look-up found. Returns the addresses, if there are any.
fn note_lookup(node: &Name, fqdn: &str, live: &LiveNode, found: io::Result<Vec<IpAddr>>) -> Option<Vec<IpAddr>> {
    match found {
        Ok(addresses) => {
            note_resolved(node, fqdn, live, addresses.clone());
            Some(addresses)
        }
        Err(error) => {
            if shortage_of(&error, fqdn).is_none() && live.not_resolved(os_reason(&error), SystemTime::now()) {
                let (addresses, error) = (listed(&live.addresses()), os_reason(&error));
                match addresses.as_str() {
                    "" => tracing::warn!(%node, %fqdn, %error, "the node's name does not resolve"),
                    _ => tracing::warn!(%node, %fqdn, %error, %addresses,
                        "the node's name does not resolve; its last addresses stay in use"),
                }
            }
            None
        }
    }
}

/// Takes what a node's name resolves to. Logs that it resolves again, and that the addresses are others.
pub fn note_resolved(node: &Name, fqdn: &str, live: &LiveNode, addresses: Vec<IpAddr>) {
    let now = listed(&addresses);
    let BeforeResolved { addresses: before, unresolved } = live.resolved(addresses);
    let before = listed(&before);
    match (unresolved, before.as_str()) {
        (None, _) => {}
        (Some(_), "") => tracing::info!(%node, %fqdn, addresses = %now, "the node's name resolves"),
        (Some(_), _) => tracing::info!(%node, %fqdn, addresses = %now, "the node's name resolves again"),
    }
    if !before.is_empty() && before != now {
        tracing::info!(%node, %fqdn, %before, %now, "the node's addresses have changed");
    }
}

/// Addresses of a name that are used. A name with more is no host's, and members are made of some.
pub(super) const MOST_ADDRESSES: usize = 64;

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is logged of these look-ups of one node, one line each without its time and target.
    fn logged(live: &LiveNode, lookups: &[Result<&[u8], &str>]) -> Vec<String> {
        let node = Name::from("n");
        let lines = crate::log::logged(|| {
            for lookup in lookups {
                let found = lookup
                    .map(|last| last.iter().map(|last| [10, 0, 0, *last].into()).collect())
                    .map_err(io::Error::other);
                note_lookup(&node, "n.example", live, found);
            }
        });
        lines.iter().map(|line| line.replace("pronk::monitor::resolve: ", "")).collect()
    }

    #[test]
    fn resolution_is_logged_when_it_changes_only() {
        let live = LiveNode::default();
        assert!(logged(&live, &[Ok(&[1, 2]), Ok(&[1, 2])]).is_empty(), "nothing is said of what works");
        let lost = logged(&live, &[Err("no such host"), Err("no such host"), Err("timed out")]);
        let last = "the node's name does not resolve; its last addresses stay in use";
        assert_eq!(
            lost,
            [format!("WARN {last} node=n fqdn=n.example error=\"no such host\" addresses=\"10.0.0.1, 10.0.0.2\"")]
        );
        let unresolved = live.unresolved().unwrap();
        assert_eq!(unresolved.reason, "timed out", "the reason is kept fresh");
        assert_eq!(*live.addresses(), [IpAddr::from([10, 0, 0, 1]), [10, 0, 0, 2].into()]);
        assert_eq!(
            logged(&live, &[Ok(&[1, 2]), Ok(&[1, 2])]),
            ["INFO the node's name resolves again node=n fqdn=n.example addresses=\"10.0.0.1, 10.0.0.2\""]
        );
        assert_eq!(live.unresolved(), None);
        assert_eq!(
            logged(&live, &[Ok(&[3]), Ok(&[3])]),
            ["INFO the node's addresses have changed node=n fqdn=n.example before=\"10.0.0.1, 10.0.0.2\" now=10.0.0.3"]
        );
        let moved = logged(&live, &[Err("no such host"), Ok(&[4])]);
        assert_eq!(moved.len(), 3, "{moved:?}");
        assert!(moved[1].contains("resolves again") && moved[2].contains("before=10.0.0.3 now=10.0.0.4"), "{moved:?}");
    }

    #[test]
    fn name_that_never_resolved_is_told_once_and_when_it_does() {
        let live = LiveNode::default();
        assert_eq!(
            logged(&live, &[Err("no such host"), Err("no such host")]),
            ["WARN the node's name does not resolve node=n fqdn=n.example error=\"no such host\""]
        );
        assert!(live.unresolved().is_some());
        assert_eq!(
            logged(&live, &[Ok(&[1])]),
            ["INFO the node's name resolves node=n fqdn=n.example addresses=10.0.0.1"]
        );
    }

    #[test]
    fn name_is_not_blamed_for_what_pronk_lacks() {
        let live = LiveNode::default();
        let out_of_files = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert_eq!(note_lookup(&Name::from("n"), "n.example", &live, Err(out_of_files)), None);
        assert_eq!(live.unresolved(), None);
    }
}
