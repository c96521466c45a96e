//! Ports of different protocols of Impala in one pool, and behind one destination.

use super::said;

/// What is said of a pool with these members and these keys of a monitor of type impala, at a destination's port.
fn of(members: &str, port: u16, monitor: &str) -> Vec<String> {
    said(&format!(
        "nodes: {{ a: {{ address: 10.1.1.1 }}, b: {{ address: 10.1.1.2 }} }}
pools: {{ p: {{ members: [{members}], monitors: m }} }}
monitors: {{ m: {{ type: impala, {monitor} }} }}
virtual-servers: {{ vs: {{ destination: '10.0.0.1:{port}', pool: p }} }}
"
    ))
}

#[test]
fn port_of_another_protocol_is_told_by_pool_and_by_virtual_server() {
    let crossed = |port, clients, member, speaks| {
        vec![format!(
            "4:39 warning: virtual server `vs` is at port {port}, where clients speak {clients}, and its member {member} \
             speaks {speaks}"
        )]
    };
    let mixed = |one, speaks, other, other_speaks| {
        vec![format!("2:24 warning: pool `p` mixes protocols: {one} speaks {speaks}, and {other} {other_speaks}")]
    };
    let (hs2, beeswax, http) = ("HiveServer2", "Beeswax", "HiveServer2 over HTTP");
    for (members, port, monitor, expected) in [
        ("a:21050, b:21050", 21050, "", vec![]),
        ("a:21050, b:21050", 443, "", vec![]),
        ("a:21051, b:21051", 21050, "", vec![]),
        ("a:28000", 28000, "", vec![]),
        ("a:21000, b:21000", 21050, "", crossed(21050, hs2, "a:21000", beeswax)),
        ("a:28000", 21050, "", crossed(21050, hs2, "a:28000", http)),
        ("a:21050", 21000, "", crossed(21000, beeswax, "a:21050", hs2)),
        ("a:21050", 28000, "", crossed(28000, http, "a:21050", hs2)),
        ("a:21050, b:21000", 21050, "", mixed("a:21050", hs2, "b:21000", beeswax)),
        ("a:28000, b:21050", 443, "", mixed("a:28000", http, "b:21050", hs2)),
        // A monitor may know better.
        ("a:21000, b:21050", 21050, "protocol: hs2", vec![]),
        ("a:21051", 21050, "protocol: beeswax", crossed(21050, hs2, "a:21051", beeswax)),
    ] {
        assert_eq!(of(members, port, monitor), expected, "{members} {port} {monitor}");
    }
}
