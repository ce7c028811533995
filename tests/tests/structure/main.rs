//! The structure of the source code, checked over its text: no circle of modules, no file of more than 400 lines of
//! code, no folder of more than 12 entries, dependencies of crates in one direction only, and documents that name what
//! exists.
//!
//! A file or a folder may give a good reason for its size in its header, see [`size`]. Circles and dependencies have no
//! exceptions.

mod circles;
mod crates;
mod documents;
mod pages;
mod quotes;
mod rust;
mod size;
mod tree;

use std::path::{Path, PathBuf};

use harness::paths;

/// Fails with all findings, and not only with the first.
#[track_caller]
fn assert_none(findings: Vec<String>, rule: &str) {
    assert!(
        findings.is_empty(),
        "{} {rule}:\n{}\n",
        findings.len(),
        findings.join("\n")
    );
}

fn members() -> Vec<String> {
    crates::members(paths::repository())
}

#[test]
fn no_modules_of_a_crate_import_each_other_in_a_circle() {
    let repository = paths::repository();
    let findings = members()
        .iter()
        .flat_map(|member| tree::roots(repository, Path::new(member)))
        .flat_map(|root| {
            circles::find(&circles::without_own_files(rust::imports(
                repository, &root,
            )))
        })
        .collect();
    assert_none(findings, "circles of modules");
}

#[test]
fn no_modules_of_the_page_import_each_other_in_a_circle() {
    let imports = pages::imports(paths::repository(), "monitor/src/page/assets");
    assert!(imports.len() > 20, "the page's modules are not found");
    assert_none(circles::find(&imports), "circles of the page's modules");
}

#[test]
fn no_file_holds_more_than_400_lines_of_code() {
    assert_none(size::long_files(paths::repository()), "files are too long");
}

#[test]
fn no_folder_holds_more_than_12_entries() {
    assert_none(
        size::full_folders(paths::repository()),
        "folders are too full",
    );
}

#[test]
fn programs_depend_on_common_and_common_on_no_program() {
    assert_none(
        crates::wrong_dependencies(paths::repository()),
        "dependencies run the wrong way",
    );
}

#[test]
fn links_in_documents_lead_somewhere() {
    assert_none(
        documents::broken_links(paths::repository()),
        "links lead nowhere",
    );
}

#[test]
fn files_that_documents_name_exist() {
    assert_none(
        documents::missing_files(paths::repository()),
        "files are named and missing",
    );
}

#[test]
fn types_and_functions_that_documents_name_are_defined() {
    // A document may name the test of a promise.
    let folders = |member: &String| ["src", "tests"].map(|folder| Path::new(member).join(folder));
    let sources: Vec<PathBuf> = members().iter().flat_map(folders).collect();
    assert_none(
        documents::missing_names(paths::repository(), &sources),
        "names are not defined",
    );
}

#[test]
fn messages_that_documents_quote_are_in_the_programs() {
    let document = paths::repository().join("docs/guide/TROUBLESHOOTING.md");
    let document = std::fs::read_to_string(document).expect("a document");
    assert_none(
        quotes::unknown(&document, &quotes::sources(paths::repository())),
        "messages are quoted that no program has",
    );
}
