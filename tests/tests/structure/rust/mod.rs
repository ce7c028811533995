//! The imports between the files of a Rust crate.
//!
//! A path leads to the file that defines its name, also through modules and through `use` lines that re-export the
//! name. These are no imports:
//!
//! - a parent's `mod` lines, and `pub use` lines of names below the parent;
//! - code under `#[cfg(test)]`, as tests use their code from above.

mod module;
mod read;
mod resolve;

use std::path::Path;

use super::circles::Imports;
use super::tree;
use resolve::{is_below, resolve};

/// The imports among the files of the crate that begins with one file.
pub(crate) fn imports(repository: &Path, root: &Path) -> Imports {
    let modules = read::modules(root);
    let mut imports = Imports::new();
    for (index, module) in modules.iter().enumerate() {
        let from = tree::name(repository, &module.file);
        let taken = imports.entry(from.clone()).or_default();
        let foreign = module.handed_on.iter().filter(|names| {
            resolve(&modules, index, names).is_some_and(|to| !is_below(&modules, to.module, index))
        });
        for names in module.named.iter().chain(foreign) {
            let Some(target) = resolve(&modules, index, names) else {
                continue;
            };
            let to = tree::name(repository, &modules[target.module].file);
            // A module's name alone is no import; the names that are reached through it are.
            if let Some(name) = target.name.filter(|_| to != from) {
                taken.entry(to).or_default().insert(name);
            }
        }
    }
    imports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circles;

    /// The circles of a made-up crate.
    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tree::made_up(files);
        circles::find(&imports(folder.path(), &folder.path().join("lib.rs")))
    }

    #[track_caller]
    fn assert_circle(files: &[(&str, &str)], arrows: &[&str]) {
        let circles = circles(files);
        assert_eq!(circles.len(), 1, "{circles:#?}");
        let found: Vec<&str> = circles[0].lines().skip(1).map(str::trim).collect();
        assert_eq!(found, arrows);
    }

    #[track_caller]
    fn assert_no_circle(files: &[(&str, &str)]) {
        assert_eq!(circles(files), Vec::<String>::new());
    }

    #[test]
    fn use_lines_and_paths_within_code_and_macros_are_imports() {
        assert_circle(
            &[
                ("lib.rs", "mod a;\nmod b;\n"),
                (
                    "a.rs",
                    "use crate::b::{self, B as Other};\npub struct A(Other, b::C);\n",
                ),
                (
                    "b.rs",
                    "pub struct B;\npub struct C;\nfn f() { println!(\"{}\", crate::a::A::new()); }\n",
                ),
            ],
            &["a.rs -> b.rs: B, C", "b.rs -> a.rs: A"],
        );
        assert_circle(
            &[
                ("lib.rs", "mod a;\nmod b;\n"),
                ("a.rs", "pub struct A(super::b::B);\n"),
                (
                    "b/mod.rs",
                    "pub struct B;\nmod c { impl super::super::a::A {} }\n",
                ),
            ],
            &["a.rs -> b/mod.rs: B", "b/mod.rs -> a.rs: A"],
        );
    }

    #[test]
    fn a_module_and_its_parent_can_be_a_circle() {
        assert_circle(
            &[
                ("lib.rs", "mod a;\n"),
                (
                    "a/mod.rs",
                    "mod b;\npub struct Failed;\nfn f() { b::go(); }\n",
                ),
                ("a/b.rs", "use super::Failed;\npub fn go() -> Failed {}\n"),
            ],
            &["a/b.rs -> a/mod.rs: Failed", "a/mod.rs -> a/b.rs: go"],
        );
    }

    #[test]
    fn a_re_exported_name_is_imported_from_the_file_that_defines_it() {
        // Re-exported by a plain `pub use`, under another name, and by a glob.
        assert_no_circle(&[
            ("lib.rs", "mod a;\nmod b;\n"),
            (
                "a/mod.rs",
                "mod leaf;\nmod other;\nmod top;\npub use leaf::{Leaf, Twig as Branch};\npub use other::*;\npub use top::Top;\n",
            ),
            ("a/leaf.rs", "pub struct Leaf;\npub struct Twig;\n"),
            ("a/other.rs", "pub struct Other;\n"),
            ("a/top.rs", "use crate::b::B;\npub struct Top(B);\n"),
            (
                "b.rs",
                "use crate::a::{Branch, Leaf, Other};\npub struct B(Leaf, Branch, Other);\n",
            ),
        ]);
        assert_circle(
            &[
                ("lib.rs", "mod a;\nmod b;\n"),
                ("a/mod.rs", "mod top;\npub use top::Top;\n"),
                ("a/top.rs", "use crate::b::B;\npub struct Top(B);\n"),
                ("b.rs", "use crate::a;\npub struct B(a::Top);\n"),
            ],
            &["a/top.rs -> b.rs: B", "b.rs -> a/top.rs: Top"],
        );
    }

    #[test]
    fn tests_other_crates_and_declared_modules_are_no_imports() {
        assert_no_circle(&[
            ("lib.rs", "pub mod a;\npub mod b;\npub use a::A;\n"),
            (
                "a.rs",
                "use std::a;\nuse b::B;\npub struct A(::crate_b::b::B);\n#[cfg(test)]\nmod tests { use crate::b::B; }\n#[cfg(test)]\nuse crate::b::{B};\n",
            ),
            (
                "b.rs",
                "//! See [`crate::a`].\nuse crate::A;\npub struct B(A); // crate::a::A\n",
            ),
        ]);
    }

    #[test]
    fn a_file_in_another_folder_is_read_if_a_path_attribute_names_it() {
        assert_circle(
            &[
                ("lib.rs", "#[path = \"far/away.rs\"]\nmod a;\nmod b;\n"),
                ("far/away.rs", "use crate::b::B;\npub struct A(B);\n"),
                ("b.rs", "use crate::a::A;\npub struct B(A);\n"),
            ],
            &["b.rs -> far/away.rs: A", "far/away.rs -> b.rs: B"],
        );
    }
}
