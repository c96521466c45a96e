//! The linter, on certificates made here.

#[path = "../support/mod.rs"]
mod support;

mod arguments;
mod authorities;
mod bundle;
mod chain;
mod cluster;
mod command;
mod corpus;
mod keys;
mod live;
mod matching;
mod names;
mod openssl;
mod peers;
mod sentences;
mod served_by_name;
mod usage;
mod validity;

use std::collections::BTreeSet;

use pronk::lint::{Finding, catalogue};

use corpus::Case;

/// Every family's cases.
static CASES: &[&[Case]] = &[
    names::CASES,
    validity::CASES,
    usage::CASES,
    authorities::CASES,
    keys::CASES,
    chain::CASES,
    peers::CASES,
    cluster::CASES,
    live::CASES,
];

fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().copied().flatten()
}

fn ids(findings: &[Finding]) -> BTreeSet<&str> {
    findings.iter().map(|finding| finding.check.id).collect()
}

#[test]
fn checks_fire_on_what_they_are_for_and_on_nothing_else() {
    for case in cases() {
        let (bad, good) = ((case.fires)(), (case.silent)());
        assert!(ids(&bad).contains(case.check), "{} does not fire, only {:?}", case.check, ids(&bad));
        assert!(!ids(&good).contains(case.check), "{} fires: {:?}", case.check, good);
        for finding in bad.iter().filter(|finding| finding.check.id == case.check) {
            assert!(!finding.message.is_empty() && !finding.observed.is_empty(), "{} says too little", case.check);
        }
    }
}

#[test]
fn every_check_has_a_case() {
    let covered: BTreeSet<_> = cases().map(|case| case.check).collect();
    let missing: Vec<_> = catalogue().map(|check| check.id).filter(|id| !covered.contains(id)).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
}
