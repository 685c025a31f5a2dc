//! The pages in a real browser: each file of `tests/browser` is a test here, run by Node's own test runner against the executable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What a person has to do when a tool is missing. Nothing is left out in silence.
const TOOLS: &str = "the tests of pages need Node 18 or later, npm and Chromium: scripts/test installs them (Debian: \
                     apt-get install nodejs npm chromium)";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

pub(crate) fn run(command: &mut Command) -> Output {
    let name = format!("{command:?}");
    command
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}; {TOOLS}"))
}

pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .join("\n")
}

/// The packages of `tests/browser`, once for all its files, exactly as its lock file names them.
fn packages() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        let mut command = Command::new("npm");
        command.args(["ci", "--no-audit", "--no-fund"]);
        let output = run(command.current_dir(folder()));
        assert!(output.status.success(), "npm ci: {}", said(&output));
    });
}

/// Runs one file; its whole report is shown when a test in it fails or none ran.
fn passes(file: &str) {
    packages();
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=tap", file])
        .current_dir(folder());
    let output = run(command.env("CONNECTOR_BIN", env!("CARGO_BIN_EXE_cleeng-connector")));
    assert_all_pass(file, &output);
}

/// What Node's test runner said in TAP: something ran, and all of it passed.
pub(crate) fn assert_all_pass(what: &str, output: &Output) {
    let report = said(output);
    let counted = |name: &str| {
        let after = report.lines().find_map(|line| line.strip_prefix(name));
        after.and_then(|count| count.parse::<u32>().ok())
    };
    let passed = counted("# pass ").unwrap_or_default();
    let left_out = ["# fail ", "# skipped ", "# todo ", "# cancelled "].map(counted);
    let all = output.status.success() && passed > 0 && left_out == [Some(0); 4];
    assert!(all, "{what}: {report}");
}

#[test]
fn the_demos_page_pays_in_a_browser() {
    passes("demo.test.mjs");
}

#[test]
fn the_checkout_charges_once_whatever_happens_in_the_browser() {
    passes("checkout.test.mjs");
}

#[test]
fn the_console_shows_and_does_what_an_operator_needs_in_a_browser() {
    passes("console.test.mjs");
}

#[test]
fn each_file_of_the_browsers_tests_is_run() {
    let here = include_str!("browser.rs");
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed = here.contains(&format!("passes(\"{name}\")"));
        assert!(
            listed || !name.ends_with(".test.mjs"),
            "{name} is not run: add it here"
        );
    }
}
