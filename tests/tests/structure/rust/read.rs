//! Reads the modules of a crate: the names that each defines, binds, uses and re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::module::{Module, Names};
use crate::tree;

/// The modules of the crate that begins with this file. The module of the file itself is the first.
pub(crate) fn modules(root: &Path) -> Vec<Module> {
    let folder = root.parent().expect("a file lies in a folder");
    let mut modules = Vec::new();
    read_file(&mut modules, root.to_owned(), folder.to_owned(), None);
    modules
}

fn read_file(
    modules: &mut Vec<Module>,
    file: PathBuf,
    folder: PathBuf,
    parent: Option<usize>,
) -> usize {
    let text = tree::text(&file).expect("source code is text");
    let tokens: TokenStream = text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let index = add(modules, file, folder, parent);
    read(modules, index, tokens, true);
    index
}

fn add(modules: &mut Vec<Module>, file: PathBuf, folder: PathBuf, parent: Option<usize>) -> usize {
    modules.push(Module {
        file,
        folder,
        parent,
        children: BTreeMap::new(),
        defined: BTreeSet::new(),
        bound: Vec::new(),
        named: Vec::new(),
        handed_on: Vec::new(),
    });
    modules.len() - 1
}

/// Reads the tokens of a module: its items, or the tokens within an item.
fn read(modules: &mut Vec<Module>, module: usize, tokens: TokenStream, are_items: bool) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    let mut is_handed_on = false;
    let mut path = None;
    while at < tokens.len() {
        let word = ident(&tokens, at);
        match word.as_deref() {
            _ if punct(&tokens, at, '#') => {
                let attribute = tokens
                    .get(at + 1)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                at += 2;
                if attribute.replace(' ', "") == "[cfg(test)]" {
                    at = end_of_item(&tokens, at);
                }
                if let Some((_, file)) = attribute.split_once("path = \"") {
                    path = file.split('"').next().map(str::to_owned);
                }
                continue;
            }
            Some("pub") => {
                is_handed_on = true;
                at += 1 + usize::from(group(&tokens, at + 1, Delimiter::Parenthesis).is_some());
                continue;
            }
            Some("use") => {
                let end = end_of_item(&tokens, at);
                let mut found = Vec::new();
                read_use(&tokens[at + 1..end], &[], &mut found);
                for (name, names) in found {
                    let list = &mut modules[module];
                    list.bound.push((name, names.clone()));
                    if is_handed_on {
                        list.handed_on.push(names);
                    } else {
                        list.named.push(names);
                    }
                }
                at = end;
            }
            Some("mod") if are_items => {
                let name = ident(&tokens, at + 1).expect("a module has a name");
                let child = if let Some(inside) = group(&tokens, at + 2, Delimiter::Brace) {
                    let folder = modules[module].folder.join(&name);
                    let child = add(modules, modules[module].file.clone(), folder, Some(module));
                    read(modules, child, inside, true);
                    child
                } else {
                    let (file, folder) = child_file(&modules[module], &name, path.take());
                    read_file(modules, file, folder, Some(module))
                };
                modules[module].children.insert(name, child);
                at += 3;
            }
            Some(word) => {
                let (names, end) = read_path(&tokens, at);
                if are_items && is_definition(word) {
                    let defined = tokens[at + 1..].iter().find_map(as_ident);
                    modules[module].defined.extend(defined);
                }
                let is_member = at > 0 && punct(&tokens, at - 1, '.');
                let is_global = at > 1 && is_separator(&tokens, at - 2);
                if names.len() > 1 && !is_member && !is_global {
                    modules[module].named.push(names);
                }
                at = end;
            }
            None => {
                if let TokenTree::Group(inside) = &tokens[at] {
                    read(modules, module, inside.stream(), false);
                }
                at += 1;
            }
        }
        is_handed_on = false;
    }
}

/// The file of a child module, and the folder of that child's own children.
fn child_file(module: &Module, name: &str, path: Option<String>) -> (PathBuf, PathBuf) {
    if let Some(path) = path {
        let file = module.file.with_file_name(path);
        let folder = file.with_extension("");
        return (file, folder);
    }
    let folder = module.folder.join(name);
    let beside = folder.with_extension("rs");
    let within = folder.join("mod.rs");
    let file = if beside.is_file() { beside } else { within };
    (file, folder)
}

fn is_definition(word: &str) -> bool {
    let words = [
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "fn",
        "const",
        "static",
        "macro_rules",
    ];
    words.contains(&word)
}

/// The index after an item: after its `;` or after its braces.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let is_use = (from..tokens.len())
        .map_while(|at| {
            ident(tokens, at)
                .or_else(|| group(tokens, at, Delimiter::Parenthesis).map(|_| String::new()))
        })
        .any(|word| word == "use");
    (from..tokens.len())
        .find(|at| {
            punct(tokens, *at, ';') || (!is_use && group(tokens, *at, Delimiter::Brace).is_some())
        })
        .map_or(tokens.len(), |end| end + 1)
}

/// The names of a path, and the index after it.
fn read_path(tokens: &[TokenTree], from: usize) -> (Names, usize) {
    let mut names = Vec::new();
    let mut at = from;
    while let Some(name) = ident(tokens, at) {
        names.push(name);
        at += 1;
        if !(is_separator(tokens, at) && ident(tokens, at + 2).is_some()) {
            break;
        }
        at += 2;
    }
    (names, at)
}

/// The names that a `use` line binds, each with its path.
fn read_use(tokens: &[TokenTree], before: &[String], found: &mut Vec<(String, Names)>) {
    for tree in
        tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
    {
        let (mut names, mut at) = read_path(tree, 0);
        names.splice(0..0, before.iter().cloned());
        at += if is_separator(tree, at) { 2 } else { 0 };
        if let Some(inside) = group(tree, at, Delimiter::Brace) {
            let inside: Vec<TokenTree> = inside.into_iter().collect();
            read_use(&inside, &names, found);
        } else if punct(tree, at, '*') {
            names.push("*".to_owned());
            found.push(("*".to_owned(), names));
        } else if !names.is_empty() {
            if names.len() > 1 && names.last().is_some_and(|name| name == "self") {
                names.pop();
            }
            let renamed = ident(tree, at).filter(|word| word == "as");
            let renamed = renamed.and_then(|_| tree.get(at + 1).and_then(as_ident));
            let name = renamed
                .or_else(|| names.last().cloned())
                .unwrap_or_default();
            found.push((name, names));
        }
    }
}

fn as_ident(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

fn ident(tokens: &[TokenTree], at: usize) -> Option<String> {
    tokens.get(at).and_then(as_ident)
}

fn punct(tokens: &[TokenTree], at: usize, sign: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    punct(tokens, at, ':') && punct(tokens, at + 1, ':')
}

fn group(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<TokenStream> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}
