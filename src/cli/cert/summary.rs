//! What is printed of a certificate that was made or imported.

use crate::cert::{Certificate, date};
use crate::cli::screen::outln;

/// Prints names, end, key and fingerprint.
pub(super) fn print_summary(leaf: &Certificate, now: i64) -> anyhow::Result<()> {
    let names: Vec<_> = leaf.names.dns.iter().cloned().chain(leaf.names.ip.iter().map(ToString::to_string)).collect();
    outln!("  subject  {}", leaf.names.subject.escape_debug())?;
    if !names.is_empty() {
        outln!("  names    {}", names.join(", ").escape_debug())?;
    }
    outln!("  valid    until {} ({} days)", date::day(leaf.not_after), leaf.days_left(now))?;
    outln!("  key      {}", leaf.key)?;
    outln!("  sha256   {}", leaf.fingerprint())
}
