//! Certificate policies (RFC 5280, section 6.1), which Java processes: a chain may demand that a policy be valid for all
//! of it.

use std::collections::BTreeSet;

use crate::cert::Certificate;

const ANY: &str = "2.5.29.32.0";

/// Returns the certificate at which a demand for a policy is not met. `below` are the certificates below the anchor, the
/// nearest to it first.
pub(super) fn unmet<'a>(below: &[&'a Certificate]) -> Option<&'a Certificate> {
    let count = below.len();
    let (mut explicit, mut inhibit_any, mut inhibit_mapping) = (count + 1, count + 1, count + 1);
    // None once no policy is valid any more.
    let mut valid: Option<BTreeSet<String>> = Some(BTreeSet::from([ANY.to_owned()]));
    for (index, &at) in below.iter().enumerate() {
        let is_last = index + 1 == count;
        let self_issued = at.subject.folds_as(&at.issuer_name);
        let policies = at.policies.clone().unwrap_or_default();
        valid = match (valid, &policies.asserted) {
            (Some(valid), Some(asserted)) => {
                let takes_any = inhibit_any > 0 || (!is_last && self_issued);
                intersection(&valid, asserted, takes_any)
            }
            _ => None,
        };
        if explicit == 0 && valid.is_none() {
            return Some(at);
        }
        if is_last {
            let demanded = policies.require_explicit == Some(0) || explicit <= usize::from(!self_issued);
            return (demanded && valid.is_none()).then_some(at);
        }
        valid = valid.map(|valid| mapped(valid, &policies.mapped, inhibit_mapping > 0));
        if !self_issued {
            explicit = explicit.saturating_sub(1);
            inhibit_any = inhibit_any.saturating_sub(1);
            inhibit_mapping = inhibit_mapping.saturating_sub(1);
        }
        let lower =
            |counter: &mut usize, to: Option<u32>| *counter = (*counter).min(to.map_or(usize::MAX, |it| it as usize));
        lower(&mut explicit, policies.require_explicit);
        lower(&mut inhibit_mapping, policies.inhibit_mapping);
        lower(&mut inhibit_any, policies.inhibit_any);
    }
    None
}

fn intersection(valid: &BTreeSet<String>, asserted: &[String], takes_any: bool) -> Option<BTreeSet<String>> {
    let any_asserted = takes_any && asserted.iter().any(|it| it == ANY);
    let named = asserted.iter().filter(|it| *it != ANY && (valid.contains(*it) || valid.contains(ANY)));
    let kept = valid.iter().filter(|_| any_asserted);
    let both: BTreeSet<String> = named.chain(kept).cloned().collect();
    (!both.is_empty()).then_some(both)
}

fn mapped(mut valid: BTreeSet<String>, mappings: &[(String, String)], allowed: bool) -> BTreeSet<String> {
    for (from, to) in mappings {
        if valid.remove(from) && allowed {
            valid.insert(to.clone());
        }
    }
    valid
}
