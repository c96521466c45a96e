//! The `pronk` command.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use pronk::reading::os_reason;

fn main() -> ExitCode {
    pronk::cli::run().unwrap_or_else(|error| {
        let cause = |cause: &(dyn Error + 'static)| cause.downcast_ref().map_or_else(|| cause.to_string(), os_reason);
        let text = error.chain().map(cause).collect::<Vec<_>>().join(": ");
        // Diagnostics of a configuration say so themselves.
        let begin = if text.starts_with("error: ") { "" } else { "error: " };
        write_error(format!("{begin}{text}\n"));
        ExitCode::FAILURE
    })
}

/// Writes to standard error, and gives up after a while: nobody may read there.
fn write_error(text: String) {
    let (written, is_written) = mpsc::channel();
    std::thread::spawn(move || {
        // Where it cannot be written, there is nobody to report it to.
        let _ = std::io::stderr().write_all(text.as_bytes());
        let _ = written.send(());
    });
    let _ = is_written.recv_timeout(LONGEST_WRITE);
}

const LONGEST_WRITE: Duration = Duration::from_secs(2);
