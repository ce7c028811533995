//! The dependencies between packages: the programs use `common`, and `common` uses no program and no library that only
//! a program needs.

use std::path::Path;

use super::tree;

/// Libraries for programs only: of the command line, the web server, and the view of the machine.
const NOT_FOR_COMMON: [&str; 3] = ["clap", "axum", "sysinfo"];

/// The prefix of the names of this workspace's packages.
const OURS: &str = "ffmpeg-easy-";

fn manifest(path: &Path) -> toml::Table {
    tree::text(path)
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("the manifest is no TOML: {}", path.display()))
}

/// The folders of the workspace's packages.
pub(crate) fn members(repository: &Path) -> Vec<String> {
    let workspace = manifest(&repository.join("Cargo.toml"));
    workspace["workspace"]["members"]
        .as_array()
        .expect("a list of members")
        .iter()
        .filter_map(|member| member.as_str().map(str::to_owned))
        .collect()
}

/// The packages that the code of a manifest needs, without those of its tests, its build and its features: programs and tests
/// turn features on for themselves.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let everywhere = manifest.get("dependencies");
    let by_target = manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(|target| target.get("dependencies"));
    everywhere
        .into_iter()
        .chain(by_target)
        .filter_map(toml::Value::as_table)
        .flatten()
        .filter(|(_, dependency)| !is_optional(dependency))
        .map(|(name, _)| name.clone())
        .collect()
}

fn is_optional(dependency: &toml::Value) -> bool {
    let optional = dependency.get("optional");
    optional.and_then(toml::Value::as_bool).unwrap_or(false)
}

/// A finding for each dependency in the wrong direction. The packages of tests may depend on any other.
pub(crate) fn wrong_dependencies(repository: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for member in members(repository)
        .iter()
        .filter(|member| member.split('/').next() != Some("tests"))
    {
        for dependency in dependencies(&manifest(&repository.join(member).join("Cargo.toml"))) {
            let is_wrong = if member == "common" {
                dependency.starts_with(OURS) || NOT_FOR_COMMON.contains(&dependency.as_str())
            } else {
                dependency.starts_with(OURS) && dependency != format!("{OURS}common")
            };
            if is_wrong {
                findings.push(format!("{member} depends on {dependency}"));
            }
        }
    }
    findings
}

#[test]
fn a_program_that_knows_another_and_a_common_that_knows_a_program_are_found() {
    let folder = tree::made_up(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"common\", \"worker\", \"monitor\", \"tests\"]\n",
        ),
        (
            "common/Cargo.toml",
            "[dependencies]\nserde = \"1\"\n[target.'cfg(unix)'.dependencies]\nclap = \"4\"\n",
        ),
        (
            "worker/Cargo.toml",
            "[dependencies]\nclap = \"4\"\nffmpeg-easy-common = \"1\"\n",
        ),
        (
            "monitor/Cargo.toml",
            "[dependencies]\nffmpeg-easy-worker.workspace = true\n[dev-dependencies]\nffmpeg-easy-tests = \"1\"\n",
        ),
        (
            "tests/Cargo.toml",
            "[dependencies]\nffmpeg-easy-worker = \"1\"\n",
        ),
    ]);
    assert_eq!(
        wrong_dependencies(folder.path()),
        [
            "common depends on clap",
            "monitor depends on ffmpeg-easy-worker"
        ]
    );
}
