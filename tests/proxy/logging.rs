//! A log that nobody reads, that cannot be written, or that logrotate moves: what it may cost, and what it may not.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lb::{LOG_VARIABLE, Pronk, free_port, passthrough, until};
use crate::peers::{connect, echo_member, reset};
use crate::support::ca::Authority;

fn config(member: SocketAddr, port: u16) -> String {
    passthrough(member, &format!("127.0.0.1:{port}"))
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn pronk() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pronk"))
}

/// pronk with a log file, by a shell that does this first.
fn pronk_with_file(log: &Path, first: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{first} exec \"$0\" \"$@\" --log-file \"$LOG\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_pronk")]).env("LOG", log);
    command
}

/// pronk with both of its outputs in a pipe, and the pipe's other end. What writes to the pipe waits for room, or does not,
/// as when another process has left it so.
fn pronk_into_pipe(waits: bool) -> (Command, PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, !waits).unwrap();
    let mut command = pronk();
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    (command, reader)
}

fn echoes(client: &mut TcpStream) {
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
}

fn serve(port: u16, connections: usize) {
    (0..connections).for_each(|_| echoes(&mut connect(at(port))));
}

/// Waits for something that connections may bring about.
fn while_serving(what: &str, port: u16, mut happened: impl FnMut() -> bool) {
    until(what, || {
        serve(port, 1);
        happened()
    });
}

/// Every line of a log file; each has to be whole.
fn lines(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("torn: {line}"))).collect()
}

fn says(log: &Path, message: &str) -> bool {
    lines(log).iter().any(|line| line["message"].as_str().is_some_and(|said| said.starts_with(message)))
}

/// How many lines were lost as the log tells.
fn told(lines: &[Value]) -> u64 {
    let losses = lines.iter().filter(|line| line["target"] == "pronk::log::lost");
    losses.map(|line| line["lost"].as_u64().unwrap()).sum()
}

fn ends_in_time(mut pronk: Pronk) {
    let since = Instant::now();
    pronk.signal("TERM");
    assert!(pronk.ended().success());
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
}

#[test]
fn connections_go_on_when_nobody_reads_the_log() {
    for (closed, waits) in [(false, true), (false, false), (true, true)] {
        let (member, port) = (echo_member(), free_port());
        let (command, reader) = pronk_into_pipe(waits);
        let pronk = Pronk::start_unread(command, |_| config(member, port));
        let mut reader = Some(reader);
        if closed {
            reader = None;
        }
        let mut open = connect(at(port));
        echoes(&mut open);
        serve(port, 400);
        echoes(&mut open);
        assert!(pronk.command(&["show", "map"]).status.success());
        pronk.signal("USR1");
        assert!(pronk.command(&["reload"]).status.success());
        drop(open);
        ends_in_time(pronk);
        drop(reader);
    }
}

#[test]
fn all_but_the_log_goes_on_when_it_cannot_be_written() {
    let (member, port, second) = (echo_member(), free_port(), free_port());
    let probed = TcpListener::bind("127.0.0.1:0").unwrap();
    let probed_at = probed.local_addr().unwrap();
    let watched = format!(
        "{}monitors: {{ quick: {{ type: tcp, interval: 100ms, timeout: 1s }} }}\n",
        config(member, port).replace(
            "] } }\nvirtual",
            &format!("] }}, q: {{ monitors: [quick], members: ['a:{}'] }} }}\nvirtual", probed_at.port())
        )
    )
    .replace("pool: p }", &format!("pool: p }}, watched: {{ destination: '127.0.0.1:{}', pool: q }}", free_port()));
    let mut command = pronk();
    command.stderr(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let pronk = Pronk::start_unread(command, |_| watched);
    let mut open = connect(at(port));
    echoes(&mut open);
    let watched_is = |availability: &str| {
        let map = pronk.command(&["show", "map", "--json"]).stdout;
        let map: Value = serde_json::from_slice(&map).unwrap();
        let servers = map["virtual_servers"].as_array().unwrap();
        let server = servers.iter().find(|server| server["name"] == "watched").unwrap();
        server["pool"]["members"][0]["status"]["availability"] == availability
    };
    while_serving("the member is up", port, || watched_is("available"));
    drop(probed);
    while_serving("the member is down", port, || watched_is("offline"));
    let _probed = TcpListener::bind(probed_at).unwrap();
    while_serving("the member is up again", port, || watched_is("available"));
    let file = pronk.folder.path().join("pronk.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&format!("127.0.0.1:{port}'"), &format!("127.0.0.1:{second}'"))).unwrap();
    pronk.signal("HUP");
    until("SIGHUP is obeyed", || TcpStream::connect(at(second)).is_ok());
    serve(second, 10);
    echoes(&mut open);
    drop(open);
    ends_in_time(pronk);
}

#[test]
fn lines_that_could_not_be_written_are_told_once_others_can() {
    let (member, port) = (echo_member(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let (log, free) = (folder.path().join("pronk.log"), folder.path().join("free.log"));
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let pronk = Pronk::start_unread(pronk_with_file(&log, ""), |_| config(member, port));
    serve(port, 20);
    std::os::unix::fs::symlink(&free, folder.path().join("new")).unwrap();
    fs::rename(folder.path().join("new"), &log).unwrap();
    pronk.signal("USR1");
    until("the file is reopened", || says(&free, "log file reopened"));
    serve(port, 5);
    until("every connection is written or told as lost", || {
        let lines = lines(&free);
        let closed = lines.iter().filter(|line| line["close.code"].is_string()).count();
        told(&lines) > 0 && closed as u64 + told(&lines) >= 25
    });
    let lines = lines(&free);
    let telling = lines.iter().find(|line| line["target"] == "pronk::log::lost").unwrap();
    let said = telling["message"].as_str().unwrap();
    assert!(said.ends_with("they could not be written: no space left on device"), "{said}");
    ends_in_time(pronk);
}

/// The file reaches a limit in the middle of the first line.
#[test]
fn line_that_was_written_in_part_tears_no_other() {
    let (member, port) = (echo_member(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("pronk.log");
    fs::write(&log, "{}\n".repeat(100 * 512 / 3 - 10)).unwrap();
    // In blocks of 512 bytes.
    let pronk = Pronk::start_unread(pronk_with_file(&log, "ulimit -f 100;"), |_| config(member, port));
    until("the file is full", || fs::metadata(&log).unwrap().len() == 100 * 512);
    serve(port, 20);
    lines(&log);
    // As logrotate does with `copytruncate`.
    fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    serve(port, 1);
    until("the loss is told", || told(&lines(&log)) > 0);
    ends_in_time(pronk);
}

#[test]
fn log_file_that_is_moved_is_reopened_on_request_and_by_itself() {
    let (member, port) = (echo_member(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let log = logs.join("pronk.log");
    let pronk = Pronk::start_unread(pronk_with_file(&log, ""), |_| config(member, port));
    until("the start is logged", || says(&log, "serving"));

    fs::rename(&log, logs.join("1")).unwrap();
    pronk.signal("USR1");
    until("SIGUSR1 is obeyed", || says(&log, "log file reopened"));
    assert!(says(&logs.join("1"), "serving"));

    fs::rename(&log, logs.join("2")).unwrap();
    while_serving("a new file by itself", port, || says(&log, "log file reopened"));
    fs::remove_file(&log).unwrap();
    while_serving("a new file after a removal", port, || says(&log, "log file reopened"));

    let gone = folder.path().join("gone");
    fs::rename(&logs, &gone).unwrap();
    while_serving("it says so in the old file", port, || says(&gone.join("pronk.log"), "cannot reopen the log file"));
    serve(port, 10);
    pronk.signal("USR1");
    serve(port, 10);
    fs::create_dir(&logs).unwrap();
    while_serving("a new file in a new folder", port, || says(&log, "log file reopened"));
    let refusals = lines(&gone.join("pronk.log")).into_iter();
    let refusals = refusals.filter(|line| line["message"].as_str().unwrap().starts_with("cannot reopen")).count();
    assert_eq!(refusals, 1, "one cause is told once");
    ends_in_time(pronk);
    assert!(says(&log, "stopped"), "the end is written");
    let files = [logs.join("1"), logs.join("2"), gone.join("pronk.log"), log];
    assert_eq!(files.iter().map(|file| told(&lines(file))).sum::<u64>(), 0, "nothing was lost");
}

#[test]
fn loss_is_told_exactly_when_the_reader_returns() {
    // More lines than find room: 8,192 wait, as many are being written, and the pipe has 64 KiB.
    const NODES: usize = 20_000;
    // Of each node that is new, of the record of the reload, and of three connections.
    const LINES: u64 = NODES as u64 + 1 + 3;
    for waits in [true, false] {
        let (member, port) = (echo_member(), free_port());
        let (command, reader) = pronk_into_pipe(waits);
        let pronk = Pronk::start_unread(command, |_| config(member, port));
        let file = pronk.folder.path().join("pronk.yaml");
        let nodes: String = (0..NODES).map(|node| format!(", n{node}: {{ address: 10.0.0.1 }}")).collect();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("{ address: 127.0.0.1 }", &format!("{{ address: 127.0.0.1 }}{nodes}"))).unwrap();
        assert!(pronk.command(&["reload"]).status.success());
        serve(port, 3);

        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or_else(|_| panic!("torn: {line}")));
            }
        });
        let mut read: Vec<Value> = Vec::new();
        let known = |read: &[Value]| {
            let is_of_reload =
                |line: &Value| line["record"].as_str().is_some_and(|record| record.contains("/v1/reload"));
            let written = read
                .iter()
                .filter(|line| line["message"] == "changed" || line["close.code"].is_string() || is_of_reload(line));
            written.count() as u64 + told(read)
        };
        until("every line is read or told as lost", || {
            read.extend(incoming.try_iter());
            known(&read) >= LINES
        });
        ends_in_time(pronk);
        read.extend(incoming.iter());
        assert_eq!(known(&read), LINES, "waits: {waits}");
        assert!(told(&read) > 0, "waits: {waits}");
        assert_eq!(read.last().unwrap()["message"], "stopped", "waits: {waits}");
    }
}

/// As keepalived, HAProxy and load balancers of clouds look at a port, every few seconds.
#[test]
fn probes_that_connect_and_leave_are_counted_and_write_no_line() {
    let (member, port, tls_port) = (echo_member(), free_port(), free_port());
    let mut command = pronk();
    command.env_remove(LOG_VARIABLE);
    let pronk = Pronk::start_by(command, |folder| {
        Authority::new("ca").issue("lb.example.test").dns("lb.example.test").build().write(folder, "lb");
        format!(
            "{}  tls: {{ destination: '127.0.0.1:{tls_port}', pool: p, client-ssl: front }}
profiles: {{ front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }} }}
",
            config(member, port).replace("virtual-servers: { vs: {", "virtual-servers:\n  vs: {").replace("p } }", "p }")
        )
    });
    for number in 0..100 {
        let probe = connect(at(if number % 2 == 0 { port } else { tls_port }));
        if number % 4 < 2 {
            reset(&probe);
        }
    }
    let count = |code: &str| {
        let counts = pronk.stats()["virtual_servers"].as_array().unwrap().clone();
        counts.iter().filter_map(|row| row["closes"][code].as_u64()).collect::<Vec<_>>()
    };
    until("all are counted", || count("client-left-silent") == [25, 25] && count("client-reset-silent") == [25, 25]);
    let shown = String::from_utf8(pronk.command(&["show", "stats"]).stdout).unwrap();
    assert_eq!(shown.matches("client-left-silent 25, client-reset-silent 25\n").count(), 2, "{shown}");
    // Whoever sends something has a line, which is behind theirs.
    serve(port, 1);
    pronk.closed("client-fin");
    let lines = pronk.log();
    assert_eq!(lines.iter().filter(|line| line["close.code"].is_string()).count(), 1, "{lines:#?}");
}

#[test]
fn start_says_which_log_file_cannot_be_opened_and_errors_stay_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("pronk.yaml"), folder.path().join("absent/pronk.log"));
    fs::write(&file, config(echo_member(), free_port()).replace("pool: p", "pool: q")).unwrap();
    let run = |log: &Path| {
        let run = pronk().arg("run").arg(&file).arg("--log-file").arg(log).output().unwrap();
        assert_eq!(run.status.code(), Some(1));
        String::from_utf8(run.stderr).unwrap()
    };
    let said = run(&log);
    assert!(said.starts_with(&format!("error: cannot open the log file {}; ", log.display())), "{said}");
    assert!(said.contains("no such file or directory"), "{said}");
    let said = run(&folder.path().join("pronk.log"));
    assert!(said.contains("there is no pool `q`"), "{said}");
}

/// A child that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn panic_in_a_task_goes_to_the_log_past_a_standard_error_that_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("pronk.log");
    let (_reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "logging::panicking_task", "--ignored", "--nocapture"])
        .env("LOG", &log)
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    until("a process of which a task panicked ends", || child.0.try_wait().unwrap().is_some());
    assert!(child.0.wait().unwrap().success());
    let lines = lines(&log);
    let line = lines.iter().find(|line| line["panic"] == "out of cheese").unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!((&line["level"], &line["thread"]), (&Value::from("ERROR"), &Value::from("tokio-rt-worker")));
    assert!(line["at"].as_str().unwrap().contains("logging.rs:"), "{line}");
    assert!(lines.last().unwrap()["message"] == "going on", "{lines:?}");
}

#[test]
#[ignore = "a process of its own for the test above"]
fn panicking_task() {
    let Some(log) = std::env::var_os("LOG") else { return };
    let options = pronk::log::Options {
        format: pronk::log::Format::Json,
        filter: "info".parse().unwrap(),
        target: pronk::log::Target::File(log.into()),
        color: false,
    };
    let (_log, _guard) = pronk::log::start(options).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let ended = runtime.block_on(runtime.spawn(async { panic!("out of cheese") as () }));
    assert!(ended.unwrap_err().is_panic());
    tracing::info!("going on");
}
