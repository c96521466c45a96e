use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// Raises the limit on open files to the hard limit, as every connection takes two descriptors, and returns what then
/// holds; `None` is no limit.
pub fn raise_open_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// Lets the calling thread have less of the processors than those that carry connections. For threads that read files
/// and derive keys: what they do takes long in any case.
pub fn lower_thread_priority() {
    // On Linux the priority is the thread's own. Where it cannot be lowered, the scheduler shares evenly.
    let _ = setpriority_process(None, NICE);
}

/// About a tenth of the share of a thread with the usual priority (sched(7), "The nice value").
const NICE: i32 = 10;
