//! The web client of `clients/web`: it is built, its own tests pass, and what is checked in is what its sources make.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::browser::{assert_all_pass, run, said};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/web")
}

/// The packages of `clients/web`, exactly as its lock file names them; fails with what npm said.
fn packages() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| npm(&["ci", "--no-audit", "--no-fund"]));
}

fn npm(arguments: &[&str]) {
    let mut command = Command::new("npm");
    let output = run(command.args(arguments).current_dir(folder()));
    assert!(
        output.status.success(),
        "npm {arguments:?}: {}",
        said(&output)
    );
}

/// Every script below a folder, by its path in it.
fn scripts(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    found
}

#[test]
fn the_web_client_is_built_and_its_tests_pass() {
    packages();
    npm(&["run", "build"]);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join("test"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=tap"]).args(files);
    assert_all_pass("clients/web", &run(command.current_dir(folder())));
}

#[test]
fn the_types_of_the_web_client_are_those_of_the_openapi_document() {
    packages();
    let here = std::env::temp_dir().join(format!("connector-types-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&here).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cleeng-connector"));
    let document = run(command.arg("openapi"));
    assert!(document.status.success(), "{}", said(&document));
    let (from, to) = (here.join("openapi.json"), here.join("api.ts"));
    std::fs::write(&from, document.stdout).unwrap();
    let mut command = Command::new("node_modules/.bin/openapi-typescript");
    command.arg(&from).arg("--output").arg(&to);
    let output = run(command.current_dir(folder()));
    assert!(output.status.success(), "{}", said(&output));
    let made = std::fs::read_to_string(&to).unwrap();
    std::fs::remove_dir_all(&here).unwrap();
    let kept = std::fs::read_to_string(folder().join("src/api.ts")).unwrap();
    assert!(
        made == kept,
        "src/api.ts is not of this document: cleeng-connector openapi > clients/web/openapi.json, then npm run types \
         and npm run build:example there"
    );
}

#[test]
fn the_scripts_of_the_checkout_are_what_the_compiler_makes() {
    packages();
    let out = std::env::temp_dir().join(format!("connector-web-{}", uuid::Uuid::new_v4()));
    let path = out.display().to_string();
    npm(&["run", "build:example", "--", "--outDir", &path]);
    let (made, kept) = (scripts(&out), scripts(&folder().join("example/built")));
    std::fs::remove_dir_all(&out).unwrap();
    let names = |of: &BTreeMap<PathBuf, String>| of.keys().cloned().collect::<Vec<_>>();
    let advice = "run `npm ci && npm run build:example` in clients/web and commit example/built";
    assert_eq!(names(&made), names(&kept), "{advice}");
    for (name, text) in made {
        assert!(kept[&name] == text, "{} differs: {advice}", name.display());
    }
}
