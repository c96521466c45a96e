//! `pronk lint` on a folder of ten thousand certificates: how long it takes, in time and in CPU time, and how much memory
//! it holds at most; on all processors and on one.

mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SanType, SerialNumber,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use support::contestant::Contestant;
use support::figures::median;
use support::number;

const FRONT_END: &str = "lb.example.com";
/// Every so many certificates one has each of the mistakes.
const MISTAKE_EVERY: usize = 100;

fn main() {
    let (certificates, rounds) = (number("BENCH_CERTIFICATES", 10_000), number("BENCH_ROUNDS", 7));
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let missing = make(folder.path(), certificates);
    println!("\nLint: {certificates} files with two certificates each, made in {:.0?}", started.elapsed());
    println!("  {}\n", Contestant::Pronk.version());
    let processors = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|processor| processors.is_set(*processor)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    println!("  {:<16}{:>22}{:>24}{:>24}", "median (most)", "wall time, s", "CPU time, s", "peak memory, MiB");
    let all = format!("{} processor(s)", processors.count());
    let json: &[&str] = &["--clients", "--format", "json"];
    for (name, set, options) in [
        (all, &processors, &[][..]),
        ("1 processor".into(), &one, &[][..]),
        ("--clients".into(), &processors, &["--clients"][..]),
        ("the same, JSON".into(), &processors, json),
    ] {
        // The first run finds the files in no cache.
        run(folder.path(), missing, set, &processors, options);
        let runs: Vec<_> = (0..rounds).map(|_| run(folder.path(), missing, set, &processors, options)).collect();
        let column = |figure: fn(&Run) -> f64| {
            let figures: Vec<_> = runs.iter().map(figure).collect();
            let most = figures.iter().copied().fold(0.0, f64::max);
            format!("{:.2} ({most:.2})", median(&figures))
        };
        let (wall, cpu, memory) = (column(|run| run.wall), column(|run| run.cpu), column(|run| run.memory));
        println!("  {name:<16}{wall:>22}{cpu:>24}{memory:>24}");
    }
}

struct Run {
    /// Seconds.
    wall: f64,
    /// Seconds in user and kernel mode.
    cpu: f64,
    /// MiB.
    memory: f64,
}

/// Lints the folder once on some processors; `missing` certificates are to be found without the load balancer's name.
fn run(folder: &Path, missing: usize, on: &CpuSet, all: &CpuSet, options: &[&str]) -> Run {
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(Contestant::Pronk.program());
    command.arg("lint").arg(folder).args(["--hostname", FRONT_END]).args(options);
    command.stdin(Stdio::null()).stdout(File::create(output.path()).unwrap());
    let used = children_cpu();
    sched_setaffinity(None, on).unwrap();
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    sched_setaffinity(None, all).unwrap();
    let mut memory = 0.0;
    let status = loop {
        // The mark only rises, so what stood there last is the most; a process that has ended has none.
        memory = high_water_mark(child.id()).unwrap_or(memory);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let wall = started.elapsed().as_secs_f64();
    assert_eq!(status.code(), Some(1), "there are mistakes to be found");
    let found = fs::read_to_string(output.path()).unwrap().matches("san-missing-frontend").count();
    assert!(found >= missing, "{found} of {missing} mistakes were found");
    Run { wall, cpu: children_cpu() - used, memory }
}

/// Seconds of CPU time of children that have ended.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The program's name may hold anything, so fields are counted after it; these are cutime and cstime.
    let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// MiB.
fn high_water_mark(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Writes chains of a leaf and an intermediate authority, and tells how many lack the load balancer's name.
fn make(folder: &Path, count: usize) -> usize {
    let keys: Vec<_> = (0..300)
        .into_par_iter()
        .map(|index| match index % 4 {
            0 => KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap(),
            _ => KeyPair::generate().unwrap(),
        })
        .collect();
    let root = CertifiedIssuer::self_signed(authority("bench root"), KeyPair::generate().unwrap()).unwrap();
    let intermediate =
        CertifiedIssuer::signed_by(authority("bench authority"), KeyPair::generate().unwrap(), &root).unwrap();
    fs::write(folder.join("root.pem"), root.pem()).unwrap();
    let missing = |index: &usize| {
        let node = format!("node{index}.example.com");
        let (common, names) = match index % MISTAKE_EVERY {
            0 => (FRONT_END, vec![node.as_str()]),
            1 => (node.as_str(), vec![FRONT_END, &node]),
            2 => (FRONT_END, vec![]),
            _ => (FRONT_END, vec![FRONT_END, &node]),
        };
        let leaf = leaf(common, &names, *index as u64).signed_by(&keys[index % keys.len()], &intermediate).unwrap();
        fs::write(folder.join(format!("node{index}.pem")), leaf.pem() + &intermediate.pem()).unwrap();
        !names.contains(&FRONT_END)
    };
    (0..count).into_par_iter().filter(missing).count()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(common: &str, names: &[&str], serial: u64) -> CertificateParams {
    let mut params = named(common);
    params.subject_alt_names = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
    params.serial_number = Some(SerialNumber::from(serial + 1));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn named(common: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.use_authority_key_identifier_extension = true;
    params
}
