//! After an upgrade: the new process lists, ends and drains the connections of processes that drain.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lb::{PATIENCE, Pronk, done, free_port, passthrough, refused, until};
use crate::peers::{connect, echo_member, echoes, try_connect, wait_for_end};

/// A pronk with one virtual server, and connections that were made before an upgrade.
struct Lab {
    pronk: Pronk,
    address: SocketAddr,
    member: String,
}

impl Lab {
    fn start() -> Self {
        Self::with_drain_timeout(3600)
    }

    /// A pronk that drains for so many seconds when it is stopped.
    fn with_drain_timeout(seconds: u32) -> Self {
        let (member, address) = (echo_member(), SocketAddr::from(([127, 0, 0, 1], free_port())));
        let command = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let pronk = Pronk::start_with(command, seconds, |_| passthrough(member, &address.to_string()));
        Self { pronk, address, member: format!("a:{}", member.port()) }
    }

    /// A client whose connection has a member.
    fn client(&self) -> TcpStream {
        let mut client = connect(self.address);
        assert!(echoes(&mut client));
        client
    }

    fn connections(&self) -> Value {
        serde_json::from_str(&done(&self.pronk, &["show", "connections", "--json"])).unwrap()
    }

    /// The open connections: the number and the process of each.
    fn rows(&self) -> Vec<(u64, u64)> {
        let number = |row: &Value, key: &str| row[key].as_u64().unwrap();
        let list = self.connections();
        let rows = list["connections"].as_array().unwrap().iter();
        rows.map(|row| (number(row, "id"), number(row, "pid"))).collect()
    }
}

/// Kills a process, and waits until nobody answers at its socket: on a busy machine it may answer once more.
fn kill(pid: u32, socket: &Path) {
    send("KILL", pid);
    until("the killed process is gone", || UnixStream::connect(socket).is_err());
}

fn send(signal: &str, pid: u32) {
    assert!(Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap().success());
}

fn is_reset(client: &mut TcpStream) -> bool {
    client.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn connections_of_all_processes_are_listed_and_each_can_be_ended() {
    let lab = Lab::start();
    let mut pids = vec![lab.pronk.pid()];
    let mut clients = vec![lab.client()];
    for _ in 0..2 {
        pids.push(lab.pronk.upgrade());
        clients.push(lab.client());
    }
    let rows = lab.rows();
    let of: Vec<_> = rows.iter().map(|(_, pid)| *pid as u32).collect();
    assert_eq!(of, pids, "the oldest first: {rows:?}");
    let ids: Vec<_> = rows.iter().map(|(id, _)| *id).collect();
    assert!(ids[0] < 1_000_000 && ids[1] > 1_000_000 && ids[2] > 2_000_000, "each process has its own: {ids:?}");
    let table = done(&lab.pronk, &["show", "connections"]);
    assert!(table.contains("Process") && table.contains("3 connections"), "{table}");
    assert!(pids.iter().all(|pid| table.contains(&pid.to_string())), "{table}");
    let first = done(&lab.pronk, &["show", "connections", "--limit", "1", "--json"]);
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["total"], first["connections"].as_array().unwrap().len()), (&3.into(), 1));
    assert_eq!(first["connections"][0]["pid"], pids[0]);
    let top = done(&lab.pronk, &["show", "connections", "--top"]);
    assert!(top.contains("3 connections") && top.contains("127.0.0.1  3"), "{top}");

    let id = ids[0].to_string();
    let told = done(&lab.pronk, &["kill", "--connection", &id, "--reason", "runaway"]);
    assert_eq!(told, format!("1 connection ended; 1 of them in process {}\n", pids[0]));
    assert!(is_reset(&mut clients[0]));
    let record = lab.pronk.closed("killed");
    let detail = record["close.detail"].as_str().unwrap();
    assert!(detail.contains(": runaway") && detail.contains("uid "), "{record}");
    assert_eq!(detail.matches("uid").count(), 1, "whoever asked is named, not the process in between: {record}");
    assert_eq!(record["connection_id"], ids[0]);
    assert!(echoes(&mut clients[1]) && echoes(&mut clients[2]));

    let told = done(&lab.pronk, &["kill", "--member", &lab.member, "--dry-run"]);
    assert_eq!(told, format!("2 connections would be ended; 1 of them in process {}\n", pids[1]));
    done(&lab.pronk, &["kill", "--member", &lab.member]);
    assert!(is_reset(&mut clients[1]) && is_reset(&mut clients[2]));
    until("none is left", || lab.rows().is_empty());
}

/// The new process answers a moment before the old one has an admin socket of its own.
#[test]
fn old_process_is_found_from_the_moment_the_new_one_answers() {
    for _ in 0..5 {
        let lab = Lab::start();
        let (_client, old) = (lab.client(), lab.pronk.pid());
        lab.pronk.signal("USR2");
        let mut list = Value::Null;
        until("the new process answers", || {
            list = lab.connections();
            lab.pronk.log().iter().any(|line| line["message"] == "the new process serves; this one drains")
        });
        let line = lab.pronk.logged("an upgrade", |line| line["message"] == "the new process serves; this one drains");
        lab.pronk.adopt(line["pid"].as_u64().unwrap() as u32);
        let rows = lab.rows();
        assert_eq!((rows.len(), rows[0].1), (1, u64::from(old)));
        assert_eq!((&list["total"], &list["connections"][0]["pid"]), (&1.into(), &old.into()), "{list}");
    }
}

#[test]
fn drain_ends_connections_in_the_process_that_has_them() {
    let lab = Lab::start();
    let (mut first, old) = (lab.client(), lab.pronk.pid());
    lab.pronk.upgrade();
    let second = lab.client();
    let told = done(&lab.pronk, &["drain", "member", &lab.member, "--no-wait"]);
    assert!(told.contains(&format!("2 connections left; 1 of them in process {old}")), "{told}");
    drop(second);
    // What is put back into service is drained nowhere any more.
    done(&lab.pronk, &["drain", "member", &lab.member, "--deadline", "1h", "--no-wait"]);
    let state = done(&lab.pronk, &["state", "show"]);
    assert!(state.contains("1 connection left, the oldest"), "{state}");
    done(&lab.pronk, &["enable", "member", &lab.member]);
    let state = done(&lab.pronk, &["state", "show"]);
    assert!(!state.contains("drained by"), "the old process has given the drain up: {state}");
    assert!(echoes(&mut first));

    let told = done(&lab.pronk, &["drain", "member", &lab.member, "--idle-only", "--idle-for", "1s"]);
    assert!(told.ends_with("is drained: no connection is left\n"), "{told}");
    assert!(is_reset(&mut first));
    assert_eq!(lab.pronk.closed("drain-idle")["connection_id"], 1);
    until("the old process has ended", || !done(&lab.pronk, &["show", "map"]).contains("has handed over"));
}

#[test]
fn drain_that_waits_goes_on_over_an_upgrade() {
    let lab = Lab::start();
    let client = lab.client();
    let waiting = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["drain", "member", &lab.member])
        .env("PRONK_ADMIN_SOCKET", lab.pronk.folder.path().join("admin.sock"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until("it is drained", || done(&lab.pronk, &["state", "show"]).contains("drained by"));
    lab.pronk.upgrade();
    let state = done(&lab.pronk, &["state", "show"]);
    assert!(state.contains("drained by") && state.contains("1 connection left"), "{state}");
    drop(client);
    let output = waiting.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.ends_with("is drained: no connection is left\n"), "{told}");
}

/// It has no connection to accept, and the destination is the new process's.
#[test]
fn process_that_drains_follows_changes_and_listens_for_nothing() {
    let lab = Lab::start();
    let mut client = lab.client();
    let old = lab.pronk.pid();
    lab.pronk.upgrade();
    done(&lab.pronk, &["offline", "vs", "vs"]);
    until("nothing listens", || try_connect(lab.address).is_err());
    let own = lab.pronk.folder.path().join(format!("admin.sock.{old}"));
    let state = |words: &str| {
        let mut map = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let map = map.args(["show", "map"]).env("PRONK_ADMIN_SOCKET", &own).output().unwrap();
        String::from_utf8(map.stdout).unwrap().contains(words)
    };
    assert!(state("forced offline (set by"));
    done(&lab.pronk, &["enable", "vs", "vs"]);
    assert!(!state("forced offline (set by"));
    let pid = lab.pronk.upgrade();
    assert!(echoes(&mut client) && echoes(&mut connect(lab.address)));
    let rows = lab.rows();
    assert!(rows.iter().all(|(_, of)| *of == u64::from(old) || *of == u64::from(pid)), "{rows:?}");
}

#[test]
fn process_that_hangs_is_told_of_and_holds_nothing_else_up() {
    let lab = Lab::start();
    let (old, mut held) = (lab.pronk.pid(), lab.client());
    lab.pronk.upgrade();
    let (middle, mut other) = (lab.connections()["connections"][0]["pid"].clone(), lab.client());
    assert_eq!(middle, old);
    lab.pronk.upgrade();
    let _own = lab.client();
    let reported = format!("process {old}, has handed over and drains 1 ");
    until("its connections are reported", || done(&lab.pronk, &["show", "map"]).contains(&reported));
    assert_eq!(lab.rows().len(), 3);
    send("STOP", old);
    let (began, list) = (Instant::now(), lab.connections());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(list["total"], 2);
    let asked = list["processes"].as_array().unwrap();
    assert_eq!((&asked[0]["pid"], &asked[0]["connections"]), (&old.into(), &1.into()), "{list}");
    assert!(asked[0]["error"].as_str().unwrap().contains("does not answer within"), "{list}");
    assert_eq!(asked[1]["error"], Value::Null);
    let table = done(&lab.pronk, &["show", "connections"]);
    assert!(table.contains(&format!("process {old}, which drains, is left out")), "{table}");
    for args in
        [["show", "connections", "--pool", "x"], ["drain", "node", "x", "--no-wait"], ["enable", "node", "x", ""]]
    {
        let args: Vec<_> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let told = refused(&lab.pronk, &args);
        assert!(
            told.contains("there is no") && told.contains(&format!("; process {old}, which drains, may know it")),
            "{told}"
        );
    }
    until("the map tells that it hangs", || done(&lab.pronk, &["show", "map"]).contains("it hangs: nothing was heard"));
    // More than wait in the queue of its socket, in which changes have to find room.
    for _ in 0..150 {
        let list = lab.connections();
        assert!(list["processes"][0]["error"].as_str().unwrap().contains("it hangs: nothing was heard"), "{list}");
    }

    let killed = lab.pronk.command(&["kill", "--member", &lab.member]);
    let told = String::from_utf8_lossy(&killed.stderr).into_owned();
    assert_eq!(killed.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("process {old}, which drains, is left out")), "{told}");
    assert!(told.contains("it had 1 connections in all"), "{told}");
    assert!(is_reset(&mut other), "the others are asked all the same");
    let cleared = lab.pronk.command(&["state", "clear", "--all"]);
    assert_eq!(String::from_utf8_lossy(&cleared.stdout), "nothing was set\n");
    assert!(String::from_utf8_lossy(&cleared.stderr).contains("warning: process"), "{cleared:?}");
    let drained = lab.pronk.command(&["drain", "member", &lab.member]);
    let told = String::from_utf8_lossy(&drained.stdout).into_owned();
    assert_eq!(drained.status.code(), Some(1), "{told}");
    assert!(told.contains("drained as far as is known") && told.contains(&format!("process {old}")), "{told}");
    let enabled = lab.pronk.command(&["enable", "member", &lab.member]);
    assert!(enabled.status.success() && String::from_utf8_lossy(&enabled.stderr).contains("warning: process"));

    send("CONT", old);
    until("it reports again", || !done(&lab.pronk, &["show", "map"]).contains("it hangs"));
    // What it was asked while it was stopped it does now, as every change that was begun.
    until("it has done what it was asked", || lab.rows().iter().all(|(_, pid)| *pid != u64::from(old)));
    assert!(is_reset(&mut held));
}

#[test]
fn process_that_dies_is_asked_no_more() {
    let lab = Lab::start();
    let (old, _held) = (lab.pronk.pid(), lab.client());
    lab.pronk.upgrade();
    assert_eq!(lab.rows().len(), 1);
    let socket = lab.pronk.folder.path().join(format!("admin.sock.{old}"));
    assert!(socket.exists());
    kill(old, &socket);
    let list = lab.connections();
    assert_eq!((&list["total"], list["processes"].as_array().unwrap().len()), (&0.into(), 0), "{list}");
    let told = done(&lab.pronk, &["drain", "member", &lab.member]);
    assert!(told.ends_with("is drained: no connection is left\n"), "{told}");
    until("its admin socket is removed", || !socket.exists());
}

#[test]
fn connection_to_the_admin_socket_that_is_kept_open_closes_with_its_next_answer() {
    let lab = Lab::start();
    let _client = lab.client();
    let old = lab.pronk.pid();
    let connect = || {
        let socket = UnixStream::connect(lab.pronk.folder.path().join("admin.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    let ask = |socket: &mut UnixStream, headers: &str| {
        write!(socket, "GET /v1/stop HTTP/1.1\r\nhost: pronk\r\n{headers}\r\n").unwrap();
    };
    let mut kept = connect();
    ask(&mut kept, "");
    let mut first = [0; 4096];
    let read = kept.read(&mut first).unwrap();
    let first = String::from_utf8_lossy(&first[..read]).into_owned();
    assert!(first.contains(&format!("\"pid\":{old},")) && !first.contains("connection: close"), "{first}");
    let new = lab.pronk.upgrade();
    ask(&mut kept, "");
    let mut last = String::new();
    kept.read_to_string(&mut last).unwrap();
    assert!(last.contains("connection: close") && last.contains(&format!("\"pid\":{old},")), "{last}");
    let (mut again, mut answer) = (connect(), String::new());
    ask(&mut again, "connection: close\r\n");
    again.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&format!("\"pid\":{new},")), "{answer}");
}

/// The file of the new process has other names.
#[test]
fn what_only_the_old_file_has_is_found_in_the_old_process() {
    let lab = Lab::start();
    let (old, mut client) = (lab.pronk.pid(), lab.client());
    let file = lab.pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("p: {", "q: {").replace("pool: p", "pool: q")).unwrap();
    lab.pronk.upgrade();
    let listed = done(&lab.pronk, &["show", "connections", "--pool", "p"]);
    assert!(listed.contains("1 connection\n") && listed.contains(&old.to_string()), "{listed}");
    let none = lab.pronk.command(&["show", "connections", "--pool", "r"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no pool `r`"));
    let member = format!("p/{}", lab.member);
    let drained = done(&lab.pronk, &["drain", "member", &member, "--deadline", "1s"]);
    assert!(drained.contains("is drained: no connection is left"), "{drained}");
    assert!(is_reset(&mut client));
}

#[test]
fn stop_ends_all_processes_within_its_time() {
    let lab = Lab::start();
    let (old, mut first) = (lab.pronk.pid(), lab.client());
    let middle = lab.pronk.upgrade();
    let _second = lab.client();
    let new = lab.pronk.upgrade();
    let waiting = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["stop", "--drain-timeout", "1s"])
        .env("PRONK_ADMIN_SOCKET", lab.pronk.folder.path().join("admin.sock"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_end(&mut first);
    let output = waiting.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    for (pid, left) in [(old, "1 connection"), (middle, "1 connection")] {
        assert!(told.contains(&format!("process {pid}, which drains, stops too, with {left} left")), "{told}");
    }
    assert!(told.ends_with(&format!("pronk (process {new}) has ended\n")), "{told}");
    for pid in [middle, new] {
        // One that has ended may be a zombie, which has no arguments.
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(arguments.is_empty(), "{pid}");
    }
}

/// The commands of before go to nobody then.
#[test]
fn stop_that_is_left_while_the_old_process_drains_tells_how_to_end_that() {
    let lab = Lab::start();
    let (old, mut client) = (lab.pronk.pid(), lab.client());
    let new = lab.pronk.upgrade();
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["stop", "--drain-timeout", "1h"])
        .env("PRONK_ADMIN_SOCKET", lab.pronk.folder.path().join("admin.sock"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(waiting.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(&format!("pronk (process {new}) has ended, and process {old} drains")) {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0);
    }
    send("INT", waiting.id());
    line.clear();
    told.read_to_string(&mut line).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(130));
    let (_, command) = line.split_once(&format!("process {old} goes on draining; `pronk ")).unwrap();
    let args: Vec<_> = command.split_once('`').unwrap().0.split(' ').collect();
    let ended = Command::new(env!("CARGO_BIN_EXE_pronk")).args(args).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    wait_for_end(&mut client);
}

/// Nobody says how long: as long as a stop takes by the options that pronk was started with.
#[test]
fn stop_without_a_time_shortens_the_drain_of_the_old_process() {
    let lab = Lab::with_drain_timeout(1);
    let (old, mut client) = (lab.pronk.pid(), lab.client());
    lab.pronk.upgrade();
    let told = done(&lab.pronk, &["stop", "--no-wait"]);
    assert!(told.contains(&format!("process {old}, which drains, stops too")), "{told}");
    // It would have a day otherwise.
    wait_for_end(&mut client);
    lab.pronk.closed("drained");
}

#[test]
fn longer_time_of_a_stop_does_not_lengthen_the_drain_of_the_old_process() {
    let lab = Lab::start();
    let mut client = lab.client();
    done(&lab.pronk, &["upgrade", "--drain-timeout", "1s"]);
    done(&lab.pronk, &["stop", "--drain-timeout", "1h", "--no-wait"]);
    wait_for_end(&mut client);
    lab.pronk.closed("drained");
}

/// Whoever names a member without its pool means its port, whatever pools are called in other files.
#[test]
fn member_without_its_pool_is_that_of_every_pool_of_the_old_process() {
    let lab = Lab::start();
    let file = lab.pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with_another =
        text.replace("pools: { p: {", &format!("pools: {{ other: {{ members: ['{}'] }}, p: {{", lab.member));
    std::fs::write(&file, with_another).unwrap();
    done(&lab.pronk, &["reload"]);
    let mut client = lab.client();
    std::fs::write(&file, text.replace("p: {", "q: {").replace("pool: p", "pool: q")).unwrap();
    lab.pronk.upgrade();
    let drained = done(&lab.pronk, &["drain", "member", &lab.member, "--deadline", "1s"]);
    assert!(drained.contains("1 connection left") || drained.contains("1 of them in process"), "{drained}");
    assert!(drained.contains(&format!("member q/{} is drained: no connection is left", lab.member)), "{drained}");
    assert!(is_reset(&mut client));
}

/// What is not clear is not carried out anywhere.
#[test]
fn unclear_name_changes_nothing_in_any_process() {
    let lab = Lab::start();
    let mut client = lab.client();
    let file = lab.pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with_another =
        text.replace("pools: { p: {", &format!("pools: {{ other: {{ members: ['{}'] }}, p: {{", lab.member));
    std::fs::write(&file, with_another).unwrap();
    lab.pronk.upgrade();
    for args in [["offline", "member", &lab.member].as_slice(), &["drain", "member", &lab.member, "--deadline", "0s"]] {
        let why = refused(&lab.pronk, args);
        assert!(why.contains("several pools have the member") && why.contains("other/"), "{why}");
    }
    assert!(!done(&lab.pronk, &["state", "show"]).contains("offline"));
    assert!(echoes(&mut client));
}

/// Only a process that has handed over is asked by another one in the name of somebody.
#[test]
fn request_in_the_name_of_somebody_is_refused_by_the_process_that_serves() {
    let lab = Lab::start();
    let mut socket = UnixStream::connect(lab.pronk.folder.path().join("admin.sock")).unwrap();
    let head = "POST /v1/stop?by=alice HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\npronk-forwarded-for-role: admin\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    lab.client();
}

#[test]
fn process_that_starts_after_a_crash_names_those_that_still_drain() {
    let port = free_port();
    let pronk = Pronk::start(|_| passthrough(echo_member(), &format!("127.0.0.1:{port}")));
    let mut open = connect(([127, 0, 0, 1], port).into());
    assert!(echoes(&mut open));
    let crashed = pronk.upgrade();
    let folder = pronk.folder.path();
    kill(crashed, &folder.join("admin.sock"));

    let log = folder.join("again.log");
    let mut again = Command::new(env!("CARGO_BIN_EXE_pronk"));
    again.arg("run").arg(folder.join("pronk.yaml")).arg("--admin-socket").arg(folder.join("admin.sock"));
    let mut again = again.stderr(File::create(&log).unwrap()).spawn().unwrap();
    pronk.adopt(again.id());
    let (pid, of_first) = (format!(" pid={} ", pronk.pid()), folder.join(format!("admin.sock.{}", pronk.pid())));
    until("the log names the process that drains", || {
        let log = std::fs::read_to_string(&log).unwrap();
        let line = log.lines().find(|line| line.contains(" WARN ") && line.contains("still drains"));
        line.is_some_and(|line| line.contains(&pid) && line.contains(&*of_first.to_string_lossy()))
    });
    assert!(echoes(&mut open) && of_first.exists());
    again.kill().unwrap();
    again.wait().unwrap();
}
