//! Where this process's threads may run, as Linux tells.

/// The CPUs of each thread of such a name.
pub(crate) fn cpus_of(is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path());
    let meant = threads.filter(|path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| is_meant(name.trim_end()))
    });
    let status = meant.filter_map(|path| std::fs::read_to_string(path.join("status")).ok());
    let cpus = status.filter_map(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.map(|cpus| cpus.trim().to_owned())
    });
    cpus.collect()
}
