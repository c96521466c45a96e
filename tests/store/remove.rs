//! `pronk cert remove`.

use crate::Bench;

#[test]
fn entry_in_use_stays() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    bench.cert("create spare --dns lb.example.com").done();
    bench.write("pronk.yaml", crate::CONFIG);
    for line in ["remove lb --config pronk.yaml", "remove lb"] {
        let error = bench.cert(line).refused();
        assert!(error.contains("used in pronk.yaml by profile front of vs-1"), "{error}");
    }
    bench.cert("remove spare").done();
    assert_eq!(bench.files("certs"), [".lock", "lb"]);
    bench.write("pronk.yaml", "nonsense: 1\n");
    assert!(bench.cert("remove lb").refused().contains("cannot tell whether pronk.yaml uses it"));
    bench.cert("remove lb --force").done();
    assert_eq!(bench.files("certs"), [".lock"]);
    assert!(bench.cert("remove lb --force").refused().contains("the store is empty"));
}

#[test]
fn authority_stays_while_it_has_leaves() {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name ca").done();
    bench.cert("create lb --dns lb.example.com --ca ca").done();
    assert!(bench.cert("remove ca").refused().contains("\"ca\" has signed lb"));
    bench.cert("remove lb").done();
    bench.cert("remove ca").done();
}
