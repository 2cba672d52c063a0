//! The house rules that a machine can check (DESIGN §6): sizes, headers, names, who may import whom, twin migrations.

use std::path::{Path, PathBuf};

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;
const BANNED_NAMES: [&str; 4] = ["util", "helper", "manager", "common"];

/// Rooms, and what they may not name.
const ROOMS: [(&str, &[&str]); 12] = [
    ("src/types", &["crate::", "sqlx", "tonic", "prost", "tokio"]),
    (
        "src/rating",
        &[
            "crate::ledger",
            "crate::store",
            "crate::intake",
            "crate::coverage",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "sqlx",
            "tonic",
            "prost",
            "tokio",
            "async ",
        ],
    ),
    (
        "src/ledger",
        &[
            "crate::rating",
            "crate::store",
            "crate::intake",
            "crate::coverage",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "sqlx",
            "tonic",
            "prost",
            "tokio",
            "async ",
        ],
    ),
    (
        "src/store",
        &[
            "crate::rating",
            "crate::intake",
            "crate::coverage",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "crate::config",
            "tonic",
            "prost",
        ],
    ),
    (
        "src/intake",
        &[
            "crate::coverage",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "crate::config",
            "sqlx",
            "tonic",
            "prost",
        ],
    ),
    (
        "src/statement",
        &[
            "crate::intake",
            "crate::coverage",
            "crate::audit",
            "crate::api",
            "crate::config",
            "sqlx",
            "tonic",
            "prost",
        ],
    ),
    (
        "src/audit",
        &[
            "crate::intake",
            "crate::coverage",
            "crate::statement",
            "crate::api",
            "crate::config",
            "sqlx",
            "tonic",
            "prost",
        ],
    ),
    (
        "src/coverage",
        &[
            "crate::intake",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "crate::config",
            "sqlx",
            "tonic",
            "prost",
        ],
    ),
    ("src/api", &["sqlx", "crate::config", "crate::app", "crate::command"]),
    ("src/command", &["sqlx", "crate::rating", "crate::ledger"]),
    (
        "src/telemetry",
        &[
            "crate::rating",
            "crate::ledger",
            "crate::store",
            "crate::intake",
            "crate::coverage",
            "crate::statement",
            "crate::audit",
            "crate::api",
            "crate::config",
            "sqlx",
            "prost::",
        ],
    ),
    ("src/clock.rs", &["sqlx", "tonic"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this ending, by their path from the root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.retain(|path| path.extension().is_some_and(|e| e == ending));
    found.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    found.into_iter().map(named).collect()
}

fn rust() -> Vec<(String, String)> {
    let rust: Vec<_> =
        ["src", "tests", "benches", "proto"].iter().flat_map(|folder| files(folder, "rs")).collect();
    assert!(rust.len() > 80, "the files are found");
    rust
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

#[test]
fn files_and_functions_fit() {
    for (name, text) in rust() {
        let lines = text.lines().filter(|line| is_code(line)).count();
        assert!(lines <= MAX_FILE_LINES, "{name} has {lines} lines of code");
        let mut function: Option<(String, usize, usize)> = None;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            let starts =
                line.contains("fn ") && line.trim_end().ends_with('{') || line.trim_start().starts_with("fn ");
            match &mut function {
                None if starts && is_code(line) => function = Some((line.trim().to_owned(), indent, 1)),
                Some((head, depth, lines)) => {
                    *lines += usize::from(is_code(line));
                    assert!(
                        *lines <= MAX_FUNCTION_LINES,
                        "{name}: {head} has more than {MAX_FUNCTION_LINES} lines"
                    );
                    if indent <= *depth && line.trim_start().starts_with('}') {
                        function = None;
                    }
                }
                None => {}
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (name, text) in rust() {
        assert!(text.starts_with("//! "), "{name} begins with a //! header");
    }
    for folder in ["migrations/postgres", "migrations/sqlite"] {
        for (name, text) in files(folder, "sql") {
            assert!(text.starts_with("-- "), "{name} begins with a comment");
        }
    }
}

#[test]
fn names_say_something() {
    for (name, _) in rust().into_iter().chain(files("src", "sql")) {
        let said = name.to_lowercase();
        assert!(!BANNED_NAMES.iter().any(|banned| said.contains(banned)), "{name}");
    }
}

#[test]
fn migrations_are_twins() {
    let names = |store: &str| -> Vec<String> {
        let folder = format!("migrations/{store}");
        files(&folder, "sql").into_iter().map(|(name, _)| name.replace(&folder, "")).collect()
    };
    assert_eq!(names("postgres"), names("sqlite"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn rooms_keep_to_themselves() {
    let rust = rust();
    for (room, forbidden) in ROOMS {
        let inside: Vec<_> = rust.iter().filter(|(name, _)| name.starts_with(room)).collect();
        assert!(!inside.is_empty(), "{room} is there");
        for (name, text) in inside {
            let code = text.split("#[cfg(test)]").next().unwrap();
            for line in code.lines().filter(|line| is_code(line)) {
                for word in forbidden {
                    let allowed = room == "src/types" && line.contains("super::");
                    assert!(allowed || !line.contains(word), "{name} names {word}: {}", line.trim());
                }
            }
        }
    }
    for (name, text) in rust.iter().filter(|(name, _)| name.starts_with("src/")) {
        let generated = text.contains("include_proto!");
        assert!(!generated || name.starts_with("src/api/"), "{name}: generated code only under api/");
    }
}
