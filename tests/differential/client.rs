//! The real clients of this machine, and which columns each stands for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pronk::lint::clients::Client;

use crate::case::Case;

/// A program that judges all cases.
pub(crate) struct RealClient {
    pub(crate) title: String,
    command: Vec<PathBuf>,
    /// Which column a kind of verdict is compared with.
    columns: Vec<(&'static str, Client)>,
}

/// The ports of the servers on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) openssl: u16,
    /// Of the one that shows whatever it is given.
    pub(crate) raw: u16,
}

impl Ports {
    pub(crate) fn of(self, case: &Case) -> u16 {
        if case.is_raw { self.raw } else { self.openssl }
    }
}

/// A verdict: accepted, or refused with the client's words. None where the server could not show the chain.
pub(crate) type RealVerdict = Option<Result<(), String>>;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential");

/// Finds OpenSSL, each Python and each Java, and says what is not here.
pub(crate) fn find() -> Vec<RealClient> {
    let script = |name: &str| PathBuf::from(HERE).join(name);
    let isolated = |python: &Path, name: &str| vec![python.into(), "-I".into(), "-S".into(), script(name)];
    let mut found = Vec::new();
    if runs("python3", &["-c", "import ctypes; ctypes.CDLL('libssl.so.3')"]) {
        let command = isolated(Path::new("python3"), "openssl_client.py");
        found.push(RealClient { title: "OpenSSL".into(), command, columns: vec![("openssl", Client::OpenSsl)] });
    } else {
        println!("no libssl.so.3 here: OpenSSL is not compared");
    }
    for ((major, minor), python) in pythons() {
        let columns = match minor {
            _ if major != 3 => continue,
            // `ssl` compares names by itself there, whatever context it is given.
            ..=6 => vec![("default", Client::Python36), ("match-hostname", Client::Python36)],
            7..=11 => vec![
                ("default", Client::Shell46),
                ("match-hostname", Client::Shell4),
                ("match-hostname", Client::Impyla),
                ("both", Client::Impyla024),
            ],
            12 => vec![("default", Client::Shell46), ("common-name", Client::ImpylaPython312)],
            _ => vec![("default", Client::Python313), ("common-name", Client::ImpylaPython312)],
        };
        let command = isolated(&python, "python_client.py");
        found.push(RealClient { title: format!("Python {major}.{minor}"), command, columns });
    }
    let javas = javas();
    if javas.is_empty() {
        println!("no Java here: it is not compared");
    }
    for (version, java) in javas {
        let columns = vec![("java", if version < 25 { Client::Java } else { Client::Java25 })];
        let command = vec![java, script("JavaClient.java")];
        found.push(RealClient { title: format!("Java {version}"), command, columns });
    }
    found
}

impl RealClient {
    /// Judges all cases that servers show. The verdicts are by case, then by column.
    pub(crate) fn judge(&self, folder: &Path, ports: Ports) -> BTreeMap<usize, Vec<(Client, RealVerdict)>> {
        let kept = folder.join(format!("{}.verdicts", self.title));
        let text = fs::read_to_string(&kept).unwrap_or_else(|_| {
            let text = self.run(folder, ports);
            fs::write(&kept, &text).unwrap();
            text
        });
        text.lines()
            .map(|line| {
                let mut fields = line.split('\t');
                let case = fields.next().unwrap().parse().unwrap();
                let kinds: BTreeMap<_, _> = fields.filter_map(|field| field.split_once('=')).collect();
                let of = |(kind, column): &(&str, Client)| (*column, verdict(kinds[kind]));
                (case, self.columns.iter().map(of).collect())
            })
            .collect()
    }

    fn run(&self, folder: &Path, ports: Ports) -> String {
        let mut command = Command::new("nice");
        command.args(["-n", "5"]).args(&self.command).arg(folder);
        command.args([ports.openssl.to_string(), ports.raw.to_string()]).stderr(Stdio::inherit());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{} failed", self.title);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Reads `ok` or `no` with a reason.
fn verdict(text: &str) -> RealVerdict {
    // A server that cannot use the chain closes at once, and a client that refuses it sends an alert.
    let no_server =
        ["Connection reset", "EOF occurred", "lib(0)", "unexpected eof", "(EOF)", "terminated the handshake"];
    match text.strip_prefix("no") {
        None => Some(Ok(())),
        Some(reason) if no_server.iter().any(|it| reason.contains(it)) => None,
        Some(reason) => Some(Err(reason.trim().into())),
    }
}

/// Returns each Python 3 by its version.
fn pythons() -> BTreeMap<(u32, u32), PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let on_path = (6..20).map(|minor| PathBuf::from(format!("python3.{minor}"))).chain(["python3".into()]);
    let version = "import sys; print(*sys.version_info[:2])";
    let found = below(&format!("{home}/.pyenv/versions"), "bin/python").into_iter().chain(on_path);
    let found: Vec<_> = found.filter_map(|python| Some((output(&python, &["-c", version])?, python))).collect();
    let mut all = BTreeMap::new();
    for (version, python) in found {
        let numbers: Vec<u32> = version.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        if let [major, minor] = numbers[..] {
            all.entry((major, minor)).or_insert(python);
        }
    }
    all
}

/// Returns each Java from 11 on by its version.
fn javas() -> BTreeMap<u32, PathBuf> {
    let mut all = BTreeMap::new();
    for java in below("/usr/lib/jvm", "bin/java").into_iter().chain(["java".into()]) {
        let settings = output(&java, &["-XshowSettings:properties", "-version"]).unwrap_or_default();
        let version = settings.lines().find_map(|line| line.trim().strip_prefix("java.specification.version = "));
        if let Some(version) = version.and_then(|it| it.parse().ok()).filter(|it| *it >= 11) {
            all.entry(version).or_insert(java);
        }
    }
    all
}

fn below(folder: &str, program: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().join(program)).filter(|it| it.exists()).collect()
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    output(Path::new(program), arguments).is_some()
}

/// Returns what a program prints, if it succeeds.
fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    output.status.success().then(|| String::from_utf8_lossy(&text).into_owned())
}
