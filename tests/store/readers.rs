//! Entries that are read while they are replaced.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pronk::cert::entry::{CERT, CHAIN, KEY};
use pronk::cert::{Identity, KeyType, PrivateKey};
use pronk::store::{Change, Names, Writer, self_signed};

use crate::Bench;
use crate::support::ca::{Authority, pem_of};

#[test]
fn reader_has_the_old_files_or_the_new_ones_and_never_a_mix() {
    let bench = Bench::new();
    let store = bench.path("certs");
    // Both with the same key, so that only the chain tells which certificate it belongs to.
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let names = Names::of_server(Some("lb.example.com"), &[], &[]).unwrap();
    let chains = ["one", "two"].map(|name| {
        let leaf = self_signed(&names, &key, (1_600_000_000, 3_600_000_000)).unwrap();
        [leaf, Authority::new(name).certificate().clone()]
    });
    let changes = chains.each_ref().map(|[leaf, above]| {
        let change = Change::default().set(CERT, pem_of(std::slice::from_ref(leaf)));
        change.set(CHAIN, pem_of(std::slice::from_ref(above))).set_secret(KEY, key.pem(None).unwrap())
    });
    Writer::open(&store).unwrap().put("lb", &changes[0]).unwrap();

    let (done, read) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let found = crate::identity(&store, "lb");
                    let whole = |found: &Identity| chains.iter().any(|chain| found.chain() == chain);
                    if !found.as_ref().is_ok_and(whole) {
                        done.store(true, Ordering::Relaxed);
                        panic!("after {} reads: {found:?}", read.load(Ordering::Relaxed));
                    }
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for turn in 0.. {
            if done.load(Ordering::Relaxed) || (turn > 300 && read.load(Ordering::Relaxed) > 300) {
                break;
            }
            Writer::open(&store).unwrap().put("lb", &changes[turn % 2]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn eight_writers_at_once_all_get_their_turn() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let bench = &bench;
            scope.spawn(move || {
                for _ in 0..4 {
                    bench.cert(&format!("create shared --dns writer{at}.example.com --replace")).done();
                    bench.cert(&format!("create own{at} --dns writer{at}.example.com --replace")).done();
                }
            });
        }
    });
    assert_eq!(bench.files("certs").len(), 10, "{:?}", bench.files("certs"));
    bench.assert_pair("shared");
    assert_eq!(bench.cert("check").code, Some(0));
}

#[test]
fn writer_that_waits_too_long_says_for_whom() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    let lock = File::open(bench.path("certs/.lock")).unwrap();
    lock.lock().unwrap();
    let error = bench.cert("create other --dns lb.example.com").refused();
    assert!(error.contains("another pronk has been writing to certs/.lock"), "{error}");
    lock.unlock().unwrap();
    bench.cert("create other --dns lb.example.com").done();
}
