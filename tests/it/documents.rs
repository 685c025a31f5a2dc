//! What the documents promise is tested: every test that they name exists.

use std::fs;
use std::path::Path;

/// Words in backquotes that look like the name of a test: a sentence of at least six words.
fn named_tests(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.matches('_').count() >= 5
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    quoted.filter(is_name).collect()
}

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    let mut missing = Vec::new();
    let mut found = 0;
    for entry in fs::read_dir(root.join("docs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .chain([root.join("README.md")])
    {
        let text = fs::read_to_string(&entry).unwrap();
        for name in named_tests(&text) {
            let stands = [format!("fn {name}("), format!("fn {name}<")]
                .iter()
                .any(|form| code.contains(form));
            if stands {
                found += 1;
            } else {
                missing.push(format!("{}: {name}", entry.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(
        found > 20,
        "the documents name only {found} tests: does this test still find them?"
    );
}
