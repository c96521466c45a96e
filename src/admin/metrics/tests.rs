//! What a scrape says of a running controller, and what bounds it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::accept::Exposition;
use super::catalogue::ALL;
use super::scrape::{MOST_SERIES, Scraper};
use crate::control::{Controller, Handle, Inheritance};
use crate::log::Log;
use crate::proxy::Lifecycle;

/// A controller that runs a configuration of this many members in one pool, and virtual servers on it.
async fn running(members: usize, virtual_servers: usize) -> (Handle, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pronk.yaml");
    let keys: Vec<_> = (0..members).map(|at| format!("'a:{}'", at + 1)).collect();
    let mut text = format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: [{}] }} }}\nvirtual-servers:\n",
        keys.join(", ")
    );
    for at in 0..virtual_servers {
        text += &format!("  vs{at}: {{ destination: '127.0.0.1:0', pool: p, connection-limit: 9 }}\n");
    }
    std::fs::write(&file, text).unwrap();
    let lifecycle = Lifecycle::new(tokio::runtime::Handle::current(), Duration::ZERO);
    let (controller, handle) = Controller::new(file, None, lifecycle, Inheritance::default());
    tokio::spawn(controller.run());
    handle.start().await.unwrap();
    (handle, folder)
}

/// The series of each metric, by the name of its family in the Prometheus format.
fn series(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut families = BTreeMap::<String, Vec<String>>::new();
    let mut family = String::new();
    for line in page.lines() {
        if let Some(named) = line.strip_prefix("# TYPE ") {
            family = named.split(' ').next().unwrap().to_owned();
            assert!(families.insert(family.clone(), Vec::new()).is_none(), "{family} is there twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&family), "{line} belongs to no family");
            families.get_mut(&family).unwrap().push(line.to_owned());
        }
    }
    families
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_of_the_catalogue_is_scraped_and_no_other() {
    let (handle, _folder) = running(2, 1).await;
    let page = Scraper::new(handle, Log::for_tests()).text(Exposition::Prometheus).unwrap();
    let scraped: BTreeSet<_> = series(&page).into_keys().collect();
    let declared: BTreeSet<_> = ALL.iter().map(|metric| metric.full_name()).collect();
    assert_eq!(scraped, declared);
    for expected in [
        "pronk_phase{phase=\"serving\"} 1",
        "pronk_phase{phase=\"draining\"} 0",
        "pronk_pool_members{pool=\"p\",availability=\"unknown\"} 2",
        "pronk_member_state{pool=\"p\",member=\"a:2\",state=\"enabled\"} 1",
        "pronk_virtual_server_connection_limit{virtual_server=\"vs0\",mode=\"passthrough\"} 9",
        "pronk_virtual_server_connection_duration_seconds_count{virtual_server=\"vs0\",mode=\"passthrough\"} 0",
        "pronk_config_last_reload_successful 1",
    ] {
        assert!(page.lines().any(|line| line == expected), "{expected} is missing in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_formats_say_the_same() {
    let (handle, _folder) = running(1, 1).await;
    let scraper = Scraper::new(handle, Log::for_tests());
    let openmetrics = scraper.text(Exposition::OpenMetrics).unwrap();
    assert!(openmetrics.ends_with("\n# EOF\n"));
    assert!(openmetrics.contains("# TYPE pronk_virtual_server_traffic_bytes counter\n"), "{openmetrics}");
    assert!(openmetrics.contains("# UNIT pronk_virtual_server_traffic_bytes bytes\n"), "{openmetrics}");
    let prometheus = scraper.text(Exposition::Prometheus).unwrap();
    // What the process itself uses changes between both, and each writes whole fractions in its own way.
    let samples = |page: &str| {
        let is_same = |line: &&str| !["#", "process_"].iter().any(|begin| line.starts_with(begin));
        let samples = page.lines().filter(is_same).filter(|line| !line.contains("_bucket{") && !line.contains("_sum{"));
        samples.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(samples(&openmetrics), samples(&prometheus));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_series_are_left_out_and_counted() {
    let (handle, _folder) = running(50, 3).await;
    let scraper = Scraper::with_most(handle, Log::for_tests(), 40);
    let page = scraper.text(Exposition::Prometheus).unwrap();
    let families = series(&page);
    for (family, series) in &families {
        assert!(series.len() <= 40, "{family} has {}", series.len());
    }
    assert_eq!(families["pronk_member_availability"].len(), 40);
    assert!(families["pronk_member_connections"][39].contains("member=\"a:40\""), "the first are kept");
    let dropped = &families["pronk_metrics_series_dropped"];
    let left_out = |metric: &str, count: usize| {
        let line = format!("pronk_metrics_series_dropped{{metric=\"{metric}\"}} {count}");
        assert!(dropped.contains(&line), "{line} is missing in {dropped:#?}");
    };
    left_out("pronk_member_availability", 160);
    left_out("pronk_member_connections", 10);
    left_out("pronk_member_traffic_bytes_total", 60);
    // A histogram is there wholly or not at all: 19 series of each virtual server.
    left_out("pronk_virtual_server_connect_duration_seconds", 19);
    let unknown = "pronk_pool_members{pool=\"p\",availability=\"unknown\"} 50";
    assert!(page.lines().any(|line| line == unknown), "the pool's own figures are of all members");
}

/// Prints how long a scrape of 10,000 members takes and how large it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrape_of_ten_thousand_members_is_bounded() {
    let (handle, _folder) = running(10_000, 3).await;
    let scraper = Scraper::new(handle, Log::for_tests());
    let mut times = Vec::new();
    let mut page = String::new();
    for _ in 0..5 {
        let began = Instant::now();
        page = scraper.text(Exposition::Prometheus).unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("10,000 members: {} KiB in {:?} (median of 5)", page.len() >> 10, times[2]);
    assert!(series(&page).values().all(|series| series.len() <= MOST_SERIES));
    assert!(page.len() < 8 << 20, "{} bytes", page.len());
    assert!(times[0] < Duration::from_secs(2), "{times:?}");
}
