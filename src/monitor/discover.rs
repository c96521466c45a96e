//! Discovery of members: asks a cluster for its coordinators, again and again.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::probe::{Failure, Limit, Need, web_page};
use super::resolve::{MOST_ADDRESSES, resolve_once, shortage_of};
use crate::impala::{Coordinator, coordinators};
use crate::model::{Address, Discovery, Host, Member, Name, Node, Seed};
use crate::reading::os_reason;
use crate::tls::{LiveServerSsl, MemberTls};

/// A coordinator that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHost {
    /// A host name or an IP address.
    pub host: String,
    /// What a host name resolves to, so that a node that is written with its address is known again.
    pub addresses: Vec<IpAddr>,
}

/// A pool that finds its members by itself, and what lets it ask.
#[derive(Clone, Debug)]
pub struct Search {
    pub pool: Name,
    pub discovery: Discovery,
    /// Of web UIs, unless a seed or a coordinator has another.
    pub web_port: u16,
    pub tls: Option<Arc<LiveServerSsl>>,
    /// The header that lets requests in, where the monitor has credentials.
    pub authorization: Option<HeaderValue>,
}

impl Search {
    /// Returns whether the other one does exactly the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let same_tls = match (&self.tls, &other.tls) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let others = (&other.pool, &other.discovery, other.web_port, &other.authorization);
        same_tls && (&self.pool, &self.discovery, self.web_port, &self.authorization) == others
    }

    /// Returns the coordinators that the first of these lists that answers.
    ///
    /// # Errors
    /// Why none of them did. If one could not be asked for want of what pronk lacks, that is why.
    async fn ask(&self, whom: &[Seed], sessions: &mut Sessions) -> Result<Vec<Coordinator>, Failure> {
        let mut why = Failure::new("there is no seed or coordinator to ask");
        for seed in whom {
            match self.ask_one(seed, sessions).await {
                Ok(found) if !found.is_empty() => return Ok(found),
                _ if why.is_not_made() => {}
                Ok(_) => why = Failure::new(format!("{} lists no coordinator", seed.host)),
                Err(failure) => why = failure,
            }
        }
        Err(why)
    }

    async fn ask_one(&self, seed: &Seed, sessions: &mut Sessions) -> Result<Vec<Coordinator>, Failure> {
        let port = seed.port.unwrap_or(self.web_port);
        let lookup = timeout(LIMIT, tokio::net::lookup_host((seed.host.as_str(), port))).await;
        let addresses: Vec<SocketAddr> = match lookup {
            Ok(Ok(addresses)) => addresses.take(MOST_ADDRESSES).collect(),
            Ok(Err(error)) => {
                return Err(match shortage_of(&error, &seed.host) {
                    Some(shortage) => Failure::for_want_of(shortage, &seed.host),
                    None => Failure::new(format!("{}: {}", seed.host, os_reason(&error))),
                });
            }
            Err(_) => return Err(Failure::new(format!("{} is not resolved within {LIMIT:?}", seed.host))),
        };
        let tls = self.tls.as_ref().map(|profile| {
            let tls = profile.for_member(&Member::new(Arc::new(node_of(&seed.host)), port));
            sessions.insert((seed.host.clone(), port), Arc::clone(&tls));
            tls
        });
        let mut why = Failure::new(format!("{} has no address", seed.host));
        for address in addresses {
            let (host, authorization) = (Some(seed.host.as_str()), self.authorization.as_ref());
            let list = ("/backends?json", Need::Body);
            match web_page(address, host, tls.as_deref(), authorization, list, Limit::new(LIMIT)).await {
                Ok(page) => {
                    return coordinators(&page.body)
                        .ok_or_else(|| Failure::new("/backends?json is not as it should be").at(address));
                }
                Err(_) if why.is_not_made() => {}
                Err(failure) => why = failure,
            }
        }
        Err(why)
    }
}

/// TLS toward the web UIs that are asked, kept from one time to the next so that sessions are resumed.
type Sessions = HashMap<(String, u16), Arc<MemberTls>>;

/// Returns a node for a host that was found.
pub fn node_of(host: &str) -> Node {
    let address = match host.parse() {
        Ok(address) => Address::Ip(address),
        Err(_) => Address::Fqdn(host.to_owned()),
    };
    let hostname = matches!(Host::parse(host), Ok(Host::Name(_))).then(|| host.to_owned());
    // Names have no colons, as a member's port stands behind one.
    Node { hostname, ..Node::new(Name::from(host.replace(':', "-").as_str()), address) }
}

/// Asks again and again, and publishes the pool's coordinators, in order, whenever somebody answers. While nobody does,
/// or somebody lists none, what was published last holds.
pub async fn keep_asking(search: Arc<Search>, publish: impl Fn(Vec<FoundHost>) + Send) -> Infallible {
    let filter = search.discovery.filter.as_deref().and_then(|filter| regex::Regex::new(filter).ok());
    let mut found: Vec<Seed> = Vec::new();
    let mut published: Vec<FoundHost> = Vec::new();
    let (mut failed, mut sessions) = (false, Sessions::new());
    let pool = &search.pool;
    loop {
        let mut whom = search.discovery.seeds.clone();
        whom.extend(found.iter().filter(|seed| !search.discovery.seeds.contains(seed)).cloned());
        sessions.retain(|(host, port), _| {
            whom.iter().any(|seed| seed.host == *host && seed.port.unwrap_or(search.web_port) == *port)
        });
        match search.ask(&whom, &mut sessions).await {
            Ok(coordinators) => {
                if std::mem::take(&mut failed) {
                    tracing::info!(%pool, "the cluster lists its coordinators again");
                }
                found = coordinators.iter().map(|it| Seed { host: it.host.clone(), port: it.web_port }).collect();
                let wanted = |host: &String| filter.as_ref().is_none_or(|filter| filter.is_match(host));
                let mut hosts: Vec<_> = coordinators.into_iter().map(|it| it.host).filter(wanted).collect();
                hosts.sort_unstable();
                hosts.dedup();
                published = resolved(hosts, &published).await;
                publish(published.clone());
            }
            // It is reported, and says nothing of the cluster.
            Err(failure) if failure.is_not_made() => {}
            Err(Failure { reason, .. }) if !failed => {
                failed = true;
                tracing::warn!(%pool, %reason, "cannot get the list of coordinators; the known ones are kept");
            }
            Err(_) => {}
        }
        tokio::time::sleep(search.discovery.interval).await;
    }
}

/// Returns the hosts with what their names resolve to, all looked up at once. While a name does not resolve, the
/// addresses that it had stay.
async fn resolved(hosts: Vec<String>, before: &[FoundHost]) -> Vec<FoundHost> {
    let mut looking = JoinSet::new();
    for host in hosts {
        looking.spawn(async move {
            let looked = timeout(LIMIT, resolve_once(&host)).await;
            if let Ok(Err(error)) = &looked {
                shortage_of(error, &host);
            }
            (host, looked.ok().and_then(Result::ok))
        });
    }
    let had = |host: &str| before.iter().find(|before| before.host == host).map(|before| before.addresses.clone());
    let found = looking.join_all().await.into_iter().map(|(host, addresses)| {
        let addresses = addresses.or_else(|| had(&host)).unwrap_or_default();
        FoundHost { host, addresses }
    });
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by(|one, other| one.host.cmp(&other.host));
    found
}

/// How long resolving a name may take, and asking a web UI at one address.
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::shortage_tests::{alone, descriptors};

    #[tokio::test]
    async fn cluster_is_not_blamed_for_what_pronk_lacks() {
        if !alone("monitor::discover::tests::cluster_is_not_blamed_for_what_pronk_lacks") {
            return;
        }
        let seeds = ["127.0.0.1", "localhost"].map(|host| Seed { host: host.into(), port: None });
        let search = Search {
            pool: Name::from("p"),
            discovery: Discovery { seeds: seeds.to_vec(), filter: None, interval: LIMIT, port: 21050 },
            web_port: 25000,
            tls: None,
            authorization: None,
        };
        for seed in &search.discovery.seeds {
            descriptors(false);
            let failure = search.ask(std::slice::from_ref(seed), &mut Sessions::new()).await.unwrap_err();
            descriptors(true);
            assert!(failure.is_not_made() && failure.reason.contains("out of file descriptors"), "{failure:?}");
        }
    }

    /// A written node is known again by its address, so it must not be lost while a name does not resolve.
    #[tokio::test]
    async fn addresses_of_a_host_stay_while_its_name_does_not_resolve() {
        // No label may be longer than 63 bytes, so nobody is asked.
        let unresolvable = format!("{}.example", "a".repeat(64));
        let had = FoundHost { host: unresolvable.clone(), addresses: vec![[10, 0, 0, 1].into()] };
        let numbered = FoundHost { host: "127.0.0.1".into(), addresses: vec![[127, 0, 0, 1].into()] };
        let hosts = || vec![unresolvable.clone(), numbered.host.clone()];
        assert_eq!(resolved(hosts(), std::slice::from_ref(&had)).await, [numbered.clone(), had]);
        let unknown = FoundHost { host: unresolvable.clone(), addresses: Vec::new() };
        assert_eq!(resolved(hosts(), &[]).await, [numbered.clone(), unknown]);
    }

    #[test]
    fn nodes_of_hosts_have_names_that_members_can_have() {
        let named = node_of("c1.example.com");
        assert_eq!((named.name.as_str(), named.hostname.as_deref()), ("c1.example.com", Some("c1.example.com")));
        let numbered = node_of("fd00::1");
        assert_eq!((numbered.name.as_str(), numbered.hostname), ("fd00--1", None));
    }
}
