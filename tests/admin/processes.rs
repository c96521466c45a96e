//! After an upgrade, what is asked of the new process is asked of the one that drains too, in the name of who asks.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use super::lab::{Lab, fresh_address};
use super::support::lb::{PATIENCE, until};

/// A client that stays in a process that drains.
fn client_before_an_upgrade(lab: &Lab) -> (TcpStream, u32) {
    let listening = lab.pronk.logged("a port", |line| line["message"] == "listening" && line["virtual_server"] == "vs");
    let address: SocketAddr = listening["address"].as_str().unwrap().parse().unwrap();
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    until("it is accepted", || lab.socket().get("/v1/connections", "").json()["total"] == 1);
    (client, lab.pronk.upgrade())
}

#[test]
fn who_asks_over_the_network_is_named_by_the_process_that_does_it() {
    let lab = Lab::plain();
    let (mut client, new) = client_before_an_upgrade(&lab);
    let old = lab.pronk.pid();
    let list = lab.over_plain().get("/v1/connections", &lab.viewer).json();
    assert_eq!((&list["total"], &list["connections"][0]["pid"]), (&1.into(), &old.into()), "{list}");
    let kill = "/v1/connections/kill?virtual_server=vs&by=alice&reason=new%20disk";
    assert_eq!(lab.over_plain().post(kill, &lab.viewer).code, 403);
    let killed = lab.over_plain().post(kill, &lab.operator).json();
    assert_eq!((&killed["connections"], &killed["processes"][0]["pid"]), (&1.into(), &old.into()), "{killed}");
    assert!(client.read(&mut [0]).is_err());
    let record = lab.pronk.closed("killed");
    assert_eq!(record["close.detail"], "by alice (token operator): new disk (phase first-byte)");
    let records = || {
        let all =
            lab.audit().into_iter().filter(|it| it["outcome"] == "done" && it["what"].to_string().contains("kill"));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|it| it["pid"] == new);
        all
    };
    until("both processes have recorded it", || records().len() == 2);
    for (record, (pid, from)) in records().iter().zip([(old, "socket"), (new, "127.0.0.1")]) {
        assert_eq!((&record["pid"], &record["who"]), (&pid.into(), &"alice (token operator)".into()), "{record}");
        assert_eq!((&record["role"], &record["why"]), (&"operator".into(), &"new disk".into()), "{record}");
        assert!(record["from"].as_str().unwrap().starts_with(from), "{record}");
    }
}

#[test]
fn client_of_the_network_cannot_say_that_it_passes_something_on() {
    let lab = Lab::plain();
    let bearer = format!("Bearer {}", lab.viewer);
    let headers = [("authorization", bearer.as_str()), ("pronk-forwarded-for-role", "admin")];
    let refused = lab.over_plain().ask_from(fresh_address(), "POST", "/v1/reload?by=root", &headers);
    assert_eq!(refused.code, 403);
    until("it is recorded as the viewer's", || {
        lab.audit().iter().any(|it| it["who"] == "token viewer" && it["role"] == "viewer" && it["outcome"] == "refused")
    });
    // Nor can a user of this machine: no process passes anything on to one that serves.
    let header = [("pronk-forwarded-for-role", "admin")];
    let refused = lab.socket().ask_from(fresh_address(), "POST", "/v1/reload?by=root", &header);
    assert_eq!(refused.code, 403);
    let of_user =
        |it: &serde_json::Value| it["who"].as_str().unwrap().starts_with("uid ") && it["outcome"] == "refused";
    until("the user is named", || lab.audit().iter().any(of_user));
}
