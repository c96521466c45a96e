//! Completions, as real shells ask for them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lb::{Pronk, free_port};

/// A pronk whose member is in two pools.
fn running() -> Pronk {
    let member = SocketAddr::from(([127, 0, 0, 1], 1));
    Pronk::start(|_| {
        format!(
            "nodes: {{ node-1: {{ address: 127.0.0.1 }} }}
pools: {{ pool-a: {{ members: ['node-1:{port}', 'node-1:7'] }}, pool-b: {{ members: ['node-1:{port}'] }} }}
virtual-servers: {{ vs-a: {{ destination: '127.0.0.1:{}', pool: pool-a }} }}
",
            free_port(),
            port = member.port()
        )
    })
}

/// The folder of the binary, for a PATH on which it is called `pronk`.
fn path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_pronk")).parent().unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// What bash has for a line, whose last word is being completed: each is what it puts in the place of what is behind the last
/// colon or equal sign.
fn bash(line: &str, socket: &Path) -> Vec<String> {
    let script = r#"
        source <(pronk completions bash)
        line=$1
        # As readline takes a line apart.
        COMP_WORDS=()
        for word in ${line//:/ : }; do
            [[ $word == --*=* ]] && COMP_WORDS+=("${word%%=*}" = "${word#*=}") || COMP_WORDS+=("$word")
        done
        [[ $line == *[\ :] ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9
        compopt() { :; }
        _pronk_completions pronk "${COMP_WORDS[COMP_CWORD]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let done = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", script, "bash", line])
        .env("PATH", path())
        .env("PRONK_ADMIN_SOCKET", socket)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{line}");
    // Options fit where nothing is typed yet.
    let is_name = |line: &&str| !line.is_empty() && !line.starts_with("--");
    String::from_utf8_lossy(&done.stdout).lines().filter(is_name).map(str::to_owned).collect()
}

#[test]
fn names_of_what_runs_are_completed() {
    let pronk = running();
    let socket = pronk.folder.path().join("admin.sock");
    for (line, expected) in [
        ("pronk disable virtual-server v", &["vs-a"][..]),
        ("pronk disable vs ", &["vs-a"]),
        ("pronk disable node ", &["node-1"]),
        ("pronk enable member pool-b", &["pool-b/node-1:1"]),
        // Behind a colon the shell puts what follows it.
        ("pronk enable member node-1:", &["1", "7"]),
        ("pronk enable member pool-b/node-1:", &["1"]),
        ("pronk stats reset --pool pool-", &["pool-a", "pool-b"]),
        ("pronk stats reset --pool=pool-", &["pool-a", "pool-b"]),
        ("pronk stats reset --member node-1:7", &["7"]),
        ("pronk member resume pool-a node-1:7", &["7"]),
        ("pronk explain v", &["vs-a"]),
        ("pronk drain member node-1:", &["1", "7"]),
        ("pronk kill --node n", &["node-1"]),
        ("pronk show connections --virtual-server v", &["vs-a"]),
        ("pronk completions b", &["bash"]),
        ("pronk show st", &["stats"]),
    ] {
        assert_eq!(bash(line, &socket), expected, "{line}");
    }
    let named = format!("pronk --color never explain --admin-socket {} v", socket.display());
    assert_eq!(bash(&named, Path::new("/nonexistent")), ["vs-a"]);
}

#[test]
fn nothing_is_completed_at_once_where_no_pronk_answers() {
    let folder = tempfile::tempdir().unwrap();
    // One that takes connections and never answers.
    let silent = folder.path().join("silent");
    let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    for socket in [silent, folder.path().join("absent")] {
        let asked = || {
            let mut asking = Command::new(env!("CARGO_BIN_EXE_pronk"));
            asking.args(["--", "pronk", "explain", "v"]).env("PRONK_COMPLETE", "bash");
            asking.env("PRONK_ADMIN_SOCKET", &socket).stdin(Stdio::null()).output().unwrap()
        };
        let began = Instant::now();
        let done = asked();
        let took = began.elapsed();
        assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
        // A busy machine starts a process slowly.
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn scripts_are_for_the_shells_that_are_known() {
    for (shell, begins) in [("bash", "_pronk_completions() {"), ("zsh", "#compdef pronk"), ("fish", "complete ")] {
        let done = crate::pronk(&["completions", shell]).output().unwrap();
        assert!(String::from_utf8_lossy(&done.stdout).starts_with(begins), "{shell}");
    }
    assert_eq!(crate::code(&crate::pronk(&["completions", "tcsh"]).output().unwrap()), 2);
}

/// Where fish is installed, it is asked too.
#[test]
fn fish_completes_names_with_their_colons() {
    if Command::new("fish").arg("--version").output().is_err() {
        println!("skipped: fish is not installed");
        return;
    }
    let pronk = running();
    let script = "pronk completions fish | source; complete -C 'pronk enable member node-1:'";
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", script]).env("PATH", path());
    let done = fish.env("PRONK_ADMIN_SOCKET", pronk.folder.path().join("admin.sock")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(said.lines().collect::<Vec<_>>(), ["node-1:1", "node-1:7"], "{done:?}");
}
