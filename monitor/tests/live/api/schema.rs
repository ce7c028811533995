//! Holds JSON against the schemas of the OpenAPI document: as much of JSON Schema as the document uses.
//!
//! An object may hold no key that its schema does not name: the document is to say all that an answer holds.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// An OpenAPI document.
pub(crate) struct Document(pub(crate) Value);

/// Keywords that only describe, or that bind the server's input alone.
const WORDS: [&str; 9] = [
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "format",
    "propertyNames",
    "title",
    "uniqueItems",
];

impl Document {
    /// The schema of the JSON with which an operation answers with this status.
    pub(crate) fn answer(&self, operation: &Value, status: u16) -> Option<Value> {
        let response = &operation["responses"][status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        (!schema.is_null()).then(|| schema.clone())
    }

    /// The names of the schemas that say nothing of an object but that it is one.
    pub(crate) fn bare(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_bare(&self.0["components"]["schemas"], "schemas", &mut found);
        collect_bare(&self.0["paths"], "paths", &mut found);
        found
    }

    /// What is wrong with a value, and where.
    pub(crate) fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.check_at(schema, value, "answer", true)
    }

    fn check_at(
        &self,
        schema: &Value,
        value: &Value,
        at: &str,
        is_whole: bool,
    ) -> Result<(), String> {
        let rules = match schema {
            Value::Object(rules) => rules,
            // `false`: nothing may be here.
            _ => return Err(format!("{at}: {value} is not in the document")),
        };
        for (keyword, rule) in rules {
            let holds = match keyword.as_str() {
                "$ref" => {
                    self.check_at(self.target(rule), value, at, is_whole)?;
                    true
                }
                "type" => has_type(rule, value),
                "enum" => list(rule).contains(value),
                // A rule for numbers or arrays says nothing of other values.
                "minimum" => value.is_null() || value.as_f64() >= rule.as_f64(),
                "maximum" => value.is_null() || value.as_f64() <= rule.as_f64(),
                "minItems" => value.is_null() || value.as_array().map(Vec::len) >= length(rule),
                "maxItems" => value.is_null() || value.as_array().map(Vec::len) <= length(rule),
                "required" => list(rule).iter().all(|name| {
                    let name = name.as_str().unwrap_or_default();
                    value.is_null() || value.get(name).is_some()
                }),
                "prefixItems" => {
                    let items = value.as_array().into_iter().flatten();
                    for (index, (item, part)) in items.zip(list(rule)).enumerate() {
                        self.check_at(part, item, &format!("{at}[{index}]"), true)?;
                    }
                    true
                }
                // The items behind those that have schemas of their own.
                "items" => {
                    let items = value.as_array().into_iter().flatten().enumerate();
                    for (index, item) in items.skip(list(&schema["prefixItems"]).len()) {
                        self.check_at(rule, item, &format!("{at}[{index}]"), true)?;
                    }
                    true
                }
                "properties" => {
                    for (name, part) in rule.as_object().into_iter().flatten() {
                        if let Some(held) = value.get(name) {
                            self.check_at(part, held, &format!("{at}.{name}"), true)?;
                        }
                    }
                    true
                }
                "additionalProperties" if rule.is_object() => {
                    for (name, held) in value.as_object().into_iter().flatten() {
                        self.check_at(rule, held, &format!("{at}.{name}"), true)?;
                    }
                    true
                }
                "additionalProperties" => true,
                "allOf" => {
                    for part in list(rule) {
                        self.check_at(part, value, at, false)?;
                    }
                    true
                }
                "oneOf" => self.one_of(list(rule), value, at, is_whole)?,
                word if WORDS.contains(&word) => true,
                other => return Err(format!("{at}: the keyword {other} is not known here")),
            };
            if !holds {
                return Err(format!("{at}: {value} is not as {keyword}: {rule} says"));
            }
        }
        if is_whole {
            self.check_names(rules, value, at)?;
        }
        Ok(())
    }

    fn one_of(
        &self,
        parts: &[Value],
        value: &Value,
        at: &str,
        is_whole: bool,
    ) -> Result<bool, String> {
        let checked = parts
            .iter()
            .map(|part| self.check_at(part, value, at, is_whole));
        let (fits, wrong): (Vec<_>, Vec<_>) = checked.partition(Result::is_ok);
        match fits.len() {
            1 => Ok(true),
            0 => {
                let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
                Err(format!("{at}: none of: {}", wrong.join("; ")))
            }
            _ => Err(format!("{at}: {value} fits several schemas of one")),
        }
    }

    /// Refuses keys that the schema does not name.
    fn check_names(
        &self,
        rules: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let is_closed = rules.contains_key("properties") || rules.contains_key("allOf");
        let is_map = rules
            .get("additionalProperties")
            .is_some_and(Value::is_object);
        let Some(object) = value.as_object().filter(|_| is_closed && !is_map) else {
            return Ok(());
        };
        let mut known = BTreeSet::new();
        self.names(&Value::Object(rules.clone()), &mut known);
        match object.keys().find(|name| !known.contains(*name)) {
            Some(name) => Err(format!("{at}: {name} is not in the document")),
            None => Ok(()),
        }
    }

    fn names(&self, schema: &Value, known: &mut BTreeSet<String>) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        known.extend(properties.map(|(name, _)| name.clone()));
        for keyword in ["allOf", "oneOf"] {
            for part in list(&schema[keyword]) {
                self.names(part, known);
            }
        }
        if !schema["$ref"].is_null() {
            self.names(self.target(&schema["$ref"]), known);
        }
    }

    fn target(&self, reference: &Value) -> &Value {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let pointer = pointer.expect("a reference within the document");
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} is not in the document"))
    }
}

fn collect_bare(part: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(object) = part.as_object() {
        let says = ["properties", "additionalProperties", "oneOf", "allOf"];
        if part["type"] == "object" && !says.iter().any(|keyword| object.contains_key(*keyword)) {
            found.push(at.to_owned());
        }
    }
    let children: Vec<(String, &Value)> = match part {
        Value::Object(object) => object
            .iter()
            .map(|(name, child)| (name.clone(), child))
            .collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(index, child)| (index.to_string(), child))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        collect_bare(child, &format!("{at}/{name}"), found);
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(&[], Vec::as_slice)
}

fn length(rule: &Value) -> Option<usize> {
    usize::try_from(rule.as_u64()?).ok()
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap_or_default() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("the type {other} is not known here"),
    };
    match rule {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}
