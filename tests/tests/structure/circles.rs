//! Files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

/// What each file imports from each other file: file → file → names.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The circles, one text each: the files, and the names that they import.
pub(crate) fn find(imports: &Imports) -> Vec<String> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|file| (file.as_str(), reach(imports, file)))
        .collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &reached {
        // The files that the file reaches and that reach the file.
        let circle: BTreeSet<&str> = others
            .iter()
            .copied()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(file)))
            .collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles.iter().map(|circle| told(imports, circle)).collect()
}

/// The imports without those of a folder's module from the files of its own folder. Such a module composes its files,
/// and they use what it defines. Circles between files of a folder, and between folders, stay circles.
pub(crate) fn without_own_files(mut imports: Imports) -> Imports {
    for (file, others) in &mut imports {
        let roots = ["/mod.rs", "/lib.rs", "/main.rs"];
        if let Some(folder) = roots.iter().find_map(|root| file.strip_suffix(root)) {
            others.retain(|other, _| !other.starts_with(&format!("{folder}/")));
        }
    }
    imports
}

/// All files that a file imports, directly or indirectly.
fn reach<'a>(imports: &'a Imports, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        for other in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(other.as_str()) {
                next.push(other);
            }
        }
    }
    reached
}

fn told(imports: &Imports, circle: &BTreeSet<&str>) -> String {
    let mut text = format!("a circle of {} files:", circle.len());
    for file in circle {
        for (other, names) in &imports[*file] {
            if circle.contains(other.as_str()) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                text += &format!("\n  {file} -> {other}: {}", names.join(", "));
            }
        }
    }
    text
}

#[test]
fn files_that_reach_each_other_are_a_circle_and_a_chain_is_none() {
    let arrow = |from: &str, to: &str| {
        let to = BTreeMap::from([(to.to_owned(), BTreeSet::from(["Name".to_owned()]))]);
        (from.to_owned(), to)
    };
    let chain = Imports::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "d")]);
    assert_eq!(find(&chain), Vec::<String>::new());

    let circle = Imports::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")]);
    assert_eq!(
        find(&circle),
        ["a circle of 2 files:\n  b -> c: Name\n  c -> b: Name"]
    );
}

#[test]
fn a_folders_module_may_use_its_own_files_but_folders_may_not_use_each_other() {
    let arrow = |from: &str, to: &str| {
        let to = BTreeMap::from([(to.to_owned(), BTreeSet::from(["Name".to_owned()]))]);
        (from.to_owned(), to)
    };
    let own = [
        arrow("a/mod.rs", "a/part.rs"),
        arrow("a/part.rs", "a/mod.rs"),
    ];
    assert_eq!(
        find(&without_own_files(Imports::from(own))),
        Vec::<String>::new()
    );

    let siblings = [arrow("a/x.rs", "a/y.rs"), arrow("a/y.rs", "a/x.rs")];
    assert_eq!(find(&without_own_files(Imports::from(siblings))).len(), 1);
    let folders = [
        arrow("a/mod.rs", "b/mod.rs"),
        arrow("b/mod.rs", "a/part.rs"),
        arrow("a/part.rs", "a/mod.rs"),
    ];
    assert_eq!(find(&without_own_files(Imports::from(folders))).len(), 1);
}
