//! What real clients say of thousands of chains, and what pronk says that they say.
//!
//! `generate.py` writes chains, `serve.py` shows them (what OpenSSL does not show, `raw_server` does), and every client of this machine judges them by handshakes:
//! OpenSSL, each Python, each Java, and rustls. Each verdict is compared with the column of `pronk lint --clients` that
//! stands for the client, and all of them with the findings.

mod case;
mod client;
mod compare;
mod pronk_verdicts;
mod raw_server;
mod run;
mod rustls_client;

use std::path::Path;

/// So many chains are judged in `make test`.
const SAMPLE: usize = 160;

#[test]
fn sample_of_chains_is_judged_as_real_clients_judge_it() {
    run::run(SAMPLE, 1, None);
}

/// `make differential N=… SEED=… KEEP=…`
#[test]
#[ignore = "takes minutes"]
fn thousands_of_chains_are_judged_as_real_clients_judge_them() {
    let given = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
    let number = |name: &str, otherwise| given(name).map_or(otherwise, |it| it.parse().unwrap());
    run::run(number("N", 3000), number("SEED", 1) as u64, given("KEEP").as_deref().map(Path::new));
}
