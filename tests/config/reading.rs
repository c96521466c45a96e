//! A file that is cut short, and one that somebody writes while it is read.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pronk::config;

use super::{GUIDE, SHORT, parse, said};

#[test]
fn guide_cut_short_never_leaves_a_pronk_that_listens_nowhere() {
    let section = GUIDE.find("virtual-servers:").unwrap();
    let line_ends = GUIDE.match_indices('\n').map(|(end, _)| end);
    for cut in line_ends.chain(section..section + 30) {
        for end in ["", "\n"] {
            let Ok(loaded) = parse(&format!("{}{end}", &GUIDE[..cut])) else { continue };
            assert!(!loaded.model.virtual_servers.is_empty(), "cut at byte {cut}");
        }
    }
}

#[test]
fn file_without_virtual_servers_is_refused_with_its_line() {
    let without = SHORT.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let missing = |place: &str| vec![format!("{place} error: `virtual-servers` is missing; the file may be cut short")];
    for (end, expected) in [
        ("", missing("1:1")),
        ("virtual-servers:\n", missing("3:1")),
        ("virtual-servers:  # none\n", missing("3:1")),
        ("virtual-servers: ~\n", missing("3:1")),
        ("virtual-servers: null\n", missing("3:1")),
        ("virtual-servers", vec!["3:1 error: not YAML: a key without its `:`".to_owned()]),
        ("virtual-servers: []\n", vec!["3:18 error: `virtual-servers` is a map by name, found a list".to_owned()]),
        ("virtual-servers: {}\n", vec![]),
    ] {
        assert_eq!(said(&format!("{without}{end}")), expected, "{end:?}");
    }
    assert!(parse(&without).unwrap_err().to_string().contains("write `virtual-servers: {}` if none is meant"));
}

/// Two versions of a file whose halves carry a number each, so that a mix of both shows; all are of one length.
fn halves(number: usize) -> [String; 2] {
    [
        format!("virtual-servers: {{ vs: {{ destination: '10.0.0.1:{number}', pool: p }} }}\n"),
        format!(
            "nodes: {{ n: {{ address: 10.1.1.1 }} }}\n\
             pools: {{ p: {{ description: '{number}', members: ['n:21050'] }} }}\n"
        ),
    ]
}

/// The number of the first half and that of the second.
fn numbers(loaded: &config::Loaded) -> [usize; 2] {
    let server = &loaded.model.virtual_servers["vs"];
    [usize::from(server.destination.port()), server.pool.description.as_deref().unwrap().parse().unwrap()]
}

/// Writes both halves, and returns how long a mix of two versions lay there.
fn write(file: &mut fs::File, number: usize) -> Duration {
    let [first, second] = halves(number);
    let since = Instant::now();
    file.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_micros(100));
    file.write_all(second.as_bytes()).unwrap();
    since.elapsed()
}

/// Ends the writer however the reader ends.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn file_that_is_written_while_it_is_read_is_taken_whole_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pronk.yaml");
    write(&mut fs::File::create(&path).unwrap(), 1);
    let (stop, held_up) = (AtomicBool::new(false), Mutex::new(None));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = fastrand::Rng::with_seed(7);
            while !stop.load(Ordering::Relaxed) {
                if random.u8(..200) == 0 {
                    std::thread::sleep(Duration::from_millis(120));
                }
                let number = random.usize(1..=2);
                let new = path.with_extension("new");
                match random.u8(..3) {
                    0 => drop(write(&mut fs::File::create(&path).unwrap(), number)),
                    1 => {
                        let mut held_up = held_up.lock();
                        let took = write(&mut fs::OpenOptions::new().write(true).open(&path).unwrap(), number);
                        if took > Duration::from_millis(40) {
                            *held_up = Some(Instant::now());
                        }
                    }
                    _ => {
                        write(&mut fs::File::create(&new).unwrap(), number);
                        fs::rename(new, &path).unwrap();
                    }
                }
            }
        });
        let _stop = SetOnDrop(&stop);
        let mut taken = [0; 2];
        let mut reads = 0;
        while taken.iter().sum::<usize>() < 30 || taken.contains(&0) {
            reads += 1;
            assert!(reads < 1000, "each version is read some time: {taken:?}");
            let since = Instant::now();
            if let Ok(loaded) = config::load(&path) {
                let [first, second] = numbers(&loaded);
                // A writer that the machine holds up in the middle leaves a file that lies still.
                let excused = || held_up.lock().is_some_and(|at| at > since);
                assert!(first == second || excused(), "half of {first} and half of {second}");
                taken[first - 1] += 1;
            }
        }
    });
}

#[test]
fn what_comes_through_a_pipe_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pronk.yaml"), SHORT).unwrap();
    for script in [
        "mkfifo pipe; cat pronk.yaml > pipe & exec \"$0\" check pipe",
        "cat pronk.yaml | \"$0\" check /dev/stdin",
        "exec \"$0\" check /dev/stdin < pronk.yaml",
    ] {
        let ran = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_pronk")])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout);
        assert!(out.contains(": ok (1 virtual server, 1 pool, 1 node)"), "{script}: {ran:?}");
    }
}

/// Two names for one port count its limits and its share twice.
#[test]
fn two_members_at_one_port_of_one_address_are_told() {
    for (one, other) in [
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "0:0::1"),
        ("impala.example.com", "IMPALA.example.com"),
    ] {
        let read = |members: &str| {
            let text = format!(
                "nodes: {{ n: {{ address: '{one}' }}, m: {{ address: '{other}' }} }}\n\
                 pools: {{ p: {{ members: [{members}] }} }}\n\
                 virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', pool: p }} }}\n"
            );
            let notes = parse(&text).unwrap().notes;
            notes.render(false)
        };
        let told = read("'n:21050', 'm:21050'");
        assert!(
            told.contains("members `n:21050` and `m:21050` are the same port of the same address"),
            "{one}: {told}"
        );
        assert!(!read("'n:21050', 'm:21000'").contains("same port"), "{one}");
    }
}
