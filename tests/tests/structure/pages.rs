//! The imports between the modules of the page: the files after `from "./…"`, `import "./…"` and `import("./…")`.

use std::path::{Component, Path, PathBuf};

use super::circles::Imports;
use super::tree;

/// The imports among the scripts below a folder.
pub(crate) fn imports(repository: &Path, folder: &str) -> Imports {
    let scripts = tree::files(&repository.join(folder))
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "js" || extension == "mjs")
        });
    let mut imports = Imports::new();
    for script in scripts {
        let text = tree::text(&script).expect("a script is text");
        let taken = imports.entry(tree::name(repository, &script)).or_default();
        for module in modules(&text) {
            let path = plain(&script.with_file_name(&module));
            taken
                .entry(tree::name(repository, &path))
                .or_default()
                .insert(module);
        }
    }
    imports
}

/// The relative modules that a script names.
fn modules(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.trim_start().starts_with('*'))
        .collect::<Vec<_>>()
        .join("\n");
    // Every second piece between quotes is a string.
    let pieces: Vec<&str> = code.split(['"', '\'']).collect();
    pieces
        .windows(2)
        .filter(|pair| {
            let before = pair[0].trim_end();
            let asked = ["from", "import", "import("];
            asked.iter().any(|word| before.ends_with(word)) && pair[1].starts_with('.')
        })
        .map(|pair| pair[1].to_owned())
        .collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn modules_that_import_each_other_are_found_by_every_way_to_import() {
    let folder = tree::made_up(&[
        ("page/a.js", "import {\n  b,\n} from \"./lib/b.js\";\n"),
        ("page/lib/b.js", "const later = () => import('../c.js');\n"),
        ("page/c.js", "import \"./a.js\";\n// import \"./d.js\";\n"),
        ("page/d.js", "import { a } from './a.js';\n"),
    ]);
    let circles = super::circles::find(&imports(folder.path(), "page"));
    assert_eq!(circles.len(), 1, "{circles:#?}");
    assert!(
        circles[0].starts_with("a circle of 3 files:"),
        "{circles:#?}"
    );
    assert!(!circles[0].contains("d.js"), "{circles:#?}");
}
