//! `pronk lint` as users run it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;
use tempfile::TempDir;

use crate::corpus::{FRONT, NODE};
use crate::support::ca::{Authority, LeafBuilder, pem_of, write};

/// 2026-01-01, within what the certificates made here are valid for.
const NOW: &str = "1767225600";

pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

fn lint_with(folder: &Path, args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .arg("lint")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

pub fn lint(folder: &Path, args: &[&str]) -> Run {
    lint_with(folder, &[&["--now", NOW], args].concat(), b"")
}

/// A folder with `good.pem`, which has every name, `bad.pem`, which lacks the load balancer's, and their authority.
pub fn folder() -> TempDir {
    let (ca, folder) = (Authority::new("cluster ca"), tempfile::tempdir().unwrap());
    let issue = |leaf: LeafBuilder<'_>, stem: &str| {
        let leaf = leaf.build();
        leaf.write(folder.path(), stem);
    };
    issue(ca.issue(FRONT).dns(FRONT).dns(NODE), "good");
    issue(ca.issue(NODE).dns(NODE), "bad");
    ca.write(folder.path(), "ca.pem");
    folder
}

const ARGS: [&str; 4] = ["--hostname", FRONT, "--ca-file", "ca.pem"];

#[test]
fn missing_name_is_drawn_with_a_remedy_to_paste() {
    let folder = folder();
    let run = lint(folder.path(), &[&["bad.pem"], ARGS.as_slice()].concat());
    assert_eq!(run.code, 1, "{}", run.err);
    let block = run.out.split("\n\n").next().unwrap();
    insta::assert_snapshot!(block, @r#"
    error[san-missing-frontend]: the certificate does not carry the load balancer's name lb.example.com
    --> bad.pem
     |
     | Subject: CN=node1.example.com
     | Subject Alternative Name: DNS:node1.example.com
     |                           ^^^^^^^^^^^^^^^^^^^^^
      = found: DNS:node1.example.com
      = expected: lb.example.com among the subject alternative names
      = rule: RFC 9525, section 6.3
      = clients: every client refuses it
      = help: issue the certificate anew with the load balancer's name as common name and as alternative name
          pronk cert csr node1 --common-name lb.example.com --dns lb.example.com --dns node1.example.com
          openssl req -new -newkey rsa:2048 -nodes -keyout node1.key -out node1.csr -subj "/CN=lb.example.com" -addext "subjectAltName=DNS:lb.example.com,DNS:node1.example.com"
      = note: an impalad reads its certificate when it starts: after replacing certificates restart the whole cluster, not Impala alone
    "#);
    assert!(!run.out.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn the_systems_bundle_beside_the_own_authority_spoils_nothing() {
    let folder = folder();
    let Ok(mut bundle) = std::fs::read("/etc/ssl/certs/ca-certificates.crt") else {
        return println!("skipped: no bundle of authorities here");
    };
    bundle.extend(std::fs::read(folder.path().join("ca.pem")).unwrap());
    write(folder.path(), "bundle.pem", &bundle, 0o644);
    let run =
        lint(folder.path(), &["good.pem", "--hostname", FRONT, "--ca-file", "bundle.pem", "--fail-on", "warning"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
}

#[test]
fn table_of_clients_says_what_it_does_not_judge() {
    let folder = folder();
    let run = lint(folder.path(), &[&["good.pem", "--clients"], ARGS.as_slice()].concat());
    assert!(run.out.contains("Not judged: revocation"), "{}", run.out);
    let json = lint(folder.path(), &[&["good.pem", "--clients", "--format", "json"], ARGS.as_slice()].concat());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let rows = json["clients"]["rows"].as_array().unwrap();
    assert!(rows[0]["verdicts"].as_array().unwrap().iter().all(|verdict| verdict["accepts"] == true), "{rows:?}");
    assert!(json["clients"]["not_judged"].as_str().unwrap().contains("revocation"));
}

#[test]
fn exit_codes_tell_clean_found_usage_and_unreadable_apart() {
    let folder = folder();
    let code = |args: &[&str]| lint(folder.path(), &[args, ARGS.as_slice()].concat()).code;
    assert_eq!(code(&["good.pem"]), 0);
    assert_eq!(code(&["bad.pem"]), 1);
    assert_eq!(code(&["bad.pem", "--fail-on", "never"]), 0);
    assert_eq!(code(&["good.pem", "--deny", "no-such-check"]), 2);
    assert_eq!(lint(folder.path(), &[]).code, 2, "nothing to lint");
    assert_eq!(code(&["good.pem", "absent.pem"]), 3);
    assert_eq!(code(&["good.pem", "--crl", "absent.crl"]), 3, "what side files say is wanted too");
    assert_eq!(code(&["good.pem", "--passphrase-file", "absent"]), 3);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = lint(folder.path(), &["empty"]);
    assert_eq!(empty.code, 3, "a mistyped folder is not clean");
    assert!(empty.err.contains("no certificate in empty"), "{}", empty.err);
}

#[test]
fn reader_that_leaves_early_is_no_error() {
    let folder = folder();
    let command = format!("{} lint bad.pem --hostname {FRONT} | head -n 1", env!("CARGO_BIN_EXE_pronk"));
    let ran = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");
}

#[test]
fn unreadable_file_is_told_and_the_others_are_linted() {
    let folder = folder();
    write(folder.path(), "broken.pem", b"-----BEGIN CERTIFICATE-----\nAA", 0o644);
    let run = lint(folder.path(), &[&["broken.pem", "bad.pem"], ARGS.as_slice()].concat());
    assert_eq!(run.code, 3);
    assert!(run.err.contains("broken.pem:1 is not well-formed PEM: the section"), "{}", run.err);
    assert!(run.out.contains("san-missing-frontend"), "{}", run.out);
}

#[test]
fn levels_hold_back_and_raise() {
    let folder = folder();
    let run = |args: &[&str]| lint(folder.path(), &[&["bad.pem"], ARGS.as_slice(), args].concat());
    let allowed = run(&["--allow", "san-missing-frontend"]);
    assert_eq!(allowed.code, 0, "{}", allowed.out);
    assert!(
        !allowed.out.contains("[san-missing-frontend]") && allowed.out.contains("1 finding allowed"),
        "{}",
        allowed.out
    );
    assert!(run(&["--warn", "san-missing-frontend"]).out.contains("warning[san-missing-frontend]"));
    let last = |args: &[&str]| run(args).out;
    assert!(last(&["--allow", "cn-not-frontend", "--deny", "cn-not-frontend"]).contains("error[cn-not-frontend]"));
    assert!(!last(&["--deny", "cn-not-frontend", "--allow", "cn-not-frontend"]).contains("[cn-not-frontend]"));
    let unknown = run(&["--allow", "san-mising-frontend"]);
    assert!(unknown.err.contains("did you mean \"san-missing-frontend\"?"), "{}", unknown.err);
}

#[test]
fn configuration_file_sets_levels_until_their_day() {
    let folder = folder();
    let lint_until = |until: &str, id: &str| {
        let text = format!(
            "lint: {{ {id}: {{ level: allow, reason: old names, until: {until} }} }}\n\
             certificate-store: none-here\nvirtual-servers: {{}}\n"
        );
        write(folder.path(), "pronk.yaml", text.as_bytes(), 0o644);
        lint(folder.path(), &[&["bad.pem", "--config", "pronk.yaml"], ARGS.as_slice()].concat())
    };
    let held = lint_until("2026-01-02", "san-missing-frontend");
    assert_eq!(held.code, 0, "{}{}", held.out, held.err);
    assert_eq!(lint_until("2026-01-01", "san-missing-frontend").code, 1, "it has lapsed");
    let unknown = lint_until("2026-01-02", "san-missing-fronted");
    assert_eq!(unknown.code, 3);
    assert!(unknown.err.contains("pronk.yaml:1:") && unknown.err.contains("did you mean"), "{}", unknown.err);
}

#[test]
fn names_that_were_not_checked_are_told() {
    let folder = folder();
    let run = lint(folder.path(), &["bad.pem", "--ca-file", "ca.pem"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains("names were not checked: give --hostname"), "{}", run.out);
}

#[test]
fn standard_input_and_folders_are_read() {
    let folder = folder();
    let bad = std::fs::read(folder.path().join("bad.pem")).unwrap();
    let run = lint_with(folder.path(), &["-", "--hostname", FRONT, "--now", NOW], &bad);
    assert!(run.out.contains("--> standard input"), "{}", run.out);
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::rename(folder.path().join("bad.pem"), folder.path().join("below/bad.crt")).unwrap();
    write(folder.path(), "README.txt", b"not a certificate", 0o644);
    let run = lint(folder.path(), &[&["."], ARGS.as_slice()].concat());
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("--> ./below/bad.crt"), "{}", run.out);
}

#[test]
fn names_in_certificates_do_not_act_on_the_terminal() {
    let (ca, folder) = (Authority::new("ca"), tempfile::tempdir().unwrap());
    let leaf = ca.issue("\x1b[2Jlb\r\n::error::x\u{202e}\u{9b}").dns("lb\x1b[31m.example.com").build();
    leaf.write(folder.path(), "lb");
    for format in ["human", "json", "sarif", "junit", "github"] {
        let run = lint(folder.path(), &["lb.pem", "--hostname", FRONT, "--format", format]);
        assert_eq!(run.code, 1, "{format}: {}", run.err);
        assert!(!run.out.contains(['\x1b', '\r', '\u{202e}', '\u{9b}']), "{format}: {}", run.out);
        assert!(!run.out.contains("\n::error::x"), "{format}: {}", run.out);
    }
}

#[test]
fn explain_tells_a_check_at_length() {
    let folder = folder();
    let run = lint_with(folder.path(), &["--explain", "san-missing-frontend"], b"");
    assert_eq!(run.code, 0, "{}", run.err);
    for words in ["san-missing-frontend (error)", "Rule: RFC 9525", "What to do:", "one connection in N"] {
        assert!(run.out.contains(words), "{words}: {}", run.out);
    }
}

#[test]
fn json_has_what_its_schema_says() {
    let folder = folder();
    let run = lint(folder.path(), &[&["bad.pem", "absent.pem", "--format", "json"], ARGS.as_slice()].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let schema: Value = serde_json::from_str(&lint_with(folder.path(), &["--print-schema"], b"").out).unwrap();
    conforms(&report, &schema, "");
    assert_eq!(report["version"], 1);
    assert_eq!(report["certificates"][0]["dns"][0], NODE);
    assert!(report["findings"].as_array().unwrap().iter().any(|it| it["check"] == "san-missing-frontend"));
    assert!(report["unreadable"][0]["message"].as_str().unwrap().contains("absent.pem"));
}

/// Of JSON Schema, what the schema uses.
fn conforms(value: &Value, schema: &Value, at: &str) {
    if let Some(properties) = schema["properties"].as_object() {
        let fields = value.as_object().unwrap_or_else(|| panic!("{at} is no object"));
        assert_eq!(fields.keys().collect::<Vec<_>>(), properties.keys().collect::<Vec<_>>(), "{at}");
        properties.iter().for_each(|(name, schema)| conforms(&value[name], schema, &format!("{at}/{name}")));
    }
    if schema["type"] == "array" {
        let items = value.as_array().unwrap_or_else(|| panic!("{at} is no array"));
        items.iter().for_each(|item| conforms(item, &schema["items"], &format!("{at}/[]")));
    }
    let of_type = |kind: &Value| match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    };
    match &schema["type"] {
        Value::Array(kinds) => assert!(kinds.iter().any(of_type), "{at}: {value}"),
        Value::String(_) => assert!(of_type(&schema["type"]), "{at}: {value}"),
        _ => {}
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value}");
    }
}

#[test]
fn sarif_names_rules_and_places() {
    let folder = folder();
    std::fs::rename(folder.path().join("bad.pem"), folder.path().join("bad one.pem")).unwrap();
    let run = lint(folder.path(), &[&["bad one.pem", "--format", "sarif"], ARGS.as_slice()].concat());
    let log: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let missing = results.iter().find(|result| result["ruleId"] == "san-missing-frontend").unwrap();
    assert_eq!(missing["level"], "error");
    let place = &missing["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "bad%20one.pem");
    assert_eq!(place["region"]["startLine"], 1);
    let index = missing["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], "san-missing-frontend");
}

#[test]
fn junit_has_a_case_for_each_finding_and_each_clean_certificate() {
    use quick_xml::events::Event;
    let folder = folder();
    let run = lint(folder.path(), &[&["good.pem", "bad.pem", "--format", "junit"], ARGS.as_slice()].concat());
    let mut reader = quick_xml::Reader::from_str(&run.out);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                names.push(tag.name().as_ref().to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!(count("testsuite"), 3, "{}", run.out);
    assert!(count("failure") == 1 && count("testcase") > count("failure"), "{}", run.out);
    assert!(run.out.contains("classname=\"good.pem\""), "{}", run.out);
}

#[test]
fn github_commands_stay_on_their_lines() {
    let folder = folder();
    let run = lint(folder.path(), &[&["bad.pem", "--format", "github"], ARGS.as_slice()].concat());
    assert!(run.out.lines().all(|line| line.starts_with("::")), "{}", run.out);
    assert!(run.out.contains("::error file=bad.pem,line=1,title=san-missing-frontend::"), "{}", run.out);
}

#[test]
fn a_table_compares_the_servers() {
    let folder = folder();
    let run = lint(folder.path(), &[&["good.pem", "bad.pem"], ARGS.as_slice()].concat());
    let row = |file: &str| run.out.lines().find(|line| line.starts_with(file)).unwrap_or_else(|| panic!("{}", run.out));
    assert!(
        row("bad.pem").contains("lb.example.com") && row("bad.pem").contains("san-missing-frontend"),
        "{}",
        run.out
    );
    assert!(!row("good.pem").contains("san-"), "{}", run.out);
    assert!(run.out.contains("2 servers, 1 issuer"), "{}", run.out);
}

#[test]
fn committed_catalogue_is_current() {
    let printed = lint_with(Path::new("."), &["--catalogue"], b"").out;
    let committed = include_str!("../../docs/lint-checks.md");
    assert!(printed == committed, "write it anew: pronk lint --catalogue > docs/lint-checks.md");
}

#[test]
fn chain_may_come_from_several_certificates_of_a_file() {
    let (root, folder) = (Authority::new("root"), tempfile::tempdir().unwrap());
    let leaf = root.intermediate("issuing").issue(FRONT).dns(FRONT).build();
    write(folder.path(), "chain.pem", pem_of(&leaf.chain).as_bytes(), 0o644);
    root.write(folder.path(), "ca.pem");
    let run = lint(folder.path(), &[&["chain.pem"], ARGS.as_slice()].concat());
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains("in 3 certificates of 2 sources"), "{}", run.out);
}

#[test]
fn authorities_that_are_given_are_linted_too() {
    let folder = folder();
    let run = lint(folder.path(), &["good.pem", "--hostname", FRONT, "--ca-file", "bad.pem", "--format", "json"]);
    assert!(run.out.contains("\"source\": \"bad.pem\""), "{}", run.out);
}

#[test]
fn authority_without_the_mark_of_one_is_no_second_server() {
    use rcgen::IsCa;
    let (root, folder) = (Authority::new("root"), tempfile::tempdir().unwrap());
    let leaf =
        root.intermediate_adjusted("issuing", |params| params.is_ca = IsCa::NoCa).issue(FRONT).dns(FRONT).build();
    write(folder.path(), "chain.pem", pem_of(&leaf.chain).as_bytes(), 0o644);
    root.write(folder.path(), "ca.pem");
    let run = lint(folder.path(), &[&["chain.pem"], ARGS.as_slice()].concat());
    assert!(run.out.contains("error[ca-basic-constraints-missing]"), "{}", run.out);
    assert!(!run.out.contains("san-missing-frontend"), "the authority was taken for a server: {}", run.out);
}

#[test]
fn authority_with_its_key_beside_it_is_no_server() {
    let (ca, folder) = (Authority::new("cluster ca"), tempfile::tempdir().unwrap());
    write(
        folder.path(),
        "ca.pem",
        format!("{}{}", pem_of(&[ca.certificate().clone()]), ca.key_pem()).as_bytes(),
        0o600,
    );
    let run = lint(folder.path(), &["ca.pem", "--hostname", FRONT]);
    assert!(!run.out.contains("san-missing-frontend"), "{}", run.out);
}

#[test]
fn matrix_tells_which_clients_accept() {
    let folder = folder();
    let run = lint(folder.path(), &[&["bad.pem", "--clients", "--format", "json"], ARGS.as_slice()].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let verdicts = report["clients"]["rows"][0]["verdicts"].as_array().unwrap();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| verdict["accepts"] == false), "{}", run.out);
    let text = lint(folder.path(), &[&["good.pem", "--clients"], ARGS.as_slice()].concat()).out;
    assert!(text.contains("impyla") && text.contains("ok"), "{text}");
}

#[test]
fn authority_in_the_store_is_judged_as_one_and_trusted() {
    let (ca, folder) = (Authority::new("demo ca"), tempfile::tempdir().unwrap());
    let store = folder.path().join("certs");
    ca.issue(FRONT).dns(FRONT).build().write_store_entry(&store, "lb");
    std::fs::create_dir(store.join("demo-ca")).unwrap();
    write(&store.join("demo-ca"), "cert.pem", pem_of(&[ca.certificate().clone()]).as_bytes(), 0o644);
    write(&store.join("demo-ca"), "key.pem", ca.key_pem().as_bytes(), 0o600);
    let text = format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}\n\
         pools: {{ p: {{ members: ['a:1'] }} }}\n\
         profiles: {{ f: {{ type: client-ssl, cert-key-chain: [{{ store: lb }}] }} }}\n\
         virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', hostname: {FRONT}, pool: p, client-ssl: f }} }}\n"
    );
    write(folder.path(), "pronk.yaml", text.as_bytes(), 0o644);
    let run = lint(folder.path(), &["--config", "pronk.yaml", "--fail-on", "warning"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    for id in ["ku-no-digital-signature", "leaf-is-ca", "issuer-unknown"] {
        assert!(!run.out.contains(id), "{id}: {}", run.out);
    }
}

/// A port that reads what it is sent first, answers this, and passes on what it read.
pub fn answering(answer: &'static [u8]) -> (u16, Receiver<Vec<u8>>) {
    answering_in_turn(answer, answer)
}

/// As [`answering`], with another answer to all but the first connection.
fn answering_in_turn(first_answer: &'static [u8], answer: &'static [u8]) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, (sender, receiver)) = (listener.local_addr().unwrap().port(), channel());
    std::thread::spawn(move || {
        let mut answers = std::iter::once(first_answer).chain(std::iter::repeat(answer));
        for (mut stream, answer) in listener.incoming().flatten().zip(&mut answers) {
            let mut first = vec![0; 4096];
            let count = stream.read(&mut first).unwrap_or(0);
            first.truncate(count);
            let _ = sender.send(first);
            let _ = stream.write_all(answer).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    (port, receiver)
}

pub const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
/// The alert handshake_failure.
const NOTHING_IN_COMMON: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

/// The beginning of a ServerHello of TLS 1.2.
const AGREED: &[u8] = b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03";

#[test]
fn live_port_is_asked_for_the_name_that_clients_ask_for() {
    let folder = folder();
    let (port, first) = answering(HTTP);
    let port = format!("localhost:{port}");
    for (args, name) in [(vec!["--hostname", FRONT], FRONT), (vec![], "localhost")] {
        lint(folder.path(), &[&["--connect", &port], args.as_slice()].concat());
        let hello = first.recv().unwrap();
        assert!(hello.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
    }
}

#[test]
fn port_that_speaks_other_tls_than_pronk_is_told_as_that() {
    let (port, _) = answering(NOTHING_IN_COMMON);
    let run = lint(folder().path(), &["--connect", &format!("127.0.0.1:{port}")]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.out.contains("error[tls-not-agreed]: it speaks TLS, but nothing that pronk offers"), "{}", run.out);
    assert!(run.out.contains("clients: every client refuses it"), "{}", run.out);
    // What agrees with others does not agree with pronk.
    let (port, hellos) = answering_in_turn(NOTHING_IN_COMMON, AGREED);
    let run = lint(folder().path(), &["--connect", &format!("127.0.0.1:{port}")]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains("warning[tls-not-agreed]"), "{}", run.out);
    assert!(run.out.contains("clients: refused by rustls; the others take it"), "{}", run.out);
    // pronk's own hello, and one for each kind of client.
    assert_eq!(hellos.try_iter().count(), 5);
}

/// One member that is not up changes nothing of it; one that speaks TLS does.
#[test]
fn cluster_without_tls_has_no_certificates_to_lint() {
    let folder = folder();
    let (plain, closed) = (answering(HTTP).0, TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let config = |second: u16| {
        let text = format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{plain}', 'a:{second}'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', hostname: {FRONT}, pool: p }} }}
"
        );
        write(folder.path(), "pronk.yaml", text.as_bytes(), 0o644);
        lint(folder.path(), &["--config", "pronk.yaml"])
    };
    let run = config(answering(HTTP).0);
    assert_eq!((run.code, run.out.matches("error").count()), (0, 1), "{}", run.out);
    assert!(
        run.err.contains("virtual server `vs` is plain: it has no TLS, and neither have its members"),
        "{}",
        run.err
    );
    let run = config(closed);
    assert!(run.out.contains("port-unreachable") && !run.out.contains("port-plaintext"), "{}", run.out);
    let run = config(answering(NOTHING_IN_COMMON).0);
    assert!(run.out.contains("port-plaintext") && run.out.contains("tls-not-agreed"), "{}", run.out);
}

#[test]
fn names_on_which_clients_do_not_agree_can_be_asked_for() {
    let (ca, folder) = (Authority::new("ca"), tempfile::tempdir().unwrap());
    ca.issue("lb.example.com").dns("lb.example.com").dns("impala_lb").build().write(folder.path(), "lb");
    for (name, refused_by) in [("impala_lb", "Java"), ("lb.example.com.", "Java")] {
        let run = lint(folder.path(), &["lb.pem", "--hostname", name, "--clients", "--fail-on", "never"]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(
            run.out.contains("the client refuses the host name itself") && run.out.contains(refused_by),
            "{}",
            run.out
        );
    }
}

#[test]
fn remedies_fit_the_place() {
    let (ca, folder) = (Authority::new("ca"), tempfile::tempdir().unwrap());
    // In a certificate store: the entry's own name, as a shell takes it.
    let entry = folder.path().join("certs/impala lb");
    std::fs::create_dir_all(&entry).unwrap();
    let leaf = ca.issue(NODE).dns(NODE).build();
    leaf.write(folder.path(), "n1");
    std::fs::copy(folder.path().join("n1.pem"), entry.join("cert.pem")).unwrap();
    std::fs::copy(folder.path().join("n1.key"), entry.join("key.pem")).unwrap();
    let run = lint(folder.path(), &["certs", "--hostname", FRONT]);
    assert!(run.out.contains("pronk cert csr 'impala lb' --common-name"), "{}", run.out);
    // Toward pronk: the profile's authorities, and no client.
    ca.write(folder.path(), "ca.pem");
    Authority::new("another").write(folder.path(), "other.pem");
    let run = lint(folder.path(), &["n1.pem", "--mode", "re-encrypt", "--node", NODE, "--ca-file", "other.pem"]);
    assert!(!run.out.contains("--ca-file"), "{}", run.out);
    assert!(
        run.out.contains("`ca-file` of the server-ssl profile") || run.out.contains("the profile's ca-file"),
        "{}",
        run.out
    );
    // From an authority that drops what the request asks for.
    let openssl = |args: &str| {
        let status = Command::new("openssl").args(args.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(status.status.success(), "{args}: {status:?}");
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout a.key -out a.pem -subj /CN=a -days 3650");
    openssl(&format!(
        "req -new -newkey rsa:2048 -nodes -keyout v1.key -out v1.csr -subj /CN={NODE} -addext subjectAltName=DNS:{FRONT}"
    ));
    openssl("x509 -req -in v1.csr -CA a.pem -CAkey a.key -set_serial 7 -days 3650 -out v1.pem");
    let run = lint_with(folder.path(), &["v1.pem", "--hostname", FRONT], b"");
    assert!(run.out.contains("authority has dropped them"), "{}", run.out);
}
