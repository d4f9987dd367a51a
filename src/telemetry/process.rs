//! What the system knows about this process.

/// Resident memory in bytes, from `/proc`; none where there is no such thing.
pub fn resident_bytes() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn resident_memory_is_read_from_the_status_file() {
        assert_eq!(
            super::parse("VmPeak:\t 9 kB\nVmRSS:\t    5120 kB\n"),
            Some(5_242_880)
        );
        assert_eq!(super::parse("nothing"), None);
    }
}
