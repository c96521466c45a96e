//! The priority of threads that carry no connections.

use rustix::process::setpriority_process;

/// Lowers the priority of the calling thread below that of threads that carry connections. For threads that read files
/// and derive keys, which takes long in any case.
pub fn lower_thread_priority() {
    // On Linux the priority is the thread's own. Where it cannot be lowered, the scheduler shares evenly.
    let _ = setpriority_process(None, NICE);
}

/// About a tenth of the share of a thread with the usual priority (sched(7), "The nice value").
const NICE: i32 = 10;
