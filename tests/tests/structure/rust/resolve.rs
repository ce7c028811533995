//! Follows paths to the module that defines their last name.

use super::module::{Module, Names};

/// The target of a path: a module, and a name in it unless the path means the module itself.
pub(crate) struct Target {
    pub(crate) module: usize,
    pub(crate) name: Option<String>,
}

/// The most `use` lines through which a name may be re-exported.
const HANDED_ON: usize = 16;

/// The target of a path; `None` if it lies outside the crate.
pub(crate) fn resolve(modules: &[Module], from: usize, names: &[String]) -> Option<Target> {
    resolve_within(modules, from, names, HANDED_ON)
}

fn resolve_within(
    modules: &[Module],
    from: usize,
    names: &[String],
    left: usize,
) -> Option<Target> {
    let (first, rest) = names.split_first()?;
    match first.as_str() {
        "crate" => follow(modules, root(modules, from), rest, left),
        "self" => follow(modules, from, rest, left),
        "super" => follow(modules, modules[from].parent?, rest, left),
        // A name that the module defines, or that one of its `use` lines binds.
        name => {
            let module = &modules[from];
            let is_known = module.children.contains_key(name)
                || module
                    .bound
                    .iter()
                    .any(|(bound, names)| bound == name && names[0] != *name);
            is_known
                .then(|| follow(modules, from, names, left))
                .flatten()
        }
    }
}

/// Follows names down from a module.
fn follow(modules: &[Module], from: usize, names: &[String], left: usize) -> Option<Target> {
    let Some((first, rest)) = names.split_first() else {
        return Some(Target {
            module: from,
            name: None,
        });
    };
    let module = &modules[from];
    let here = Target {
        module: from,
        name: Some(first.clone()),
    };
    if first == "super" {
        return follow(modules, module.parent?, rest, left);
    }
    if let Some(child) = module.children.get(first) {
        return follow(modules, *child, rest, left);
    }
    if module.defined.contains(first) || left == 0 {
        return Some(here);
    }
    let on = |mut path: Names, is_glob: bool| {
        if is_glob {
            path.pop();
            path.push(first.clone());
        }
        path.extend_from_slice(rest);
        path
    };
    if let Some((_, path)) = module.bound.iter().find(|(name, _)| name == first) {
        return resolve_within(modules, from, &on(path.clone(), false), left - 1);
    }
    module
        .bound
        .iter()
        .filter(|(name, _)| name == "*")
        .filter_map(|(_, path)| resolve_within(modules, from, &on(path.clone(), true), left - 1))
        .find(|target| match &target.name {
            Some(name) => modules[target.module].defined.contains(name),
            None => true,
        })
        .or(Some(here))
}

fn root(modules: &[Module], mut module: usize) -> usize {
    while let Some(parent) = modules[module].parent {
        module = parent;
    }
    module
}

/// Whether a module is another module or lies in it.
pub(crate) fn is_below(modules: &[Module], module: usize, above: usize) -> bool {
    let mut parents = std::iter::successors(Some(module), |module| modules[*module].parent);
    parents.any(|parent| parent == above)
}
