//! What the system says of the process: start, processor time, memory, file descriptors.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// What the system says of the process. What it does not say is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ProcessReading {
    /// In seconds since 1970.
    pub started: Option<f64>,
    pub cpu_seconds: Option<f64>,
    pub resident_bytes: Option<u64>,
    pub open_files: Option<usize>,
    pub open_file_limit: Option<u64>,
}

impl ProcessReading {
    pub(super) fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let ticks = |field| Some(stat_field(&stat, field)? as f64 / clock_ticks_per_second() as f64);
        Self {
            started: ticks(START).zip(boot_time()).map(|(since_boot, boot)| boot + since_boot),
            cpu_seconds: ticks(USER_TIME).zip(ticks(KERNEL_TIME)).map(|(user, kernel)| user + kernel),
            resident_bytes: stat_field(&stat, RESIDENT_PAGES).map(|pages| pages * page_size() as u64),
            // Reading the folder opens one more.
            open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1)),
            open_file_limit: getrlimit(Resource::Nofile).current,
        }
    }
}

/// Returns a field by its number in proc(5). What comes before the third may hold spaces and parentheses.
fn stat_field(stat: &str, number: usize) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// Returns when the machine was started, in seconds since 1970.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

const USER_TIME: usize = 14;
const KERNEL_TIME: usize = 15;
const START: usize = 22;
const RESIDENT_PAGES: usize = 24;

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn system_says_all_of_it() {
        let reading = ProcessReading::now();
        let started = UNIX_EPOCH + Duration::from_secs_f64(reading.started.unwrap());
        assert!(started.elapsed().unwrap_or_default() < Duration::from_secs(3600), "{reading:?}");
        assert!(reading.cpu_seconds.is_some() && reading.resident_bytes > Some(1 << 20), "{reading:?}");
        assert!(reading.open_files >= Some(3) && reading.open_file_limit > Some(3), "{reading:?}");
    }

    #[test]
    fn field_is_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a b) c) S 1 2 3";
        assert_eq!((stat_field(stat, 4), stat_field(stat, 6), stat_field(stat, 9)), (Some(1), Some(3), None));
        assert_eq!(stat_field("", 4), None);
    }
}
