//! Kerberos: the front end's principal in the keytab and at the KDC, a ticket for it, clocks, and the name under which
//! clients ask.

mod ap_req;
mod bytes;
mod ccache;
mod crypto;
mod encode;
mod judge;
mod kdc;
mod keytab;
mod krb5_conf;
mod tools;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use self::ccache::{Credential, PrivateCache};
use self::judge::{KdcSeen, TicketSeen};
use self::keytab::Principal;
use self::krb5_conf::Krb5Conf;
use self::tools::Ran;
use super::answers::Answers;
use super::check::Check;
use super::scope::{LIMIT, Scope};
use crate::model::ImpalaProtocol;
use crate::monitor::{PortAnswer, sasl_login};
use crate::tls::MemberTls;

pub(super) async fn verify(scope: &Scope, answers: &Answers) -> Vec<Check> {
    let places = places_with_kerberos(scope, answers).await;
    let mut checks = Vec::new();
    if places.is_empty() && scope.keytab.is_some() {
        checks.push(judge::not_spoken());
    }
    let conf = Krb5Conf::load();
    for (name, places) in places {
        let Some(realm) = conf.realm_of(&name).map(str::to_owned) else {
            checks.push(judge::no_realm(&name));
            continue;
        };
        let principal = Principal { components: vec!["impala".to_owned(), name.clone()], realm };
        let kdc = ask_kdc(&conf, &principal).await;
        let (ticket, credential) = ticket(scope, &principal).await;
        let addresses = answers.names.get(&name).cloned().unwrap_or_default();
        checks.extend(judge::clock(&kdc, scope.now));
        checks.extend(judge::principal(&principal, &kdc, &ticket));
        match &scope.keytab {
            Some(path) => checks.extend(judge::keytab(path, &keytab::read(path), &principal, &kdc, &ticket)),
            None => checks.push(judge::no_keytab(&principal)),
        }
        checks.extend(judge::ticket(&principal, &ticket));
        if matches!(ticket, TicketSeen::Got { .. }) {
            checks.extend(show_ticket(&principal, credential.as_ref(), &places).await);
        }
        checks.extend(judge::canonical_name(&name, &conf, &reverse(&addresses).await));
    }
    checks
}

/// A port that takes Kerberos.
struct Place {
    /// The virtual server or the member.
    about: String,
    address: SocketAddr,
    tls: Option<Arc<MemberTls>>,
}

/// Returns the ports that take Kerberos, virtual servers and members, by the front-end name. A daemon with LDAP alone
/// refuses the mechanism by name; one with Kerberos refuses what pronk sends as a token.
async fn places_with_kerberos(scope: &Scope, answers: &Answers) -> BTreeMap<String, Vec<Place>> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for virtual_server in &scope.virtual_servers {
        let Some(name) = &virtual_server.hostname else { continue };
        let front = answers.front_ends.get(&virtual_server.name).and_then(|it| {
            let speaks_sasl = it.port.as_ref().is_ok_and(has_sasl);
            let place = || Place { about: virtual_server.name.to_string(), address: it.address, tls: it.tls.clone() };
            speaks_sasl.then(place)
        });
        let members = virtual_server.pool.members.iter().filter_map(|member| {
            let seen = answers.members.get(&member.key())?;
            let port = seen.port.as_ref().ok().filter(|port| has_sasl(port))?;
            let tls = if port.tls { Some(scope.anybody(None, seen.address)?) } else { None };
            Some(Place { about: member.key().to_string(), address: seen.address, tls })
        });
        for place in front.into_iter().chain(members) {
            let known = places.get(name).is_some_and(|known| known.iter().any(|it| it.about == place.about));
            if !known && takes_kerberos(&place).await {
                places.entry(name.clone()).or_default().push(place);
            }
        }
    }
    places
}

fn has_sasl(port: &PortAnswer) -> bool {
    port.sasl && port.protocol != ImpalaProtocol::Hs2Http
}

async fn takes_kerberos(place: &Place) -> bool {
    let said = sasl_login(place.address, place.tls.as_deref(), MECHANISM, &[0], LIMIT).await;
    said.is_ok_and(|said| !said.words().contains("Unsupported mechanism"))
}

/// Shows each port a ticket for the front end, as a client does that logs in.
async fn show_ticket(principal: &Principal, credential: Option<&Credential>, places: &[Place]) -> Vec<Check> {
    let mut checks = Vec::new();
    for place in places {
        // A service takes each token once.
        let Some(token) = credential.and_then(ap_req::token) else { return vec![judge::other_key(principal)] };
        let said = sasl_login(place.address, place.tls.as_deref(), MECHANISM, &token, LIMIT).await;
        checks.push(judge::accepted(&place.about, principal, &said));
    }
    checks
}

async fn ask_kdc(conf: &Krb5Conf, principal: &Principal) -> KdcSeen {
    let kdcs: Vec<_> = conf.kdcs(&principal.realm).collect();
    let mut failed = Vec::new();
    for kdc in &kdcs {
        // Nobody has that name, so the KDC answers with an error, which has its time.
        let nobody = Principal { components: vec!["pronk-verify-clock".to_owned()], realm: principal.realm.clone() };
        match (kdc::ask(kdc, &nobody).await, kdc::ask(kdc, principal).await) {
            (Ok(clock), Ok(answer)) => {
                return KdcSeen::Answered { kdc: (*kdc).to_owned(), clock, answer };
            }
            (Err(reason), _) | (_, Err(reason)) => failed.push(format!("{kdc}: {reason}")),
        }
    }
    if kdcs.is_empty() { KdcSeen::NotNamed } else { KdcSeen::Silent(failed.join("; ")) }
}

/// Gets a ticket from the KDC, whatever the user's cache has. Returns what came of it, and the ticket.
async fn ticket(scope: &Scope, principal: &Principal) -> (TicketSeen, Option<Credential>) {
    let cache = match tools::cache_with_ticket().await {
        Ran::Missing => return (TicketSeen::NoTools, None),
        Ran::Failed(_) => return (TicketSeen::NotLoggedIn, None),
        Ran::Done(name) => PrivateCache::of(&name),
    };
    let Some(cache) = cache else { return (TicketSeen::NoFileCache, None) };
    let get = async |keytab| tools::get_ticket(principal.to_string(), cache.path(), keytab).await;
    match get(None).await {
        Ran::Missing => (TicketSeen::NoTools, None),
        Ran::Failed(reason) => (TicketSeen::Refused(reason), None),
        Ran::Done(printed) => {
            let decrypted = match &scope.keytab {
                Some(keytab) => Some(get(Some(keytab)).await),
                None => None,
            };
            (TicketSeen::Got { kvno: tools::kvno_of(&printed), decrypted }, cache.credential(principal))
        }
    }
}

async fn reverse(addresses: &[IpAddr]) -> Vec<(IpAddr, String)> {
    let mut names = Vec::new();
    for address in addresses {
        names.extend(tools::name_of(*address).await.map(|name| (*address, name)));
    }
    names
}

const MECHANISM: &str = "GSSAPI";
