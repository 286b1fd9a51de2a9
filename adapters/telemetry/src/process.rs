//! What the kernel knows of this process, under the names that every Prometheus client uses.

use std::fs;

/// The unit of times in `/proc/PID/stat`: `USER_HZ`, 100 on all of Linux's common architectures.
const TICKS_PER_SECOND: u64 = 100;

/// The process's own metrics in Prometheus' text format; what cannot be read (elsewhere than on Linux) is left out.
pub(crate) fn render() -> String {
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let stat = stat.as_deref().and_then(Stat::parse);
    [
        metric(
            "process_cpu_seconds_total",
            "counter",
            "User and system time spent, in seconds.",
            stat.as_ref().map(|stat| seconds(stat.cpu)),
        ),
        metric("process_resident_memory_bytes", "gauge", "Resident memory, in bytes.", resident_bytes()),
        metric("process_open_fds", "gauge", "Open file descriptors.", open_files()),
        metric("process_max_fds", "gauge", "How many file descriptors may be open.", most_files()),
        metric(
            "process_start_time_seconds",
            "gauge",
            "When the process started, in seconds since the Unix epoch.",
            stat.and_then(|stat| Some(seconds(boot_seconds()?.checked_mul(TICKS_PER_SECOND)? + stat.started))),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The two times of `/proc/PID/stat` that are of interest, in ticks.
#[derive(Debug, PartialEq)]
struct Stat {
    /// Spent in user and system mode.
    cpu: u64,
    /// From boot to the start of the process.
    started: u64,
}

fn metric(name: &str, kind: &str, help: &str, value: Option<String>) -> Option<String> {
    value.map(|value| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"))
}

fn seconds(ticks: u64) -> String {
    format!("{}.{:02}", ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: u64 = word_after(&status, "VmRSS:")?.parse().ok()?;
    Some((kibibytes * 1024).to_string())
}

fn open_files() -> Option<String> {
    // One of them is the directory being read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1).to_string())
}

fn most_files() -> Option<String> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    match word_after(&limits, "Max open files")? {
        "unlimited" => Some("+Inf".into()),
        number => Some(number.into()),
    }
}

fn boot_seconds() -> Option<u64> {
    word_after(&fs::read_to_string("/proc/stat").ok()?, "btime")?.parse().ok()
}

/// The first word behind `label` on the line that starts with it.
fn word_after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(label))?.split_whitespace().next()
}

// === impl Stat ===

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The program's name, in parentheses, may hold spaces and parentheses; behind the last one comes field 3.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self { cpu: field(14)? + field(15)?, started: field(22)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_moves_no_field() {
        let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 10 0 0 0 250 50 0 0 20 0 1 0 123456 1000 100";
        assert_eq!(Stat::parse(text), Some(Stat { cpu: 300, started: 123_456 }));
        assert_eq!(Stat::parse("7 (short) S 1"), None);
    }

    #[test]
    fn ticks_are_hundredths() {
        assert_eq!(seconds(123_405), "1234.05");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let text = render();
        for name in ["cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds"] {
            let value = text.lines().find_map(|line| line.strip_prefix(&format!("process_{name} ")));
            assert!(value.is_some_and(|value| value.parse::<f64>().is_ok()), "{name} in {text}");
        }
    }
}
