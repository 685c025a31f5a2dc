//! Who runs this process, as the operating system knows it: for the operator log.

/// The name of the user; else the number, where the system tells it; else a word that says so.
pub(crate) fn user() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|variable| std::env::var_os(variable)?.into_string().ok())
        .filter(|name| !name.trim().is_empty());
    named
        .or_else(number)
        .unwrap_or_else(|| "unknown".to_owned())
}

/// A process in a container often has no name, and always a number.
#[cfg(target_os = "linux")]
fn number() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let own = std::fs::metadata("/proc/self").ok()?;
    Some(format!("uid {}", own.uid()))
}

#[cfg(not(target_os = "linux"))]
fn number() -> Option<String> {
    None
}
