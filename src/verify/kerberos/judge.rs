//! What is made of the answers about Kerberos.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use super::kdc::{KdcAnswer, PRINCIPAL_UNKNOWN, WRONG_REALM};
use super::keytab::{Entry, Principal};
use super::krb5_conf::Krb5Conf;
use super::tools::Ran;
use crate::impala::{SaslMessage, SaslStatus};
use crate::monitor::NoAnswer;
use crate::verify::check::Check;

/// What the KDC said.
#[derive(Clone, Debug)]
pub(super) enum KdcSeen {
    Answered {
        kdc: String,
        /// To a principal that there is not: an error with the KDC's time.
        clock: KdcAnswer,
        /// To the front end's principal.
        answer: KdcAnswer,
    },
    Silent(String),
    /// krb5.conf names none: it is looked up in DNS.
    NotNamed,
}

/// What came of getting a ticket with the user's own.
#[derive(Clone, Debug)]
pub(super) enum TicketSeen {
    NoTools,
    NotLoggedIn,
    /// The user's cache is no file.
    NoFileCache,
    Refused(String),
    Got {
        kvno: Option<u32>,
        /// What came of decrypting it by the keytab, where that is given.
        decrypted: Option<Ran>,
    },
}

pub(super) fn not_spoken() -> Check {
    Check::failed(
        "kerberos-not-spoken",
        "Kerberos",
        "a keytab is given, and no virtual server with a hostname takes Kerberos (SASL with GSSAPI)",
        "start Impala with --principal and --keytab_file, or leave --keytab out",
    )
}

pub(super) fn no_realm(name: &str) -> Check {
    Check::failed(
        "no-realm",
        name,
        "krb5.conf has no realm for it",
        "write `default_realm` in /etc/krb5.conf, or the name under [domain_realm]; KRB5_CONFIG names another file",
    )
}

pub(super) fn no_keytab(principal: &Principal) -> Check {
    let what = "the impalads' keytab is not given, so it is not known whether they have its key";
    Check::skipped("no-keytab", principal, what, "copy it from a node, and give it with --keytab")
}

/// Judges the difference between this machine's clock and the KDC's.
pub(super) fn clock(seen: &KdcSeen, now: i64) -> Vec<Check> {
    let (kdc, time) = match seen {
        KdcSeen::Answered { kdc, clock: KdcAnswer::Refused { time, .. }, .. } => (kdc, *time),
        KdcSeen::Answered { .. } | KdcSeen::NotNamed => return Vec::new(),
        KdcSeen::Silent(reason) => {
            return vec![Check::failed(
                "kdc-silent",
                "KDC",
                reason,
                "see to a route to it, and to `kdc` under [realms] in krb5.conf",
            )];
        }
    };
    let apart = now - time;
    let what = || {
        let direction = if apart > 0 { "ahead of" } else { "behind" };
        format!("this machine's clock is {} s {direction} that of the KDC {kdc}", apart.abs())
    };
    let remedy = "have all machines keep time by NTP (chronyc tracking)";
    vec![match apart.abs() {
        TOLERATED.. => {
            Check::failed("clock-skew", "clock", format!("{}; Kerberos tolerates {TOLERATED} s", what()), remedy)
        }
        NOTABLE.. => Check::warning("clock-skew", "clock", what(), remedy),
        _ => Check::ok("clock-skew", "clock", format!("it agrees with that of the KDC {kdc}")),
    }]
}

/// Judges whether the KDC knows the front end's principal.
pub(super) fn principal(principal: &Principal, seen: &KdcSeen, ticket: &TicketSeen) -> Option<Check> {
    let remedy = format!(
        "create it: kadmin -q 'addprinc -randkey {principal}'; with Cloudera Manager set Impala Daemons Load Balancer \
         and generate the credentials anew"
    );
    let KdcSeen::Answered { kdc, answer, .. } = seen else { return None };
    let is_known = matches!(ticket, TicketSeen::Got { .. });
    match answer {
        KdcAnswer::Refused { code: WRONG_REALM, .. } => Some(Check::failed(
            "kdc-of-another-realm",
            principal,
            format!("the KDC {kdc} does not serve the realm {}", principal.realm),
            "correct [realms] and [domain_realm] in krb5.conf",
        )),
        // Active Directory knows names of services that nobody can log in as.
        KdcAnswer::Refused { code: PRINCIPAL_UNKNOWN, .. } if !is_known => Some(match ticket {
            TicketSeen::Refused(_) => {
                Check::failed("principal-unknown", principal, format!("the KDC {kdc} does not know it"), remedy)
            }
            _ => Check::warning(
                "principal-unknown",
                principal,
                format!(
                    "the KDC {kdc} knows nobody of that name; in Active Directory it may be a service principal name \
                     all the same, which a ticket would show"
                ),
                format!("{remedy}; or get a ticket (kinit), and verify again"),
            ),
        }),
        KdcAnswer::Ticket { .. } | KdcAnswer::Refused { .. } => {
            Some(Check::ok("principal", principal, format!("the KDC {kdc} knows it")))
        }
    }
}

/// Judges whether a keytab has the front end's key, of the number that the KDC uses.
pub(super) fn keytab(
    path: &Path,
    read: &Result<Vec<Entry>, String>,
    principal: &Principal,
    seen: &KdcSeen,
    ticket: &TicketSeen,
) -> Option<Check> {
    let about = path.display();
    let entries = match read {
        Ok(entries) => entries,
        Err(reason) => {
            let remedy = "give a copy of the keytab that Impala is started with (--keytab_file)";
            return Some(Check::failed("keytab-unreadable", about, reason, remedy));
        }
    };
    let own = entries.iter().filter(|entry| entry.principal == *principal);
    let numbers: BTreeSet<u32> = own.map(|entry| entry.kvno).collect();
    if numbers.is_empty() {
        let has: BTreeSet<_> = entries.iter().map(|entry| entry.principal.to_string()).collect();
        let has = crate::words::first_of(has, crate::words::MOST_NAMES);
        return Some(Check::failed(
            "principal-not-in-keytab",
            about,
            format!("{principal} is not in it: clients of the virtual server are refused; it has {has}"),
            format!(
                "merge its key into the keytab of every impalad (kadmin -q 'ktadd -norandkey -k FILE {principal}'), start \
                 them with --principal={principal}, and restart them; with Cloudera Manager set Impala Daemons Load \
                 Balancer, and restart Impala"
            ),
        ));
    }
    // What the KDC says itself is the newest.
    let current = match (ticket, seen) {
        (_, KdcSeen::Answered { answer: KdcAnswer::Ticket { kvno: Some(kvno) }, .. })
        | (TicketSeen::Got { kvno: Some(kvno), .. }, _) => Some(*kvno),
        _ => None,
    };
    let listed = || numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match current {
        Some(current) if !numbers.contains(&current) => Some(Check::failed(
            "kvno-differs",
            about,
            format!("its key of {principal} has number {} (kvno), and the KDC uses {current}", listed()),
            "the key was changed after the keytab was made: write it anew (kadmin -q 'ktadd -norandkey …'), give it to \
             every impalad, and restart them",
        )),
        Some(_) => Some(Check::ok("keytab", about, format!("it has the key of {principal} that the KDC uses"))),
        None => Some(Check::ok(
            "keytab",
            about,
            format!("it has {principal}, kvno {}; which one the KDC uses only a ticket tells", listed()),
        )),
    }
}

/// Judges what came of a ticket for the front end.
pub(super) fn ticket(principal: &Principal, seen: &TicketSeen) -> Option<Check> {
    let id = "ticket";
    match seen {
        TicketSeen::NoTools => Some(Check::skipped(
            id,
            principal,
            "the commands klist and kvno are not here, so no ticket is tried",
            "install them (Debian: krb5-user, Red Hat: krb5-workstation)",
        )),
        TicketSeen::NotLoggedIn => {
            Some(Check::skipped(id, principal, "no ticket is here to ask with", "get one (kinit), and verify again"))
        }
        TicketSeen::NoFileCache => Some(Check::skipped(
            id,
            principal,
            "your ticket is in a cache that is no file, so none is tried for the front end",
            "KRB5CCNAME=FILE:/tmp/tickets kinit, and verify with the same variable",
        )),
        TicketSeen::Refused(reason) => Some(Check::failed(
            "ticket-refused",
            principal,
            format!("no ticket is to be had for it: {reason}"),
            "see the principal at the KDC, the clock, and krb5.conf",
        )),
        TicketSeen::Got { decrypted: Some(Ran::Failed(reason)), .. } => Some(Check::failed(
            "ticket-not-decrypted",
            principal,
            format!("the keytab does not decrypt a ticket for it: {reason}"),
            "write the keytab anew from the KDC, give it to every impalad, and restart them",
        )),
        TicketSeen::Got { decrypted, .. } => Some(Check::ok(
            id,
            principal,
            if decrypted.is_some() { "the keytab decrypts a ticket for it" } else { "the KDC gives a ticket for it" },
        )),
    }
}

pub(super) fn other_key(principal: &Principal) -> Check {
    let what = "the ticket's session key is not of AES with SHA-1, and pronk makes no other, so it is shown to no port";
    Check::skipped("ticket-shown", principal, what, "try it with impala-shell -k")
}

/// Judges what a port answers to a ticket.
pub(super) fn accepted(about: &str, principal: &Principal, said: &Result<SaslMessage, NoAnswer>) -> Check {
    match said {
        Ok(SaslMessage { status: SaslStatus::Ok | SaslStatus::Complete, .. }) => {
            Check::ok("ticket-shown", about, format!("it accepts a ticket for {principal}"))
        }
        Ok(message) => Check::failed(
            "ticket-not-accepted",
            about,
            format!("it refuses a ticket for {principal}: {}", message.words()),
            "give the impalad a keytab with that principal's present key (ktadd -norandkey), start it with --principal for \
             it, and restart it; see its clock too",
        ),
        Err(failure) => Check::failed(
            "ticket-not-accepted",
            about,
            format!("no answer to a ticket for {principal}: {failure}"),
            "see what the impalad logs",
        ),
    }
}

/// Judges under which name clients ask for a ticket.
pub(super) fn canonical_name(name: &str, conf: &Krb5Conf, reverse: &[(IpAddr, String)]) -> Option<Check> {
    let other = reverse.iter().find(|(_, found)| found.trim_end_matches('.') != name)?;
    if !conf.looks_up_reverse() {
        return None;
    }
    Some(Check::warning(
        "canonical-name-differs",
        name,
        format!(
            "its address {} is called {} in DNS: Kerberos clients with `rdns = true` (the default) ask for \
             impala/{} and not for impala/{name}",
            other.0, other.1, other.1
        ),
        "write `rdns = false` under [libdefaults] in krb5.conf of each client (and `dns_canonicalize_hostname = false` \
         where the name is an alias, CNAME), or have the address named so in DNS (PTR)",
    ))
}

/// Seconds that clocks may be apart (RFC 4120, section 1.6).
const TOLERATED: i64 = 300;
/// Seconds that are worth a word.
const NOTABLE: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn impala() -> Principal {
        Principal { components: vec!["impala".to_owned(), "lb".to_owned()], realm: "R".to_owned() }
    }

    fn seen(answer: KdcAnswer) -> KdcSeen {
        KdcSeen::Answered { kdc: "kdc".to_owned(), clock: KdcAnswer::Refused { code: 6, time: 1000 }, answer }
    }

    #[test]
    fn clocks_may_be_apart_for_so_long() {
        let outcome = |now| clock(&seen(KdcAnswer::Ticket { kvno: None }), now)[0].outcome;
        assert_eq!([1000, 1059, 1060, 940, 1300, 700].map(outcome), {
            use Outcome::{Failed, Ok, Warning};
            [Ok, Ok, Warning, Warning, Failed, Failed]
        });
    }

    #[test]
    fn keytab_must_have_the_key_that_the_kdc_uses() {
        let entry = |principal: Principal, kvno| Entry { principal, kvno };
        let node = Principal { components: vec!["impala".to_owned(), "node".to_owned()], ..impala() };
        let kdc = |kvno| seen(KdcAnswer::Ticket { kvno });
        let not_logged_in = TicketSeen::NotLoggedIn;
        let got = TicketSeen::Got { kvno: Some(4), decrypted: None };
        for (entries, kdc, ticket, id) in [
            (Ok(vec![entry(impala(), 2), entry(node.clone(), 1)]), kdc(Some(2)), &not_logged_in, "keytab"),
            (Ok(vec![entry(impala(), 2)]), kdc(Some(3)), &not_logged_in, "kvno-differs"),
            (Ok(vec![entry(impala(), 2), entry(impala(), 4)]), kdc(None), &got, "keytab"),
            // A ticket may be older than the key.
            (Ok(vec![entry(impala(), 4)]), kdc(Some(5)), &got, "kvno-differs"),
            (Ok(vec![entry(impala(), 5)]), kdc(Some(5)), &got, "keytab"),
            (Ok(vec![entry(impala(), 3)]), kdc(None), &got, "kvno-differs"),
            (Ok(vec![entry(impala(), 2)]), kdc(None), &not_logged_in, "keytab"),
            (Ok(vec![entry(node, 2)]), kdc(Some(2)), &not_logged_in, "principal-not-in-keytab"),
            (Err("it is no keytab file".to_owned()), kdc(None), &not_logged_in, "keytab-unreadable"),
        ] {
            let check = keytab(Path::new("impala.keytab"), &entries, &impala(), &kdc, ticket).unwrap();
            assert_eq!(check.id, id, "{entries:?}");
        }
    }

    #[test]
    fn principal_that_nobody_knows_is_told() {
        let unknown = || seen(KdcAnswer::Refused { code: PRINCIPAL_UNKNOWN, time: 0 });
        let outcome = |ticket| principal(&impala(), &unknown(), &ticket).unwrap().outcome;
        assert_eq!(outcome(TicketSeen::NotLoggedIn), Outcome::Warning);
        assert_eq!(outcome(TicketSeen::Refused("no".to_owned())), Outcome::Failed);
        assert_eq!(outcome(TicketSeen::Got { kvno: None, decrypted: None }), Outcome::Ok);
    }

    #[test]
    fn name_that_clients_do_not_ask_for_is_told_unless_they_are_told_not_to() {
        let address = IpAddr::from([10, 0, 0, 1]);
        let judged = |name: &str| canonical_name("lb", &Krb5Conf::default(), &[(address, name.to_owned())]);
        assert_eq!(judged("lb"), None);
        assert_eq!(judged("vip-7").unwrap().id, "canonical-name-differs");
    }
}
