//! The fields of a HandBrake preset. Which were read is remembered, so that none is forgotten.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The fields of an object.
pub(super) struct Fields<'a> {
    all: &'a Map<String, Value>,
    read: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(all: &'a Map<String, Value>) -> Self {
        Self {
            all,
            read: BTreeSet::new(),
        }
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read.insert(name);
        self.all.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// A text; empty if the field is not there.
    pub(super) fn text(&mut self, name: &'static str) -> &'a str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text other than those that stand for "nothing".
    pub(super) fn word(&mut self, name: &'static str) -> Option<&'a str> {
        let text = self.text(name);
        (!matches!(text, "" | "off" | "none" | "auto")).then_some(text)
    }

    /// Old presets write some numbers as text.
    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        let value = self.get(name)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok())
    }

    /// Whether a flag is set, of these names from newest to oldest.
    pub(super) fn flag(&mut self, names: &[&'static str]) -> bool {
        let is_set = |value: &Value| value.as_bool().unwrap_or(value.as_i64() == Some(1));
        let mut found = false;
        for name in names {
            found |= self.get(name).is_some_and(is_set);
        }
        found
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Vec<&'a str> {
        let list = self.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    pub(super) fn objects(&mut self, name: &'static str) -> Vec<&'a Map<String, Value>> {
        let list = self.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_object).collect())
            .unwrap_or_default()
    }

    /// The fields that were not read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &'a str> + '_ {
        let names = self.all.keys().map(String::as_str);
        names.filter(|name| !self.read.contains(name))
    }
}
