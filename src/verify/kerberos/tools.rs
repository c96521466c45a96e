//! The system's own Kerberos commands, and its resolver. pronk is linked with neither.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Done(String),
    Failed(String),
    /// It is not installed here.
    Missing,
}

/// Returns the name of the user's cache, if a valid ticket is in it.
pub(super) async fn cache_with_ticket() -> Ran {
    match run("klist", vec!["-s".to_owned()], None).await {
        Ran::Done(_) => match run("klist", Vec::new(), None).await {
            Ran::Done(printed) => cache_of(&printed).map_or_else(|| Ran::Failed(printed.clone()), Ran::Done),
            failed => failed,
        },
        failed => failed,
    }
}

/// Gets a ticket for a service with the user's own in `cache`; with a keytab also decrypts it by that, as the service
/// does.
pub(super) async fn get_ticket(principal: String, cache: &Path, keytab: Option<&Path>) -> Ran {
    let keytab = keytab.map(|keytab| ["-k".to_owned(), keytab.display().to_string()]);
    let cache = format!("FILE:{}", cache.display());
    run("kvno", keytab.into_iter().flatten().chain([principal]).collect(), Some(cache)).await
}

/// Returns the name of an address, as the system resolves it.
pub(super) async fn name_of(address: std::net::IpAddr) -> Option<String> {
    match run("getent", vec!["hosts".to_owned(), address.to_string()], None).await {
        Ran::Done(line) => line.split_whitespace().nth(1).map(str::to_ascii_lowercase),
        Ran::Failed(_) | Ran::Missing => None,
    }
}

/// Returns the number of the key that `kvno` prints.
pub(super) fn kvno_of(printed: &str) -> Option<u32> {
    let (_, rest) = printed.split_once("kvno = ")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Returns the name of the cache whose tickets `klist` prints.
fn cache_of(printed: &str) -> Option<String> {
    // MIT's, and Heimdal's.
    let named = |line: &str| Some(line.split_once("cache: ")?.1.trim().to_owned());
    printed.lines().find_map(named)
}

/// Runs a command, with `cache` for the user's ticket cache where it is given.
async fn run(command: &'static str, arguments: Vec<String>, cache: Option<String>) -> Ran {
    let ran = tokio::task::spawn_blocking(move || run_blocking(command, &arguments, cache)).await;
    ran.unwrap_or_else(|_| Ran::Failed(format!("{command} could not be started")))
}

/// Runs a command to its end, in English. One that takes too long is ended.
fn run_blocking(command: &str, arguments: &[String], cache: Option<String>) -> Ran {
    let mut started = Command::new(command);
    started.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    started.envs(cache.map(|cache| ("KRB5CCNAME", cache)));
    let mut child = match started.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ran::Missing,
        Err(error) => return Ran::Failed(crate::reading::os_reason(&error)),
    };
    let deadline = Instant::now() + LIMIT;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Ran::Failed(format!("{command} did not end within {} s", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    match child.wait_with_output() {
        Ok(output) if output.status.success() => Ran::Done(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Ran::Failed(String::from_utf8_lossy(&said).trim().replace('\n', "; "))
        }
        Err(error) => Ran::Failed(crate::reading::os_reason(&error)),
    }
}

const LIMIT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_from_what_is_printed() {
        assert_eq!(kvno_of("impala/lb@R: kvno = 12\n"), Some(12));
        assert_eq!(kvno_of("impala/lb@R: kvno = 2, keytab entry valid"), Some(2));
        assert_eq!(kvno_of("kvno: Server not found"), None);
    }

    #[test]
    fn name_of_the_cache_is_read_from_what_is_printed() {
        let mit = "Ticket cache: FILE:/tmp/krb5cc_1000\nDefault principal: alice@R\n";
        assert_eq!(cache_of(mit).as_deref(), Some("FILE:/tmp/krb5cc_1000"));
        assert_eq!(cache_of("Credentials cache: KCM:1000\n").as_deref(), Some("KCM:1000"));
        assert_eq!(cache_of(""), None);
    }
}
