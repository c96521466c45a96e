//! The process: its start, its signals, its limits, its end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::lb::{PATIENCE, Pronk, free_port, passthrough, until, with_threads};
use crate::peers::{connect, echo_member, echoes};

fn config(member: SocketAddr, port: u16) -> String {
    passthrough(member, &format!("127.0.0.1:{port}"))
}

#[test]
fn drain_has_a_deadline_after_which_connections_are_reset() {
    let (member, port) = (echo_member(), free_port());
    let mut pronk = Pronk::start(|_| config(member, port));
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    pronk.signal("TERM");
    pronk.logged("draining", |line| line["message"] == "draining");
    client.write_all(b"still").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    pronk.closed("drained");
    assert!(pronk.ended().success());
}

#[test]
fn connections_have_as_many_threads_as_were_asked_for() {
    for threads in [1, 3] {
        let (member, port) = (echo_member(), free_port());
        let mut pronk = Pronk::start_with(with_threads(threads), 600, |_| config(member, port));
        assert_eq!(pronk.connection_threads(), threads);

        let mut clients = [(); 8].map(|()| connect(SocketAddr::from(([127, 0, 0, 1], port))));
        for client in &mut clients {
            assert!(echoes(client));
        }
        pronk.signal("TERM");
        pronk.logged("draining", |line| line["message"] == "draining");
        for client in &mut clients {
            assert!(echoes(client), "{threads} threads: a connection goes on while pronk drains");
        }
        // A second signal closes them at once.
        pronk.signal("TERM");
        for client in &mut clients {
            assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
        assert!(pronk.ended().success());
    }
}

#[test]
fn service_manager_is_told_of_start_reload_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let all = std::cell::RefCell::new(Vec::new());
    // What is told beside the phase and the sockets to keep.
    let told = || loop {
        let mut message = [0; 256];
        let count = socket.recv(&mut message).unwrap();
        let message = String::from_utf8_lossy(&message[..count]).into_owned();
        all.borrow_mut().push(message.clone());
        if !message.starts_with("STATUS=") && !message.contains("FDSTORE") {
            return message;
        }
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    command.env("NOTIFY_SOCKET", &path);
    let (member, port) = (echo_member(), free_port());
    let mut pronk = Pronk::start_by(command, |_| config(member, port));
    assert!(told().contains("READY=1"));
    pronk.signal("HUP");
    let reloading = told();
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(told().contains("READY=1"));
    pronk.signal("TERM");
    assert!(told().contains("STOPPING=1"));
    assert!(pronk.ended().success());
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut message = [0; 256];
    while let Ok(count) = socket.recv(&mut message) {
        all.borrow_mut().push(String::from_utf8_lossy(&message[..count]).into_owned());
    }
    let phases: Vec<_> =
        all.take().into_iter().filter_map(|it| Some(it.strip_prefix("STATUS=")?.trim().to_owned())).collect();
    assert!(phases.iter().any(|it| it == "serving") && phases.iter().any(|it| it == "draining"), "{phases:?}");
}

#[test]
fn accepting_goes_on_after_descriptors_ran_out() {
    let (member, port) = (echo_member(), free_port());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 48; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_pronk")]);
    let pronk = Pronk::start_by(command, |_| config(member, port));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    // Whether all of them are let in is not this test's business.
    let crowd = [(); 80].map(|()| TcpStream::connect(address));
    let reported = pronk.logged("the shortage", |line| {
        line["message"].as_str().is_some_and(|it| it.starts_with("pronk is out of file descriptors"))
    });
    assert!(reported["doing"].as_str().is_some_and(|doing| doing.starts_with("accepting a connection")), "{reported}");
    assert!(reported["remedy"].as_str().is_some_and(|remedy| remedy.contains("which is 48")), "{reported}");
    drop(crowd);
    // The descriptors of those who left are free once pronk has seen them leave.
    until("it serves again", || echoes(&mut connect(address)));
}

#[test]
fn admin_socket_is_for_its_owner_alone_and_goes_with_the_process() {
    let (member, port) = (echo_member(), free_port());
    let mut pronk = Pronk::start(|_| config(member, port));
    let path = pronk.folder.path().join("admin.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    pronk.signal("TERM");
    assert!(pronk.ended().success());
    assert!(!path.exists());
    let asked = pronk.command(&["show", "map"]);
    assert!(!asked.status.success());
    assert!(String::from_utf8_lossy(&asked.stderr).contains("no pronk answers at"), "{asked:?}");
}

#[test]
fn start_fails_with_every_reason_when_it_cannot_listen() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pronk.yaml");
    std::fs::write(&file, config(echo_member(), taken.local_addr().unwrap().port())).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .arg("run")
        .arg(&file)
        .arg("--admin-socket")
        .arg(folder.path().join("admin.sock"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success());
    assert!(said.contains("cannot listen on") && said.contains("pronk.yaml:3:"), "{said}");
}

#[test]
fn file_that_is_cut_short_is_refused_by_check_run_and_reload() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| config(member, port));
    let file = pronk.folder.path().join("pronk.yaml");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &whole[..whole.find("virtual-servers").unwrap()]).unwrap();
    let other = pronk.folder.path().join("other.sock");
    for command in [
        &["check", file.to_str().unwrap()][..],
        &["reload"],
        &["run", file.to_str().unwrap(), "--admin-socket", other.to_str().unwrap()],
    ] {
        let refused = pronk.command(command);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{command:?}");
        assert!(said.contains("`virtual-servers` is missing") && said.contains("pronk.yaml:1:1"), "{said}");
    }
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
}
