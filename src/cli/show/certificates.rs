//! `pronk show certificates` for people.

use crate::cert::date;
use crate::cli::table::Table;
use crate::inventory::{CertificateView, Snapshot};

pub(super) fn table(snapshot: &Snapshot) -> String {
    let mut table = Table::new(HEAD);
    snapshot.certificates.iter().for_each(|view| table.row(row(view)));
    let mut page = table.render();
    for stale in &snapshot.stale {
        page += &format!("stale: profile {} goes on with its last good files: {}\n", stale.profile, stale.reason);
    }
    if !snapshot.unwatched.is_empty() {
        page += &format!("not looked at, for want of a monitor of type tls: {}\n", snapshot.unwatched.join(", "));
    }
    if !snapshot.nameless.is_empty() {
        page += &format!("names not checked, for want of a hostname: {}\n", snapshot.nameless.join(", "));
    }
    page
}

fn row(view: &CertificateView) -> [String; HEAD.len()] {
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let profile = view.profile.iter().map(|name| format!("profile {name}"));
    let used_by: Vec<_> = view.virtual_servers.iter().cloned().chain(profile).collect();
    let worst = view.findings.first().map(|finding| format!("{}: {}", finding.severity, finding.check));
    let more = view.findings.len().saturating_sub(1);
    [
        view.source.clone(),
        or_dash(view.subject.clone().unwrap_or_default()),
        or_dash(short(&view.names)),
        or_dash(view.issuer.clone().unwrap_or_default()),
        expiry(view),
        or_dash(used_by.join(", ")),
        or_dash(short(&view.missing_names)),
        match worst {
            Some(worst) if more > 0 => format!("{worst} (+{more})"),
            worst => worst.unwrap_or_else(|| "-".into()),
        },
    ]
}

/// Returns the first two, and how many more.
fn short(names: &[String]) -> String {
    match names {
        [one, two, rest @ ..] if !rest.is_empty() => format!("{one}, {two} (+{})", rest.len()),
        few => few.join(", "),
    }
}

fn expiry(view: &CertificateView) -> String {
    let (Some(end), Some(left)) = (view.not_after, view.seconds_left) else { return "-".into() };
    let days = left.div_euclid(86_400);
    let day = date::day(end);
    match days {
        _ if days < 0 => format!("{day} (expired)"),
        1 => format!("{day} (1 day)"),
        _ => format!("{day} ({days} days)"),
    }
}

const HEAD: [&str; 8] =
    ["Source", "Subject", "Names", "Issuer", "Expires", "Used by", "Missing names", "Worst finding"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_who_uses_the_certificate_and_what_is_wrong() {
        let view = CertificateView {
            source: "a:21050".into(),
            subject: Some("CN=node1".into()),
            names: ["a", "b", "c"].map(String::from).to_vec(),
            not_after: Some(1_767_225_600),
            seconds_left: Some(-1),
            virtual_servers: vec!["vs".into()],
            missing_names: vec!["lb.example.com".into()],
            ..CertificateView::default()
        };
        let page = table(&Snapshot { certificates: vec![view], ..Snapshot::default() });
        let cells: Vec<_> =
            page.lines().nth(1).unwrap().split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
        let expected = ["a:21050", "CN=node1", "a, b (+1)", "-", "2026-01-01 (expired)", "vs", "lb.example.com", "-"];
        assert_eq!(cells, expected);
    }
}
