//! Kerberos: the front end's principal in the keytab and at the KDC, a ticket for it, clocks, and the name under which
//! clients ask.

mod judge;
mod kdc;
mod keytab;
mod krb5_conf;
mod tools;

use std::collections::BTreeSet;
use std::net::IpAddr;

use self::judge::{KdcSeen, TicketSeen};
use self::keytab::Principal;
use self::krb5_conf::Krb5Conf;
use self::tools::Ran;
use super::answers::Answers;
use super::check::Check;
use super::scope::{LIMIT, Scope};
use crate::model::ImpalaProtocol;
use crate::monitor::sasl_login;

pub(super) async fn verify(scope: &Scope, answers: &Answers) -> Vec<Check> {
    let names = front_ends_with_kerberos(scope, answers).await;
    let mut checks = Vec::new();
    if names.is_empty() && scope.keytab.is_some() {
        checks.push(judge::not_spoken());
    }
    let conf = Krb5Conf::load();
    for name in names {
        let Some(realm) = conf.realm_of(&name).map(str::to_owned) else {
            checks.push(judge::no_realm(&name));
            continue;
        };
        let principal = Principal { components: vec!["impala".to_owned(), name.clone()], realm };
        let kdc = ask_kdc(&conf, &principal).await;
        let ticket = ticket(scope, &principal).await;
        let addresses = answers.names.get(&name).cloned().unwrap_or_default();
        checks.extend(judge::clock(&kdc, scope.now));
        checks.extend(judge::principal(&principal, &kdc, &ticket));
        match &scope.keytab {
            Some(path) => checks.extend(judge::keytab(path, &keytab::read(path), &principal, &kdc, &ticket)),
            None => checks.push(judge::no_keytab(&principal)),
        }
        checks.extend(judge::ticket(&principal, &ticket));
        checks.extend(judge::canonical_name(&name, &conf, &reverse(&addresses).await));
    }
    checks
}

/// Returns the names of virtual servers whose members take Kerberos. A daemon with LDAP alone refuses the mechanism by
/// name; one with Kerberos refuses what pronk sends as a token.
async fn front_ends_with_kerberos(scope: &Scope, answers: &Answers) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for virtual_server in &scope.virtual_servers {
        let Some(name) = &virtual_server.hostname else { continue };
        let front = answers.front_ends.get(&virtual_server.name);
        let front = front.filter(|it| it.port.is_ok()).map(|it| (it.address, &it.port, it.tls.clone()));
        // Where pronk does not run, a member tells.
        let members = virtual_server.pool.members.iter().filter_map(|member| answers.members.get(&member.key()));
        let member = members.filter(|it| it.port.is_ok()).map(|it| {
            let tls = matches!(&it.port, Ok(answer) if answer.tls);
            (it.address, &it.port, scope.anybody(None, it.address).filter(|_| tls))
        });
        let Some((address, Ok(port), tls)) = front.into_iter().chain(member).next() else { continue };
        if !port.sasl || port.protocol == ImpalaProtocol::Hs2Http || names.contains(name) {
            continue;
        }
        let said = sasl_login(address, tls.as_deref(), "GSSAPI", &[0], LIMIT).await;
        if said.is_ok_and(|said| !said.words().contains("Unsupported mechanism")) {
            names.insert(name.clone());
        }
    }
    names
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

async fn ticket(scope: &Scope, principal: &Principal) -> TicketSeen {
    match tools::has_ticket().await {
        Ran::Missing => return TicketSeen::NoTools,
        Ran::Failed(_) => return TicketSeen::NotLoggedIn,
        Ran::Done(_) => {}
    }
    match tools::get_ticket(principal.to_string(), None).await {
        Ran::Missing => TicketSeen::NoTools,
        Ran::Failed(reason) => TicketSeen::Refused(reason),
        Ran::Done(printed) => {
            let decrypted = match &scope.keytab {
                Some(keytab) => Some(tools::get_ticket(principal.to_string(), Some(keytab)).await),
                None => None,
            };
            TicketSeen::Got { kvno: tools::kvno_of(&printed), decrypted }
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
