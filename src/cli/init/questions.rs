//! Questions on the terminal, for what was not given on the command line.

use std::io::{self, BufRead, IsTerminal};

use super::certificate::CertificateOption;
use super::plan::Mode;
use crate::cli::screen::print_error;

/// Returns whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// Asks until the answer can be read; an empty one is `default`, if there is one.
///
/// # Errors
/// The input has ended.
pub(super) fn ask<T>(
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    loop {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        print_error(&format!("{question}{shown}: "));
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            anyhow::bail!("the input has ended; nothing was written");
        }
        let answer = match (line.trim(), default) {
            ("", Some(default)) => default,
            (answer, _) => answer,
        };
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(reason) => print_error(&format!("{reason}\n")),
        }
    }
}

/// Asks for several, which are separated by blanks or commas.
///
/// # Errors
/// The input has ended.
pub(super) fn ask_several<T>(
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<Vec<T>> {
    ask(question, default, |answer| {
        let words = answer.split([' ', ',']).filter(|word| !word.is_empty());
        let all = words.map(&read).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() { Err("at least one is needed".to_owned()) } else { Ok(all) }
    })
}

/// Asks for the TLS mode.
///
/// # Errors
/// The input has ended.
pub(super) fn ask_mode() -> anyhow::Result<Mode> {
    print_error(
        "TLS mode:
  plain        no TLS anywhere
  passthrough  the impalads have TLS, which goes through untouched
  offload      TLS ends at pronk; the impalads have none
  re-encrypt   TLS ends at pronk, which begins TLS of its own toward the impalads
",
    );
    ask("Mode", Some("offload"), of_values)
}

/// Asks what becomes of the certificate.
///
/// # Errors
/// The input has ended.
pub(super) fn ask_certificate(name: &str) -> anyhow::Result<CertificateOption> {
    let question = format!("Certificate for {name}: self-signed, or csr (a request for your authority)");
    ask(&question, Some("self-signed"), of_values)
}

/// Asks for yes or no.
///
/// # Errors
/// The input has ended.
pub(super) fn ask_yes(question: &str) -> anyhow::Result<bool> {
    ask(question, Some("no"), |answer| match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    })
}

fn of_values<T: clap::ValueEnum>(answer: &str) -> Result<T, String> {
    T::from_str(answer, true).map_err(|_| {
        let all = T::value_variants().iter().filter_map(T::to_possible_value);
        format!("it is one of: {}", all.map(|it| it.get_name().to_owned()).collect::<Vec<_>>().join(", "))
    })
}
