//! The programs that look at what is not Rust. One that is missing is a failure and says how it is had.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HOW: &str = "run scripts/tools, which installs it (scripts/test does so by itself)";

/// A file of the repository.
pub(crate) fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(at_root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The paths below a folder of the repository whose names end so, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(at_root(folder)).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut paths: Vec<String> = names
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    paths.sort();
    paths
}

/// Prometheus' own tool, from PATH. Standard output and error together when it fails.
pub(crate) fn promtool<S: AsRef<OsStr>>(arguments: &[S]) -> Result<String, String> {
    run(Path::new("promtool"), arguments)
}

/// A program of the Python packages of `scripts/tools`.
pub(crate) fn packaged<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Result<String, String> {
    let program = at_root("target/tools/platform/bin").join(name);
    run(&program, arguments)
}

/// `scripts/chart`.
pub(crate) fn chart<S: AsRef<OsStr>>(arguments: &[S]) -> Result<String, String> {
    run(&at_root("scripts/chart"), arguments)
}

fn run<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(at_root(""))
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; {HOW}", program.display()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stdout) + &text(&output.stderr)),
    }
}
