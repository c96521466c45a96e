//! Whether a server shows the certificate that its file holds.

use super::Pairs;
use crate::cert::{Field, date};
use crate::lint::{Check, Clients, Family, Finding, Severity, Subject, Use};

pub(super) static SERVED_DIFFERS: Check = Check {
    id: "served-differs",
    family: Family::Cluster,
    severity: Severity::Warning,
    title: "the server shows another certificate than its file holds",
    basis: "impalad reads --ssl_server_certificate when it starts",
    clients: Clients::Concerns("whoever connects: the server shows the certificate that it started with"),
    explanation: "A certificate that was renewed on disk protects nobody until the server takes it. An impalad does so when \
        it starts, and pronk within `certificate-refresh`. Where the certificate that is shown is the newer one, the file is \
        a stale copy, or not the file that the server reads.\n\n\
        A file and a port are taken for the same server's by the node's name, or because the file's certificate carries \
        the name to which was connected.",
    remedy: "restart the impalad, or look in pronk's log why it does not use the file, so that it shows what the file holds",
};

pub(super) fn lint(subjects: &[Subject], pairs: &Pairs) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, live) in subjects.iter().enumerate() {
        let Some(file) = pairs.file_of(index).and_then(|file| subjects.get(file)) else { continue };
        if file.leaf().der != live.leaf().der {
            findings.push(differs(live, file));
        }
    }
    findings
}

fn differs(live: &Subject, file: &Subject) -> Finding {
    let describe = |subject: &Subject| {
        let leaf = subject.leaf();
        let days = (date::day(leaf.not_before), date::day(leaf.not_after));
        format!("serial number {}, {} to {}", leaf.serial, days.0, days.1)
    };
    let message = format!("{} shows another certificate than {} holds", live.source(), file.source());
    let finding = Finding::new(&SERVED_DIFFERS, live.leaf_located(), message)
        .field(Field::Serial)
        .observed(describe(live))
        .expected(describe(file));
    if live.leaf().not_before > file.leaf().not_before {
        return finding.note("the certificate that is shown is the newer one: is this the file that the server reads?");
    }
    match live.role.usage {
        Use::FrontEnd => finding.paste(["pronk reload".to_owned()]),
        _ => finding.note("restart the impalad: it reads its certificate when it starts"),
    }
}
