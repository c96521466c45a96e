//! Which hosts a certificate is good for, by pronk's rule and by OpenSSL's, on thousands of pairs.
//!
//! They may disagree only as [`EXPLAINED`] says. `PRONK_SHOW_DIFFERENCES=1` prints every disagreement.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pronk::cert::Certificate;
use pronk::cert::name_match::dns_name_covers;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls_pki_types::CertificateDer;

use crate::support::ca::{Authority, pem_of, write};

/// A way in which OpenSSL and pronk differ about a name in a certificate and a host.
struct Difference {
    what: &'static str,
    /// Where the rule is that pronk follows.
    rule: &'static str,
    /// Whether it is OpenSSL that takes the pair.
    openssl_takes: bool,
    applies: fn(&str, &str) -> bool,
}

static EXPLAINED: &[Difference] = &[
    Difference {
        what: "OpenSSL falls back to the common name where there is no DNS name",
        rule: "RFC 9525, section 2: a client goes by alternative names alone",
        openssl_takes: true,
        applies: |_, _| false, // Of the names of a certificate together: see `explain`.
    },
    Difference {
        what: "OpenSSL takes a wildcard that is part of a label",
        rule: "RFC 9525, section 6.3: a wildcard is the whole left-most label",
        openssl_takes: true,
        applies: |name, host| name.contains('*') && !name.starts_with("*.") && name != host && is_like(name, host),
    },
    Difference {
        what: "OpenSSL takes a wildcard for itself where it is not one that covers anything",
        rule: "RFC 9525, section 6.3; a host is no wildcard, and Host::parse refuses it",
        openssl_takes: true,
        applies: |name, host| name.contains('*') && name.eq_ignore_ascii_case(host),
    },
    Difference {
        what: "OpenSSL compares labels that no host name has",
        rule: "RFC 5280, section 4.2.1.6, and RFC 1034, section 3.5: labels of 1 to 63 visible characters, no dot at the end",
        openssl_takes: true,
        applies: |name, host| is_like(name, host) && !is_name(name.strip_prefix("*.").unwrap_or(name)),
    },
    Difference {
        what: "OpenSSL takes an IP address that stands as a DNS name when it is told that the address is a name",
        rule: "RFC 9525, section 6.4, and RFC 5280, section 4.2.1.6: an address is compared with iPAddress names",
        openssl_takes: true,
        applies: |name, host| host.parse::<IpAddr>().is_ok() && name.eq_ignore_ascii_case(host),
    },
    Difference {
        what: "OpenSSL reads a host that begins with a dot as all names below it",
        rule: "RFC 9525, section 6.3: whole names are compared, label by label",
        openssl_takes: true,
        applies: |name, host| host.starts_with('.') && name.to_ascii_lowercase().ends_with(&host.to_ascii_lowercase()),
    },
    Difference {
        what: "OpenSSL takes no underscore where a wildcard is, under it or beside it",
        rule: "RFC 9525, section 6.3: a wildcard covers any one label; Host::parse refuses the front end's name before",
        openssl_takes: false,
        applies: |name, host| name.starts_with("*.") && (name.contains('_') || host.contains('_')),
    },
    Difference {
        what: "OpenSSL takes no label with a hyphen at its edge beside a wildcard",
        rule: "RFC 9525, section 6.3: other labels are compared as they are; Host::parse refuses such a host before",
        openssl_takes: false,
        applies: |name, _| {
            name.starts_with("*.") && name.split('.').any(|label| label.starts_with('-') || label.ends_with('-'))
        },
    },
];

/// Why the two disagree, if that is known.
fn explain(names: &Names, host: &str, openssl_takes: bool) -> Option<&'static Difference> {
    if host.starts_with(AS_ADDRESS) {
        return None;
    }
    if openssl_takes && names.dns.is_empty() {
        let taken = |name: &String| is_like(name, host) || host.starts_with('.') && is_like(&format!("*{host}"), name);
        return EXPLAINED.first().filter(|_| names.common.as_ref().is_some_and(taken));
    }
    let covering: Vec<_> = names.dns.iter().filter(|name| dns_name_covers(name, host)).collect();
    let mut differences = EXPLAINED.iter().filter(|it| it.openssl_takes == openssl_takes);
    differences.find(|it| {
        if openssl_takes {
            names.dns.iter().any(|name| (it.applies)(name, host))
        } else {
            !covering.is_empty() && covering.iter().all(|name| (it.applies)(name, host))
        }
    })
}

/// Whether two texts are the same without regard to case, where a `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    match pattern.split_once('*') {
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)) || pattern == text,
        None => pattern == text,
    }
}

/// What a certificate of the test carries.
#[derive(Clone, Debug, Default)]
struct Names {
    common: Option<String>,
    dns: Vec<String>,
    ip: Vec<IpAddr>,
}

#[test]
fn openssl_agrees_but_for_explained_differences() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    let issuer = Issuer { authority: Authority::new("cluster ca"), key: KeyPair::generate().unwrap() };
    let certificates: Vec<_> = (0..CERTIFICATES)
        .map(|index| {
            let names = names(&mut random);
            let hosts: BTreeSet<_> = (0..HOSTS_EACH).map(|_| host(&mut random, &names)).collect();
            Asked::new(&issuer, folder.path(), index, names, hosts)
        })
        .collect();
    let mut pairs = 0;
    let mut taken = 0;
    let mut counts = BTreeMap::new();
    let mut unexplained = Vec::new();
    for (asked, answers) in certificates.iter().zip(ask_all(&certificates)) {
        for (host, openssl) in asked.hosts.iter().zip(answers) {
            let pronk = asked.pronk(host);
            pairs += 1;
            taken += usize::from(pronk && openssl);
            if pronk == openssl {
                continue;
            }
            let reason = explain(&asked.names, host, openssl);
            if std::env::var_os("PRONK_SHOW_DIFFERENCES").is_some() {
                println!("{host:?} {:?} OpenSSL {openssl}: {}", asked.names, reason.map_or("?", |it| it.what));
            }
            match reason {
                Some(reason) => *counts.entry((reason.what, reason.rule)).or_insert(0) += 1,
                None => unexplained.push(format!("{host:?}: OpenSSL {openssl}, pronk {pronk}, {:?}", asked.names)),
            }
        }
    }
    println!("{pairs} pairs, {taken} taken by both, {} differ:", counts.values().sum::<usize>());
    counts.iter().for_each(|((what, rule), count)| println!("{count:6}  {what} ({rule})"));
    assert!(unexplained.is_empty(), "{} unexplained:\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(pairs >= 2000 && taken >= 300, "{pairs} pairs with {taken} taken tell too little");
    assert_eq!(counts.len(), EXPLAINED.len(), "an explanation that explains nothing: {counts:?}");
}

struct Issuer {
    authority: Authority,
    key: KeyPair,
}

/// A certificate, and the hosts that are asked for.
struct Asked {
    names: Names,
    file: PathBuf,
    certificate: Certificate,
    hosts: BTreeSet<String>,
}

impl Asked {
    fn new(issuer: &Issuer, folder: &Path, index: usize, names: Names, hosts: BTreeSet<String>) -> Self {
        let der = names.certificate(issuer);
        let file = write(folder, &format!("{index}.pem"), pem_of(std::slice::from_ref(&der)).as_bytes(), 0o644);
        Self { names, file, certificate: Certificate::decode(der).unwrap(), hosts }
    }

    fn pronk(&self, host: &str) -> bool {
        match host.strip_prefix(AS_ADDRESS) {
            Some(address) => self.certificate.names.cover_ip(address.parse().unwrap()),
            None => self.certificate.names.cover_host(host),
        }
    }

    fn openssl(&self, host: &str) -> bool {
        let mut command = Command::new("openssl");
        command.args(["x509", "-noout", "-in"]).arg(&self.file);
        match host.strip_prefix(AS_ADDRESS) {
            Some(address) => command.args(["-checkip", address]),
            None => command.args(["-checkhost", host]),
        };
        let output = command.output().expect("openssl must be installed (Debian: openssl)");
        let text = String::from_utf8_lossy(&output.stdout);
        match (text.contains("does match certificate"), text.contains("does NOT match certificate")) {
            (true, false) => true,
            (false, true) => false,
            _ => panic!("openssl says neither yes nor no to {host:?}: {output:?}"),
        }
    }
}

/// OpenSSL's answers, in the hosts' order, for each certificate.
fn ask_all(certificates: &[Asked]) -> Vec<Vec<bool>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(asked) = certificates.get(index) else { return answers };
            answers.push((index, asked.hosts.iter().map(|host| asked.openssl(host)).collect()));
        }
    };
    let mut all: Vec<(usize, Vec<bool>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    all.sort_unstable();
    all.into_iter().map(|(_, answers)| answers).collect()
}

impl Names {
    fn certificate(&self, issuer: &Issuer) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(common) = &self.common {
            params.distinguished_name.push(DnType::CommonName, common.as_str());
        }
        let dns = self.dns.iter().map(|name| SanType::DnsName(name.as_str().try_into().unwrap()));
        params.subject_alt_names = dns.chain(self.ip.iter().copied().map(SanType::IpAddress)).collect();
        issuer.authority.sign(&params, &issuer.key)
    }
}

fn names(random: &mut fastrand::Rng) -> Names {
    let mut names = Names::default();
    if random.u8(..4) > 0 {
        names.common = Some(presented(random));
    }
    let many = [0, 1, 1, 2, 3, 40][random.usize(..6)];
    names.dns = (0..many).map(|_| presented(random)).collect();
    names.ip = (0..[0, 0, 1, 2][random.usize(..4)]).map(|_| address(random)).collect();
    names
}

/// A DNS name as certificates have them, rightly and wrongly.
fn presented(random: &mut fastrand::Rng) -> String {
    let name = plain(random);
    let (first, rest) = name.split_once('.').map_or((name.as_str(), ""), |(first, rest)| (first, rest));
    let below = |label: &str| if rest.is_empty() { label.to_owned() } else { format!("{label}.{rest}") };
    match random.u8(..24) {
        0..=3 => format!("*.{name}"),
        4 => below("*"),
        5 => below(&format!("{}*", first.chars().next().unwrap_or('l'))),
        6 => below(&format!("*{}", first.chars().next_back().unwrap_or('b'))),
        7 => below("l*b"),
        8 => format!("*.*.{rest}"),
        9 => format!("{first}.*.{rest}"),
        10 => "*".to_owned(),
        11 => format!("{name}."),
        12 => format!("*.{name}."),
        13 => address(random).to_string(),
        14 => [format!("{first}..{rest}"), format!(".{name}"), format!("*..{name}")][random.usize(..3)].clone(),
        15 => [format!(" {name}"), format!("{name} "), format!("a b.{rest}")][random.usize(..3)].clone(),
        16 => format!("*.-{name}"),
        _ => name,
    }
}

/// A name of one to four labels, of few kinds, so that names meet often.
fn plain(random: &mut fastrand::Rng) -> String {
    let long = ["a".repeat(63), "b".repeat(64)];
    let labels = ["lb", "LB", "node1", "impala_lb", "xn--mnchen-3ya", "l-b", &long[0], &long[1]];
    let parents =
        ["corp.example", "Corp.Example", "example", "a.corp.example", "exa_mple.com", "xn--bcher-kva.example"];
    let label = labels[[0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7][random.usize(..11)]];
    match random.u8(..10) {
        0 => label.to_owned(),
        1 => parents[random.usize(..parents.len())].to_owned(),
        _ => format!("{label}.{}", parents[[0, 0, 0, 1, 2, 3, 4, 5][random.usize(..8)]]),
    }
}

fn address(random: &mut fastrand::Rng) -> IpAddr {
    let all = ["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2", "::ffff:10.0.0.1", "::1"];
    all[random.usize(..all.len())].parse().unwrap()
}

/// A host to ask for: mostly one that has to do with a name of the certificate.
fn host(random: &mut fastrand::Rng, names: &Names) -> String {
    let all: Vec<_> = names.dns.iter().chain(&names.common).collect();
    let near = if all.is_empty() { plain(random) } else { all[random.usize(..all.len())].clone() };
    match random.u8(..20) {
        0..=2 => near,
        3 => swap_case(&near),
        4..=7 => near.replace('*', &plain(random).replace('.', "-")),
        8 => near.replace('*', "x"),
        9 => near.replace('*', "impala_lb"),
        10 => near.replace('*', "a.b"),
        11 => format!("deeper.{near}"),
        12 => near.split_once('.').map_or_else(|| near.clone(), |(_, rest)| rest.to_owned()),
        13 => format!("{near}."),
        14 => near.trim_end_matches('.').to_owned(),
        15 => [format!(".{near}"), near.replacen("*.", ".", 1)][random.usize(..2)].clone(),
        16 | 17 => format!("{AS_ADDRESS}{}", address(random)),
        18 => address(random).to_string(),
        _ => plain(random),
    }
}

fn swap_case(text: &str) -> String {
    let upper = |letter: char| letter.is_ascii_uppercase();
    text.chars().map(|it| if upper(it) { it.to_ascii_lowercase() } else { it.to_ascii_uppercase() }).collect()
}

/// Whether a text is a name that may stand in a certificate.
fn is_name(text: &str) -> bool {
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_graphic());
    text.split('.').all(label) && !text.contains('*')
}

/// Before an address that is to be looked for among addresses.
const AS_ADDRESS: &str = "address ";
const SEED: u64 = 9525;
const CERTIFICATES: usize = 450;
const HOSTS_EACH: usize = 6;
const WORKERS: usize = 4;
