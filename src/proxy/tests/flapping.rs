//! Explanations while members go up and down: each is of one moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::pool::Verdict;
use crate::proxy::explain::Explanation;
use crate::proxy::virtual_server::LiveVirtualServer;

#[test]
fn every_explanation_is_of_one_moment() {
    let registry = Registry::default();
    let mut config = pool("p", ["a", "b"].map(|node| member(node, 21050)));
    let second = Duration::from_secs(1);
    config.monitors.all = vec![Arc::new(model::Monitor::new(name("tcp"), model::MonitorKind::Tcp, second, second))];
    let config = Arc::new(config);
    let joined = Arc::new(Pool::join(&config, &registry, Instant::now()));
    let server = VirtualServer { persistence: Some(persistence(SOURCE_ADDR, false)), ..virtual_server("vs", &config) };
    let live = LiveVirtualServer::new(snapshot(server, &joined, &registry));
    let client = IpAddr::from([10, 0, 0, 1]);
    let flaps = &joined.members[0];
    let snapshot = live.snapshot.load();
    let asker = crate::pool::Asker::new(client, &snapshot.persistence);
    // The record names the one that flaps.
    let _held = joined.choose(asker, Instant::now()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let verdicts = [
                Verdict::Down("refused".into()),
                Verdict::Up,
                Verdict::Disabled("shuts down".into()),
                Verdict::Up,
                Verdict::Unavailable("crowded".into()),
                Verdict::Up,
            ];
            for verdict in verdicts.iter().cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                flaps.live.set_verdict(&name("tcp"), verdict.clone(), Instant::now());
            }
        });
        let explained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..20_000 {
                check(&live.explain(client, Instant::now()));
            }
        }));
        done.store(true, Ordering::Relaxed);
        explained.unwrap();
    });
}

fn check(explanation: &Explanation) {
    let Explanation { steps, member, refused } = explanation;
    let member = member.as_deref().expect("one of them is always up");
    assert_eq!(*refused, None);
    let told = steps.join("\n");
    let refusals: Vec<_> = steps.iter().filter(|step| step.contains(" cannot: it ")).collect();
    assert!(told.contains(&format!("has 2 members, of which {} can be chosen", 2 - refusals.len())), "{told}");
    let pairs = [
        ("is down", "(monitor tcp: refused)"),
        ("drains by its own account, and takes no new connection", "(monitor tcp: shuts down)"),
        ("is full by its own account", "(monitor tcp: crowded)"),
    ];
    let fits = |step: &str| pairs.iter().any(|(state, reason)| step.ends_with(&format!("it {state} {reason}")));
    for refusal in &refusals {
        assert!(refusal.starts_with("a:21050 cannot") && fits(refusal), "{told}");
    }
    let record = steps.iter().find(|step| step.contains("a record sends")).expect("it lives as long as its connection");
    if refusals.is_empty() {
        assert!(record.ends_with("so it goes to a:21050"), "{told}");
        assert_eq!(member, "a:21050", "{told}");
    } else {
        assert!(record.contains("and a:21050 cannot be used: it ") && fits(record), "{told}");
        assert_eq!(member, "b:21050", "{told}");
    }
}
