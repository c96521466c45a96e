//! Entries that are read while they are replaced.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pronk::cert::store::{CERT, Change, KEY, Writer};

use crate::Bench;
use crate::support::ca::{LeafBuilder, pem_of};

#[test]
fn reader_has_the_old_files_or_the_new_ones_and_never_a_mix() {
    let bench = Bench::new();
    let store = bench.path("certs");
    let changes: Vec<_> = (0..2)
        .map(|_| {
            let leaf = LeafBuilder::self_signed("lb.example.com").dns("lb.example.com").build();
            let key = pkcs8::der::pem::encode_string("PRIVATE KEY", pkcs8::LineEnding::LF, leaf.key_der().secret_der());
            Change::default().set(CERT, pem_of(&leaf.chain)).set(KEY, key.unwrap())
        })
        .collect();
    Writer::open(&store).unwrap().put("lb", &changes[0]).unwrap();

    let (done, read) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if let Err(errors) = crate::identity(&store, "lb") {
                        done.store(true, Ordering::Relaxed);
                        panic!("after {} reads: {errors:?}", read.load(Ordering::Relaxed));
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
