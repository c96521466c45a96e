//! Tokens: how they come and go, what ends them, and what those meet who guess.

use super::lab::{Lab, fresh_address, token};
use super::support::lb::until;

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

#[test]
fn tokens_are_rotated_by_a_reload_also_for_connections_that_are_open() {
    let lab = Lab::plain();
    let way = lab.over_plain();
    let next = token(lab.folder(), "next", "viewer", &[]);
    assert_eq!((way.get("/v1/map", &next).code, way.get("/v1/map", &lab.viewer).code), (401, 200));
    let reloaded = lab.pronk.command(&["reload"]);
    assert_eq!(String::from_utf8_lossy(&reloaded.stdout), "~ admin API: its tokens\n");
    assert_eq!((way.get("/v1/map", &next).code, way.get("/v1/map", &lab.viewer).code), (200, 200));
    let tokens = lab.folder().join("tokens");
    assert!(
        lab.pronk.command(&["admin", "token", "remove", "viewer", "--file", tokens.to_str().unwrap()]).status.success()
    );
    assert!(lab.pronk.command(&["reload"]).status.success());
    assert_eq!((way.get("/v1/map", &next).code, way.get("/v1/map", &lab.viewer).code), (200, 401));
}

#[test]
fn mistake_in_the_tokens_file_is_told_and_the_tokens_before_stay() {
    let lab = Lab::plain();
    let tokens = lab.folder().join("tokens");
    let good = std::fs::read_to_string(&tokens).unwrap();
    std::fs::write(&tokens, format!("{good}ci root sha256:00\n")).unwrap();
    let refused = lab.pronk.command(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("tokens:4: `root` is not viewer, operator or admin"), "{said}");
    assert!(said.contains("pronk.yaml:5:") && said.contains("help: a line is `name role sha256:HASH`"), "{said}");
    assert_eq!(lab.over_plain().get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn token_ends_by_itself_and_does_not_count_as_a_guess() {
    let lab = Lab::plain();
    let short = token(lab.folder(), "short", "viewer", &["--valid-for", "2s"]);
    assert!(lab.pronk.command(&["reload"]).status.success());
    let way = lab.over_plain();
    until("it expires", || {
        // As often as the limit of requests allows.
        std::thread::sleep(std::time::Duration::from_millis(100));
        way.get("/v1/map", &short).code == 401
    });
    for _ in 0..20 {
        let expired = way.get("/v1/map", &short);
        assert_eq!(expired.code, 401);
        assert!(expired.error().contains("`short` has expired"), "{expired:?}");
    }
    assert_eq!(way.get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn whoever_guesses_is_kept_off_and_learns_nothing() {
    let lab = Lab::plain();
    let (way, guesser) = (lab.over_plain(), fresh_address());
    let ask = |from, secret: &str| way.ask_from(from, "GET", "/v1/map", &[("authorization", &bearer(secret))]);
    let codes: Vec<_> = (0..100).map(|number| ask(guesser, &format!("pronk_{number}")).code).collect();
    let looked_at = codes.iter().filter(|code| **code == 401).count();
    // Ten at once; more only if a hundred requests take longer than six seconds.
    assert!(codes[..10].iter().all(|code| *code == 401) && looked_at < 50, "{codes:?}");
    assert!(codes.iter().all(|code| [401, 429].contains(code)), "{codes:?}");
    until("the next guess is refused", || ask(guesser, "pronk_x").code == 429);
    let right = ask(guesser, &lab.admin);
    assert_eq!(right.code, 429, "the answer does not tell a right token from a wrong one");
    let wait: u64 = right.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    assert_eq!(way.ask_from(guesser, "GET", "/healthz", &[]).code, 200, "health checks go on");
    assert_eq!(ask(fresh_address(), &lab.viewer).code, 200, "others are let in");
    assert_eq!(lab.socket().get("/v1/map", "").code, 200);
    until("it may try again", || ask(guesser, &lab.admin).code == 200);
}

#[test]
fn requests_without_a_token_are_no_guesses() {
    let lab = Lab::plain();
    let way = lab.over_plain();
    for _ in 0..30 {
        assert_eq!(way.ask("GET", "/v1/map", None).code, 401);
    }
    assert_eq!(way.get("/v1/map", &lab.viewer).code, 200);
}

#[test]
fn other_forms_of_authorization_are_none() {
    let lab = Lab::plain();
    let way = lab.over_plain();
    let secret = &lab.viewer;
    let ask = |header: &str| way.ask_from(fresh_address(), "GET", "/v1/map", &[("authorization", header)]).code;
    assert_eq!((ask(&format!("bearer {secret}")), ask(&format!("BEARER  {secret}"))), (200, 200));
    for wrong in
        [secret.clone(), format!("Basic {secret}"), format!("Bearer {secret} x"), "Bearer".into(), "Bearer ".into()]
    {
        assert_eq!(ask(&wrong), 401, "{wrong}");
    }
    let cookie = way.ask_from(fresh_address(), "GET", "/v1/map", &[("cookie", &format!("token={secret}"))]);
    assert_eq!(cookie.code, 401);
}
