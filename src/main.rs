//! The `pronk` command.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
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

/// Writes to standard error on a thread, and gives up after a while, as nobody may read there. Without a thread it waits.
fn write_error(text: String) {
    let text: Arc<str> = text.into();
    let (written, is_written) = mpsc::channel();
    let writing = thread::Builder::new().spawn({
        let text = Arc::clone(&text);
        move || {
            write_now(&text);
            let _ = written.send(());
        }
    });
    match writing {
        Ok(_) => drop(is_written.recv_timeout(LONGEST_WRITE)),
        // That there is no thread may be the error.
        Err(_) => write_now(&text),
    }
}

fn write_now(text: &str) {
    // Where it cannot be written, there is nobody to report it to.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

const LONGEST_WRITE: Duration = Duration::from_secs(2);
