//! The audit log: every change by every way, what is refused, and a file that is moved or cannot be written.

use serde_json::Value;

use super::http::Way;
use super::lab::{Lab, fresh_address};
use super::support::lb::until;

/// Waits for the record of something.
#[track_caller]
fn recorded(lab: &Lab, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut found = None;
    until(what, || {
        found = lab.audit().into_iter().find(&wanted);
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn every_route_that_changes_something_is_recorded_with_who_why_and_outcome() {
    let lab = Lab::plain();
    let document = lab.socket().get("/v1/openapi.json", "").json();
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "get") {
            let method = method.to_uppercase();
            for (way, who) in [(lab.over_plain(), "alice (token admin)"), (lab.socket(), "alice (uid ")] {
                let uri = format!("{path}?by=alice&reason=new%20disk&no-such=1");
                assert_eq!(way.ask(&method, &uri, Some(&lab.admin)).code, 400);
                let record = recorded(&lab, &format!("{method} {path}"), |it| {
                    it["what"] == format!("{method} {path}") && it["who"].as_str().unwrap().starts_with(who)
                });
                let is_of_socket = matches!(way, Way::Socket(_));
                assert_eq!(record["from"] == "socket", is_of_socket, "{record}");
                let told = (&record["why"], &record["outcome"], &record["status"], &record["role"]);
                assert_eq!(told, (&"new disk".into(), &"refused".into(), &400.into(), &"admin".into()), "{record}");
                assert_eq!(record["parameters"], serde_json::json!({ "no-such": "1" }));
                assert!(record["error"].as_str().unwrap().starts_with("the parameters of "), "{record}");
                assert!(record["time"].as_str().unwrap().ends_with('Z') && record["pid"] == lab.pronk.pid());
                count += 1;
            }
        }
    }
    assert!(count >= 12, "{count}");
}

#[test]
fn what_was_done_is_recorded_and_what_is_shown_is_not() {
    let lab = Lab::plain();
    let member = lab.socket().get("/v1/names", "").json()["members"][0].as_str().unwrap().to_owned();
    let uri = format!("/v1/administration?kind=member&name={member}&state=disabled&reason=disk");
    let changed = lab.over_plain().post(&uri, &lab.operator);
    assert_eq!(changed.code, 200, "{changed:?}");
    let record = recorded(&lab, "the change", |it| it["what"] == "POST /v1/administration");
    assert_eq!((&record["who"], &record["outcome"]), (&"token operator".into(), &"done".into()));
    assert_eq!(record["parameters"]["state"], "disabled");
    let set = lab.over_plain().get("/v1/administration", &lab.viewer).json();
    assert_eq!((&set["changes"][0]["who"], &set["changes"][0]["why"]), (&"token operator".into(), &"disk".into()));
    lab.over_plain().get("/v1/map", &lab.viewer);
    assert_eq!(lab.over_plain().post("/v1/reload", &lab.admin).code, 200);
    recorded(&lab, "the reload", |it| it["what"] == "POST /v1/reload" && it["outcome"] == "done");
    assert!(lab.audit().iter().all(|it| !it["what"].as_str().unwrap().starts_with("GET")));
}

#[test]
fn refused_logins_are_recorded_and_very_many_are_counted() {
    let lab = Lab::plain();
    let (way, from) = (lab.over_plain(), fresh_address());
    assert_eq!(way.post("/v1/reload", &lab.viewer).code, 403);
    let forbidden = recorded(&lab, "403", |it| it["status"] == 403);
    assert_eq!((&forbidden["who"], &forbidden["role"]), (&"token viewer".into(), &"viewer".into()));
    for _ in 0..200 {
        way.ask_from(from, "GET", "/v1/map", &[("authorization", "Bearer pronk_wrong")]);
    }
    recorded(&lab, "401", |it| it["status"] == 401 && it["from"].as_str().unwrap().starts_with(&from.to_string()));
    recorded(&lab, "429", |it| it["status"] == 429);
    assert!(lab.audit().len() <= 61, "{} records", lab.audit().len());
    let text = std::fs::read_to_string(lab.folder().join("audit.log")).unwrap();
    assert!(!text.contains("pronk_wrong") && !text.contains(&lab.viewer), "a token is nobody's business");
}

#[test]
fn signals_are_recorded_to_the_last() {
    let mut lab = Lab::plain();
    lab.pronk.signal("HUP");
    let reload = recorded(&lab, "SIGHUP", |it| it["who"] == "SIGHUP");
    let told = (&reload["what"], &reload["from"], &reload["outcome"]);
    assert_eq!(told, (&"reload".into(), &"signal".into(), &"done".into()));
    std::fs::write(lab.folder().join("pronk.yaml"), "virtual-servers: [").unwrap();
    lab.pronk.signal("HUP");
    let refused = recorded(&lab, "a refusal", |it| it["who"] == "SIGHUP" && it["outcome"] == "refused");
    assert!(refused["error"].as_str().unwrap().contains("pronk.yaml"), "{refused}");
    lab.pronk.signal("TERM");
    assert!(lab.pronk.ended().success());
    let last = lab.audit().pop().unwrap();
    assert_eq!((&last["who"], &last["what"]), (&"SIGTERM".into(), &"stop".into()));
}

#[test]
fn file_that_is_moved_is_made_anew() {
    let lab = Lab::plain();
    let (path, moved) = (lab.folder().join("audit.log"), lab.folder().join("audit.log.1"));
    lab.over_plain().post("/v1/reload", &lab.admin);
    recorded(&lab, "the first", |it| it["what"] == "POST /v1/reload");
    std::fs::rename(&path, &moved).unwrap();
    lab.pronk.signal("USR1");
    until("there is a new file", || path.exists());
    lab.over_plain().post("/v1/reload?by=second", &lab.admin);
    recorded(&lab, "the second", |it| it["who"] == "second (token admin)");
    assert_eq!(std::fs::read_to_string(&moved).unwrap().lines().count(), 1);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
}

#[test]
fn file_that_cannot_be_written_is_told_loudly_and_pronk_goes_on() {
    let lab = Lab::with("tokens-file: tokens, audit-log: missing/audit.log");
    let told = lab.pronk.logged("the reason", |line| {
        line["level"] == "ERROR" && line["message"].as_str().unwrap().starts_with("cannot write the audit log")
    });
    assert_eq!(told["error"], "no such file or directory");
    assert_eq!(lab.over_plain().post("/v1/reload?reason=lost", &lab.admin).code, 200);
    let line = lab.pronk.logged("the record", |line| line["message"] == "audit" && line["level"] == "ERROR");
    let record: Value = serde_json::from_str(line["record"].as_str().unwrap()).unwrap();
    assert_eq!((&record["what"], &record["why"]), (&"POST /v1/reload".into(), &"lost".into()));
    std::fs::create_dir(lab.folder().join("missing")).unwrap();
    lab.over_plain().post("/v1/reload?reason=kept", &lab.admin);
    let path = lab.folder().join("missing/audit.log");
    until("it is written", || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("kept")));
    lab.pronk.logged("that it is written again", |line| line["message"] == "the audit log is written again");
}

#[test]
fn without_a_file_records_are_in_the_log() {
    let lab = Lab::with("tokens-file: tokens");
    lab.over_plain().post("/v1/reload?reason=why-not", &lab.admin);
    let line = lab.pronk.logged("the record", |line| line["message"] == "audit");
    assert!(line["level"] == "INFO" && line["record"].as_str().unwrap().contains("why-not"), "{line}");
}

#[test]
fn disk_that_hangs_holds_nobody_up() {
    let lab = Lab::plain();
    let fifo = lab.folder().join("fifo");
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&fifo).status().unwrap().success());
    // Opening it for writing waits for a reader that never comes.
    lab.reload(&format!("listen: '127.0.0.1:{}', tokens-file: tokens, audit-log: fifo", lab.port));
    for _ in 0..20 {
        assert_eq!(lab.over_plain().post("/v1/stats/reset", &lab.operator).code, 200);
    }
    assert_eq!(lab.over_plain().get("/v1/map", &lab.viewer).code, 200);
}
