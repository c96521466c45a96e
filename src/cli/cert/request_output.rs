//! Where a request for a certificate is written.

use std::path::Path;

use super::args::DEFAULT_STORE;
use crate::cli::screen::{errln, out, outln};
use crate::reading::os_reason;
use crate::words::quoted;

/// Writes a request to a file or to standard output, and prints the next step; on standard error if the request is on
/// standard output, so that it can be piped on.
pub(super) fn write_request(csr: &str, out: Option<&Path>, name: &str, store: &Path) -> anyhow::Result<()> {
    let is_default = store == Path::new(DEFAULT_STORE);
    let of_store =
        if is_default { String::new() } else { format!(" --store {}", quoted(&store.display().to_string())) };
    let next = format!("once it is signed: pronk cert import {} --cert SIGNED.pem{of_store}", quoted(name));
    match out {
        Some(path) => {
            std::fs::write(path, csr)
                .map_err(|error| anyhow::anyhow!("cannot write {}: {}", path.display(), os_reason(&error)))?;
            outln!("the request is in {}, its key in the store; {next}", path.display())?;
        }
        None => {
            out!("{csr}")?;
            errln!("the key is in the store; {next}");
        }
    }
    Ok(())
}
