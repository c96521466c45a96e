//! How the running system changes: reloads, their order, and what may not disturb connections.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::lb::{Pronk, free_port, passthrough, until, with_threads};
use crate::peers::{connect, echo_member};
use crate::support::ca::{Authority, Leaf};

const FRONT: &str = "lb.example.test";

fn write(pronk: &Pronk, text: &str) {
    std::fs::write(pronk.folder.path().join("pronk.yaml"), text).unwrap();
}

fn echoes(stream: &mut TcpStream) {
    stream.write_all(b"hello").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
}

/// Runs a command of pronk's and returns whether it succeeded and what it said.
fn command(pronk: &Pronk, arguments: &[&str]) -> (bool, String) {
    let output = pronk.command(arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(path).status().unwrap().success());
}

/// A configuration whose key is opened by a passphrase that somebody has yet to write into a pipe.
fn with_slow_key(member: SocketAddr, port: u16) -> String {
    passthrough(member, &format!("127.0.0.1:{port}")).replace("pool: p }", "pool: p, client-ssl: slow }")
        + "profiles: { slow: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key, passphrase-file: pass }] } }\n"
}

#[test]
fn connections_go_on_while_a_reload_waits_for_its_files() {
    let (member, port) = (echo_member(), free_port());
    let leaf: Leaf = Authority::new("ca").issue(FRONT).dns(FRONT).build();
    let pronk = Pronk::start_by(with_threads(1), |folder| {
        leaf.write_encrypted(folder, "lb", "secret");
        fifo(&folder.join("pass"));
        passthrough(member, &format!("127.0.0.1:{port}"))
    });
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut client = connect(address);
    echoes(&mut client);
    write(&pronk, &with_slow_key(member, port));
    std::thread::scope(|scope| {
        let reloading = scope.spawn(|| command(&pronk, &["reload"]));
        // Opening the pipe succeeds once the reload reads it, and the reload then waits for what is written.
        let mut pipe = std::fs::OpenOptions::new().write(true).open(pronk.folder.path().join("pass")).unwrap();
        for _ in 0..100 {
            echoes(&mut client);
            echoes(&mut connect(address));
        }
        let (answers, map) = command(&pronk, &["show", "map"]);
        assert!(answers && map.contains("serving"), "{map}");
        if reloading.is_finished() {
            panic!("{:?}", reloading.join());
        }
        pipe.write_all(b"secret\n").unwrap();
        drop(pipe);
        let (reloaded, said) = reloading.join().unwrap();
        assert!(reloaded, "{said}");
    });
    echoes(&mut client);
}

#[test]
fn process_ends_in_order_while_a_reload_waits_for_a_file_that_never_comes() {
    let (member, port) = (echo_member(), free_port());
    let leaf = Authority::new("ca").issue(FRONT).dns(FRONT).build();
    let mut pronk = Pronk::start_with(with_threads(1), 3600, |folder| {
        leaf.write_encrypted(folder, "lb", "secret");
        fifo(&folder.join("pass"));
        passthrough(member, &format!("127.0.0.1:{port}"))
    });
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    echoes(&mut client);
    write(&pronk, &with_slow_key(member, port));
    let asking = std::thread::spawn({
        let socket = pronk.folder.path().join("admin.sock");
        move || {
            let asked = Command::new(env!("CARGO_BIN_EXE_pronk"));
            { asked }.arg("reload").env("PRONK_ADMIN_SOCKET", socket).output().unwrap()
        }
    });
    let _pipe = std::fs::OpenOptions::new().write(true).open(pronk.folder.path().join("pass")).unwrap();
    pronk.signal("TERM");
    let asked = asking.join().unwrap();
    assert!(!asked.status.success());
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(said.contains("a reload is refused: this process drains its connections"), "{said}");
    assert!(TcpStream::connect(client.peer_addr().unwrap()).is_err(), "what waits keeps a socket open");
    echoes(&mut client);
    drop(client);
    assert!(pronk.ended().success());
}

#[test]
fn nothing_listens_again_while_connections_drain() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Command::new(env!("CARGO_BIN_EXE_pronk"));
    let mut pronk = Pronk::start_with(pronk, 3600, |_| passthrough(member, &format!("127.0.0.1:{port}")));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut client = connect(address);
    echoes(&mut client);
    pronk.signal("TERM");
    pronk.logged("draining", |line| line["message"] == "draining");
    for arguments in [&["reload"][..], &["reload", "--dry-run"]] {
        let (reloaded, said) = command(&pronk, arguments);
        assert!(!reloaded && said.contains("this process drains its connections, as it was told to stop"), "{said}");
    }
    let refusals = || {
        let refused =
            |line: &serde_json::Value| line["message"].as_str().is_some_and(|it| it.starts_with("a reload is refused"));
        pronk.log().into_iter().filter(refused).count()
    };
    let before = refusals();
    for signal in ["HUP", "USR1", "USR2"] {
        pronk.signal(signal);
    }
    until("SIGHUP is answered", || refusals() > before);
    let is_refused = |line: &serde_json::Value| {
        line["message"].as_str().is_some_and(|it| it.starts_with("an upgrade is refused: this process drains"))
    };
    pronk.logged("SIGUSR2", is_refused);
    assert!(TcpStream::connect(address).is_err(), "somebody listens");
    let (_, map) = command(&pronk, &["show", "map"]);
    assert!(map.contains("draining"), "{map}");
    echoes(&mut client);
    drop(client);
    assert!(pronk.ended().success());
}

#[test]
fn connections_have_the_whole_drain_time() {
    // Shorter than the time over which the last connections are closed.
    for seconds in [2, 3] {
        let (member, port) = (echo_member(), free_port());
        let pronk = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let mut pronk = Pronk::start_with(pronk, seconds, |_| passthrough(member, &format!("127.0.0.1:{port}")));
        let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
        echoes(&mut client);
        let told = Instant::now();
        pronk.signal("TERM");
        assert!(client.read(&mut [0]).is_err(), "the end is a reset");
        assert!(
            told.elapsed() >= Duration::from_secs(seconds.into()),
            "{seconds} s were promised: {:?}",
            told.elapsed()
        );
        assert!(pronk.ended().success());
    }
}

#[test]
fn second_signal_ends_a_drain_at_once() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Command::new(env!("CARGO_BIN_EXE_pronk"));
    let mut pronk = Pronk::start_with(pronk, 3600, |_| passthrough(member, &format!("127.0.0.1:{port}")));
    let mut clients: Vec<_> = (0..60).map(|_| connect(SocketAddr::from(([127, 0, 0, 1], port)))).collect();
    clients.iter_mut().for_each(echoes);
    pronk.signal("TERM");
    pronk.logged("draining", |line| line["message"] == "draining");
    let told = Instant::now();
    pronk.signal("TERM");
    for client in &mut clients {
        // In order or, as bytes have passed just before, by a reset.
        let _ = client.read(&mut [0]);
    }
    // Spread over five seconds, the last of sixty would end after nearly as many.
    assert!(told.elapsed() < Duration::from_secs(4), "{:?}", told.elapsed());
    assert!(pronk.ended().success());
}

/// What the kernel has accepted is served: clients come and a stop is asked for while the process stands still, so that it
/// meets both at once.
#[test]
fn clients_that_the_kernel_has_accepted_are_served_by_a_listener_that_stops() {
    for _ in 0..5 {
        let (member, port) = (echo_member(), free_port());
        let pronk = Command::new(env!("CARGO_BIN_EXE_pronk"));
        let mut pronk = Pronk::start_with(pronk, 3600, |_| passthrough(member, &format!("127.0.0.1:{port}")));
        pronk.signal("STOP");
        let mut clients: Vec<_> = (0..100).map(|_| connect(SocketAddr::from(([127, 0, 0, 1], port)))).collect();
        pronk.signal("TERM");
        pronk.signal("CONT");
        clients.iter_mut().for_each(echoes);
        drop(clients);
        assert!(pronk.ended().success());
    }
}

/// Two virtual servers swap their destinations and pools, so that each address keeps its pool: nobody meets the other's.
#[test]
fn clients_of_an_address_never_meet_the_pool_of_another() {
    let pool = |answer: u8| {
        crate::peers::member(move |mut stream| {
            let mut buffer = [0; 16];
            while let Ok(1..) = stream.read(&mut buffer) {
                if stream.write_all(&[answer]).is_err() {
                    return;
                }
            }
        })
    };
    let (ports, members) = ([free_port(), free_port()], [pool(b'a'), pool(b'b')]);
    let text = |swapped: bool| {
        let [first, second] = if swapped { [1, 0] } else { [0, 1] };
        format!(
            "nodes: {{ n: {{ address: 127.0.0.1 }} }}
pools: {{ p0: {{ members: ['n:{}'] }}, p1: {{ members: ['n:{}'] }} }}
virtual-servers:
  one: {{ destination: '127.0.0.1:{}', pool: p{first} }}
  two: {{ destination: '127.0.0.1:{}', pool: p{second} }}
",
            members[0].port(),
            members[1].port(),
            ports[first],
            ports[second],
        )
    };
    let pronk = Pronk::start(|_| text(false));
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = [(ports[0], b'a'), (ports[1], b'b'), (ports[0], b'a')]
        .map(|(port, expected)| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut served = 0;
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = connect(SocketAddr::from(([127, 0, 0, 1], port)));
                    let mut answer = [0];
                    stream.write_all(b"?").unwrap();
                    stream.read_exact(&mut answer).unwrap();
                    assert_eq!(answer[0], expected, "port {port}, after {served}");
                    served += 1;
                }
            })
        })
        .into();
    for round in 0..100 {
        write(&pronk, &text(round % 2 == 0));
        let (reloaded, said) = command(&pronk, &["reload"]);
        assert!(reloaded, "{said}");
    }
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
}

/// A file that profiles name hangs while it is looked at for replacements: reloads, which may drop it, go on.
#[test]
fn look_that_hangs_holds_up_no_reload() {
    let (member, port) = (echo_member(), free_port());
    let leaf: Leaf = Authority::new("ca").issue(FRONT).dns(FRONT).build();
    let plain = passthrough(member, &format!("127.0.0.1:{port}"));
    let pronk = Pronk::start(|folder| {
        leaf.write(folder, "lb");
        plain.replace("pool: p }", "pool: p, client-ssl: f }")
            + "profiles: { f: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] } }\n\
               certificate-refresh: 50ms\n"
    });
    let file = pronk.folder.path().join("lb.pem");
    let aside = pronk.folder.path().join("pipe");
    fifo(&aside);
    std::fs::rename(&aside, &file).unwrap();
    // Opening it for writing succeeds once the look reads it.
    let _pipe = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    write(&pronk, &plain);
    let (reloaded, said) = command(&pronk, &["reload"]);
    assert!(reloaded, "{said}");
    echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], port))));
}

#[test]
fn signals_during_the_start_are_answered() {
    for (signal, serves) in [("TERM", false), ("HUP", true)] {
        let folder = tempfile::tempdir().unwrap();
        let leaf: Leaf = Authority::new("ca").issue(FRONT).dns(FRONT).build();
        leaf.write_encrypted(folder.path(), "lb", "secret");
        fifo(&folder.path().join("pass"));
        let (member, port, log) = (echo_member(), free_port(), folder.path().join("log"));
        std::fs::write(folder.path().join("pronk.yaml"), with_slow_key(member, port)).unwrap();
        let mut pronk = Command::new(env!("CARGO_BIN_EXE_pronk"))
            .arg("run")
            .arg(folder.path().join("pronk.yaml"))
            .arg("--admin-socket")
            .arg(folder.path().join("admin.sock"))
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut pipe = std::fs::OpenOptions::new().write(true).open(folder.path().join("pass")).unwrap();
        let kill = |signal: &str| {
            assert!(Command::new("kill").args(["-s", signal, &pronk.id().to_string()]).status().unwrap().success());
        };
        let map = |folder: &Path| {
            let asked = Command::new(env!("CARGO_BIN_EXE_pronk"))
                .args(["show", "map"])
                .env("PRONK_ADMIN_SOCKET", folder.join("admin.sock"))
                .output();
            String::from_utf8(asked.unwrap().stdout).unwrap()
        };
        until("it says that it starts", || map(folder.path()).contains("starting"));
        kill(signal);
        if serves {
            pipe.write_all(b"secret\n").unwrap();
            drop(pipe);
            until("it serves", || map(folder.path()).contains("serving"));
            // The reload that the signal asked for reads the passphrase once more.
            let mut pipe = std::fs::OpenOptions::new().write(true).open(folder.path().join("pass")).unwrap();
            pipe.write_all(b"secret\n").unwrap();
            drop(pipe);
            until("it is reloaded", || std::fs::read_to_string(&log).unwrap().contains("configuration reloaded"));
            kill("TERM");
        }
        assert!(pronk.wait().unwrap().success());
        assert!(!folder.path().join("admin.sock").exists());
    }
}

/// Connects without pause while the destination becomes wider and narrower, and back: nobody is refused or reset.
#[test]
fn overlapping_destinations_are_handed_over_without_a_refusal() {
    let (member, port) = (echo_member(), free_port());
    let mut destinations: Vec<_> = ["127.0.0.1", "0.0.0.0"].map(|ip| format!("{ip}:{port}")).into();
    if TcpListener::bind("[::]:0").is_ok() {
        destinations.push(format!("[::]:{port}"));
    }
    let pronk = Pronk::start(|_| passthrough(member, &destinations[0]));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    echoes(&mut connect(address));
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut order = fastrand::Rng::with_seed(11);
    for round in 0..40 {
        write(&pronk, &passthrough(member, order.choice(&destinations).unwrap()));
        let (dry, said) = command(&pronk, &["reload", "--dry-run"]);
        assert!(dry, "{round}: {said}");
        let (reloaded, said) = command(&pronk, &["reload"]);
        assert!(reloaded, "{round}: {said}");
        let before = served.load(Ordering::Relaxed);
        while served.load(Ordering::Relaxed) < before + 3 {
            assert!(clients.iter().all(|client| !client.is_finished()), "{round}: a client was refused or reset");
            std::thread::yield_now();
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
}

/// What another program holds is refused by a dry run and by a reload alike, and nothing has changed then.
#[test]
fn dry_run_says_what_the_reload_will_say() {
    let (member, port) = (echo_member(), free_port());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let destination = format!("127.0.0.1:{port}");
    let pronk = Pronk::start(|_| passthrough(member, &destination));
    let wider = format!("0.0.0.0:{port}");
    let foreign = taken.local_addr().unwrap().to_string();
    let text = passthrough(member, &wider).replace("virtual-servers: { vs: {", "virtual-servers:\n  vs: {");
    let text = text.replace("pool: p } }", "pool: p }");
    write(&pronk, &format!("{text}  other: {{ destination: '{foreign}', pool: p }}\n"));
    let (dry, of_dry_run) = command(&pronk, &["reload", "--dry-run"]);
    let (reloaded, of_reload) = command(&pronk, &["reload"]);
    assert!(!dry && !reloaded);
    assert_eq!(of_dry_run, of_reload);
    assert!(of_reload.contains("another program listens there"), "{of_reload}");
    echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], port))));
    assert!(TcpStream::connect(("127.0.0.2", port)).is_err(), "the wider destination listens");
    drop(taken);
    for arguments in [&["reload", "--dry-run"][..], &["reload"]] {
        let (done, said) = command(&pronk, arguments);
        assert!(done, "{said}");
    }
    echoes(&mut connect(SocketAddr::from(([127, 0, 0, 2], port))));
}

#[test]
fn reload_goes_on_when_whoever_asked_is_gone() {
    let (member, ports) = (echo_member(), [free_port(), free_port()]);
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{}", ports[0])));
    for round in 0..10 {
        let port = ports[(round + 1) % 2];
        write(&pronk, &passthrough(member, &format!("127.0.0.1:{port}")));
        let mut admin = UnixStream::connect(pronk.folder.path().join("admin.sock")).unwrap();
        admin.write_all(b"POST /v1/reload HTTP/1.1\r\nhost: pronk\r\ncontent-length: 0\r\n\r\n").unwrap();
        drop(admin);
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        until("the reload is carried out", || TcpStream::connect(at(port)).is_ok());
        echoes(&mut connect(at(port)));
        let other = ports[round % 2];
        until("what is not wanted is closed", || TcpStream::connect(at(other)).is_err());
    }
}

#[test]
fn admin_socket_never_takes_the_place_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pronk.yaml");
    let text = passthrough(echo_member(), &format!("127.0.0.1:{}", free_port()));
    std::fs::write(&file, &text).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_pronk")).arg("run").arg(&file).arg("--admin-socket").arg(&file).output();
    let run = run.unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success() && said.contains("there is a file that is not a socket"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn threads_that_cannot_be_had_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pronk.yaml");
    std::fs::write(&file, passthrough(echo_member(), &format!("127.0.0.1:{}", free_port()))).unwrap();
    for threads in ["0", "1025", "100000"] {
        let run = Command::new(env!("CARGO_BIN_EXE_pronk")).arg("run").arg(&file).args(["--threads", threads]).output();
        let run = run.unwrap();
        assert_eq!(run.status.code(), Some(2), "{run:?}");
        assert!(String::from_utf8_lossy(&run.stderr).contains("a whole number from 1 to 1024"), "{run:?}");
    }
}

#[test]
fn system_that_gives_no_threads_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let file = folder.path().join("pronk.yaml");
    let binary = folder.path().join("pronk");
    std::fs::copy(env!("CARGO_BIN_EXE_pronk"), &binary).unwrap();
    std::fs::write(&file, passthrough(echo_member(), &format!("127.0.0.1:{}", free_port()))).unwrap();
    // The limit is on a user's processes, and root has none. Another user than root has some already.
    let (prefix, cases): (&[&str], &[_]) = if rustix::process::geteuid().is_root() {
        let connections = "thread for connections; raise";
        let several = "4 threads for connections; give fewer with --threads, or raise";
        let user = &["setpriv", "--reuid", "65533", "--clear-groups"];
        (user, &[("1", "1", "thread that writes the log; raise"), ("2", "1", connections), ("2", "4", several)])
    } else {
        println!("only root can have another thread refused than the first one");
        (&["env"], &[("1", "1", "thread that writes the log; raise")])
    };
    for (limit, threads, expected) in cases {
        let run = Command::new(prefix[0])
            .args(&prefix[1..])
            .args(["prlimit", &format!("--nproc={limit}")])
            .arg(&binary)
            .arg("run")
            .arg(&file)
            .args(["--threads", threads, "--admin-socket"])
            .arg(folder.path().join("admin.sock"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "limit {limit}, {threads} threads: {said}");
        let error = said.lines().last().unwrap_or_default();
        assert!(error.starts_with("error: cannot start ") && error.contains(expected), "{said}");
        assert!(!said.contains("internal error"), "{said}");
    }
}

#[test]
fn admin_socket_serves_so_many_at_a_time_and_lets_none_stay_for_ever() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{port}")));
    let path = pronk.folder.path().join("admin.sock");
    let silent: Vec<_> = (0..64).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let (answers, said) = command(&pronk, &["show", "map"]);
    assert!(!answers && said.contains("64 connections to the admin socket are open"), "{said}");
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "one that asks nothing is closed");
    }
    let (answers, said) = command(&pronk, &["show", "map"]);
    assert!(answers, "{said}");
}

/// Asks the admin socket as a script would, and returns the status line.
fn ask(pronk: &Pronk, method: &str, path: &str) -> String {
    let mut admin = UnixStream::connect(pronk.folder.path().join("admin.sock")).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    admin.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    admin.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// A key that is spelt otherwise must not turn a dry run into a reload, or a deletion of some into one of all.
#[test]
fn admin_socket_takes_no_key_that_it_does_not_know() {
    let (member, ports) = (echo_member(), [free_port(), free_port()]);
    let pronk = Pronk::start(|_| passthrough(member, &format!("127.0.0.1:{}", ports[0])));
    write(&pronk, &passthrough(member, &format!("127.0.0.1:{}", ports[1])));
    for (method, path) in [
        ("POST", "/v1/reload?dry-run=true"),
        ("POST", "/v1/persistence/delete?virtual-server=vs"),
        ("POST", "/v1/persistence/delete"),
        ("GET", "/v1/persistence?members=a:1"),
        ("GET", "/v1/explain?virtual_server=vs&client=127.0.0.1&port=1"),
        ("POST", "/v1/members/resume?pool=p&member=a:1&all=true"),
    ] {
        let status = ask(&pronk, method, path);
        assert!(status.starts_with("HTTP/1.1 4"), "{method} {path}: {status}");
    }
    // What there is not is told apart from what makes no sense.
    for (query, code) in [
        ("virtual_server=vs&client=127.0.0.1", "200"),
        ("virtual_server=other&client=127.0.0.1", "404"),
        ("virtual_server=vs&client=somebody", "422"),
    ] {
        let status = ask(&pronk, "GET", &format!("/v1/explain?{query}"));
        assert!(status.starts_with(&format!("HTTP/1.1 {code}")), "{query}: {status}");
    }
    echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], ports[0]))));
    assert!(ask(&pronk, "POST", "/v1/persistence/delete?all=true").starts_with("HTTP/1.1 200"));
}
