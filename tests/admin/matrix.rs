//! Every route of the OpenAPI document × whoever asks × every way.

use serde_json::Value;

use super::http::{Answer, Way};
use super::lab::{Lab, fresh_address, token};
use super::support::lb::until;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    NoToken,
    WrongToken,
    ExpiredToken,
    Viewer,
    Operator,
    Admin,
}

const ASKERS: [Asker; 6] =
    [Asker::NoToken, Asker::WrongToken, Asker::ExpiredToken, Asker::Viewer, Asker::Operator, Asker::Admin];

/// The document as pronk serves it.
fn document(lab: &Lab) -> Value {
    lab.socket().get("/v1/openapi.json", "").json()
}

/// Each route with who may ask for it.
fn routes(document: &Value) -> Vec<(String, String, String)> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let access = operation["x-pronk-access"].as_str().unwrap();
            routes.push((method.to_uppercase(), path.clone(), access.to_owned()));
        }
    }
    assert!(routes.len() >= 15, "{routes:?}");
    routes
}

/// The code of the refusal, if the asker is not let in.
fn refusal(access: &str, asker: Asker) -> Option<u16> {
    let needed = match access {
        "anyone" => return None,
        "metrics" | "viewer" => Asker::Viewer,
        "operator" => Asker::Operator,
        "admin" => Asker::Admin,
        other => panic!("{other}"),
    };
    match asker {
        Asker::NoToken | Asker::WrongToken | Asker::ExpiredToken => Some(401),
        asker => (asker < needed).then_some(403),
    }
}

fn check(lab: &Lab, way: &Way, is_network: bool) {
    let expired = token(lab.folder(), "expired", "admin", &["--valid-for", "1s"]);
    assert!(lab.pronk.command(&["reload"]).status.success());
    until("the token has expired", || way.ask("GET", "/v1/map", Some(&expired)).code != 200 || !is_network);
    let document = document(lab);
    for (method, path, access) in routes(&document) {
        for asker in ASKERS {
            let secret = match asker {
                Asker::NoToken => None,
                Asker::WrongToken => Some("pronk_wrong"),
                Asker::ExpiredToken => Some(expired.as_str()),
                Asker::Viewer => Some(lab.viewer.as_str()),
                Asker::Operator => Some(lab.operator.as_str()),
                Asker::Admin => Some(lab.admin.as_str()),
            };
            let bearer = secret.map(|secret| format!("Bearer {secret}"));
            let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
            // Whoever is let in is told that there is no such parameter, so that nothing changes.
            let uri = if method == "GET" { path.clone() } else { format!("{path}?no-such-parameter=1") };
            let answer = way.ask_from(fresh_address(), &method, &uri, &headers);
            let told = format!("{method} {path}, for {access}, by {asker:?}: {answer:?}");
            match refusal(&access, asker).filter(|_| is_network) {
                Some(code) => assert_eq!(answer.code, code, "{told}"),
                None if method == "GET" => assert!(![401, 403, 429].contains(&answer.code), "{told}"),
                None => assert_eq!(answer.code, 400, "{told}"),
            }
            is_documented(&document, &method, &path, &answer);
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{told}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{told}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{told}");
            assert_eq!(answer.header("www-authenticate").is_some(), answer.code == 401, "{told}");
        }
    }
}

/// Asserts that the document has the code and the kind of an answer.
fn is_documented(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][path][method.to_lowercase()]["responses"];
    let content = &responses[answer.code.to_string()]["content"];
    let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
    assert!(content[kind].is_object(), "{method} {path} {} {kind} is not in the document", answer.code);
}

#[test]
fn each_role_may_do_what_is_its_own_over_plain_loopback() {
    let lab = Lab::plain();
    check(&lab, &lab.over_plain(), true);
}

#[test]
fn each_role_may_do_what_is_its_own_over_tls() {
    let lab = Lab::tls();
    check(&lab, &lab.over_tls(), true);
}

#[test]
fn whoever_may_open_the_admin_socket_may_do_all() {
    let lab = Lab::plain();
    check(&lab, &lab.socket(), false);
}

#[test]
fn what_there_is_not_is_told_to_those_alone_who_are_let_in() {
    let lab = Lab::plain();
    let way = lab.over_plain();
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/map"), ("OPTIONS", "/v1/map"), ("GET", "/v1/reload")]
    {
        assert_eq!(way.ask(method, path, None).code, 401, "{method} {path}");
    }
    assert_eq!(way.get("/v1/nothing", &lab.viewer).code, 404);
    let other = way.ask("DELETE", "/v1/map", Some(&lab.viewer));
    assert_eq!((other.code, other.header("allow")), (405, Some("GET,HEAD")));
    let head = way.ask("HEAD", "/v1/map", Some(&lab.viewer));
    assert_eq!((head.code, head.body.as_str()), (200, ""));
    assert_eq!(way.ask("HEAD", "/v1/map", None).code, 401);
}

#[test]
fn metrics_are_open_where_the_configuration_says_so() {
    let lab = Lab::with("tokens-file: tokens, metrics-without-token: true");
    let way = lab.over_plain();
    let metrics = way.ask("GET", "/metrics", None);
    assert_eq!((metrics.code, way.ask("GET", "/v1/stats", None).code), (200, 401));
    assert!(metrics.body.contains("pronk_"));
}
