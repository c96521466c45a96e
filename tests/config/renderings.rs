use super::{SHORT, parse};

fn shown(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn mistake_is_shown_with_its_line_and_remedy() {
    insta::assert_snapshot!(shown(&SHORT.replace("pool: p }", "pol: p, pool: q }")), @r#"
    error: unknown key `pol` in a virtual server
     --> pronk.yaml:3:55
      |
    3 | virtual-servers: { vs: { destination: 10.0.0.1:21050, pol: p, pool: q } }
      |                                                       ^^^
      = help: did you mean `pool`?

    error: there is no pool `q`
     --> pronk.yaml:3:69
      |
    3 | virtual-servers: { vs: { destination: 10.0.0.1:21050, pol: p, pool: q } }
      |                                                                     ^
      = help: did you mean `p`?
    "#);
}

#[test]
fn key_that_stands_twice_names_the_first() {
    insta::assert_snapshot!(shown(&format!("{SHORT}nodes: {{}}\n")), @r#"
    error: `nodes` is given twice
     --> pronk.yaml:4:1
      |
    4 | nodes: {}
      | ^^^^^
      = help: it is first at pronk.yaml:1
    "#);
}

#[test]
fn word_of_f5_that_is_not_offered_comes_with_the_reason() {
    let text = SHORT.replace(
        "pool: p }",
        "pool: p, source-address-translation: none, type: performance-l4, client-ssl: serverssl }",
    );
    insta::assert_snapshot!(shown(&text), @r#"
    error: source-address-translation `none` is not offered
     --> pronk.yaml:3:92
      |
    3 | virtual-servers: { vs: { destination: 10.0.0.1:21050, pool: p, source-address-translation: none, type: performance-l4, client-ssl: serverssl } }
      |                                                                                            ^^^^
      = help: a full proxy connects to members from its own address: with the client's, the member would answer the client past pronk. Leave this out, or write automap

    error: profile `serverssl` is server-ssl, not client-ssl
     --> pronk.yaml:3:132
      |
    3 | virtual-servers: { vs: { destination: 10.0.0.1:21050, pool: p, source-address-translation: none, type: performance-l4, client-ssl: serverssl } }
      |                                                                                                                                    ^^^^^^^^^
      = help: there are: clientssl, clientssl-secure

    error: virtual server `vs` is performance-l4, which takes no SSL profile
     --> pronk.yaml:3:132
      |
    3 | virtual-servers: { vs: { destination: 10.0.0.1:21050, pool: p, source-address-translation: none, type: performance-l4, client-ssl: serverssl } }
      |                                                                                                                                    ^^^^^^^^^
      = help: write `type: standard`
    "#);
}

#[test]
fn caret_stands_under_wide_text() {
    insta::assert_snapshot!(shown("nodes: { n: { description: grün, adress: 1 } }\r\nvirtual-servers: {}\r\n"), @r#"
    error: a node needs `address`
     --> pronk.yaml:1:10
      |
    1 | nodes: { n: { description: grün, adress: 1 } }
      |          ^
      = help: An IP address, or a fully qualified domain name, which is resolved again every `interval`.

    error: unknown key `adress` in a node
     --> pronk.yaml:1:34
      |
    1 | nodes: { n: { description: grün, adress: 1 } }
      |                                  ^^^^^^
      = help: did you mean `address`?
    "#);
}

#[test]
fn carets_know_wide_letters_and_tabs() {
    let wrong = shown("nodes: { n: { description: \"键\t🦌\", adress: 1, address: 10.0.0.1 } }\nvirtual-servers: {}\n");
    insta::assert_snapshot!(wrong, @r#"
    error: unknown key `adress` in a node
     --> pronk.yaml:1:35
      |
    1 | nodes: { n: { description: "键    🦌", adress: 1, address: 10.0.0.1 } }
      |                                        ^^^^^^
      = help: did you mean `address`?
    "#);
}

#[test]
fn long_line_is_cut_to_what_is_wrong() {
    let long = "x".repeat(9000);
    let wrong = shown(&format!(
        "nodes: {{ n: {{ description: {long}, adress: 1, address: 10.0.0.1 }} }}\nvirtual-servers: {{}}\n"
    ));
    assert!(wrong.contains("--> pronk.yaml:1:9030\n"), "{wrong}");
    let lines: Vec<_> = wrong.lines().collect();
    assert!(lines[3].chars().count() <= "1 | ".len() + 160, "{wrong}");
    assert_eq!(lines[3].find("adress").map(|at| at - "…".len() + 1), lines[4].find("^^^^^^"), "{wrong}");
}

#[test]
fn what_is_no_yaml_is_shown_alike() {
    insta::assert_snapshot!(shown("virtual-servers:\n  vs:\n    destination: *:21050\n"), @r#"
    error: not YAML: `*` repeats what an anchor `&` names, and there is no such anchor
     --> pronk.yaml:3:18
      |
    3 |     destination: *:21050
      |                  ^
      = help: in YAML such a destination needs quotes: `"*:21050"`, `"[::]:21050"`
    "#);
}

#[test]
fn color_marks_the_severity_and_the_caret() {
    let wrong = parse("nodes: [a]\n").unwrap_err().render(true);
    assert!(wrong.starts_with("\x1b[1m\x1b[31merror\x1b[0m\x1b[1m: "), "{wrong:?}");
    assert!(wrong.contains("\x1b[1m\x1b[31m^\x1b[0m"), "{wrong:?}");
}
