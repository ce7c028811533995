//! The reference of the HTTP API as a page: made from the OpenAPI document, with examples that people keep in the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

const BEGINNING: &str = "\
# The monitor's HTTP API

What the page does, a program can do. All routes answer in JSON unless they say otherwise. `GET /api/v1/openapi.json` has the same as an OpenAPI 3.1 document,
with the schema of every answer; this page is made from it (`cargo run -p ffmpeg-easy-monitor --example reference`), and a test holds its examples
against the schemas. Lists in the examples are cut short.

## Who may ask

On a loopback address everyone may do everything. On any other, a program sends its token with each request; `monitor token NAME --role
reader --access access.txt` makes one:

```sh not run: it needs a monitor with a password
curl --header \"Authorization: Bearer $TOKEN\" https://farm.example:8080/api/v1/state
```

A `reader` may ask, an `operator` may also change. Requests that change something must not come from a page of another origin.

## When something is wrong

The answer is a sentence for people:

```json
{ \"error\": \"there is no such route: see /api/v1/openapi.json\" }
```

| status | because |
| --- | --- |
| 400, 415, 422 | the request is not as the route wants it; the sentence names the field |
| 401 | no password, token or session, or a wrong one |
| 403 | the role may not do that, or the request comes from a foreign origin or for a foreign host name |
| 404 | no such job, library, … |
| 409 | somebody has changed it since you have read it: read it again |
| 413 | the body is too large |
| 429 | too many passwords to check, or too many streams; `Retry-After` says when to try again |
| 502, 504 | a worker that had to be asked does not answer, or cannot do it |
| 503 | the broker does not answer |

Times are UTC in RFC 3339, sizes are bytes, durations are seconds, ids are UUIDs.
";

/// The order of the groups, with their headings.
const GROUPS: [(&str, &str); 10] = [
    ("state", "The farm now"),
    ("jobs", "Jobs and batches"),
    ("new", "New jobs"),
    ("steer", "Steering"),
    ("history", "History"),
    ("libraries", "Libraries"),
    ("hooks", "Hooks"),
    ("settings", "Presets and settings"),
    ("access", "Sessions and activity"),
    ("health", "Health and metrics"),
];

/// Which example: an operation like `GET /api/v1/state`, and `request` or `answer`.
pub(crate) type Key = (String, String);

/// The examples of a page. Each has a comment before it that names it.
pub(crate) fn examples(page: &str) -> BTreeMap<Key, Value> {
    page.split("<!-- ")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once(" -->\n```json\n")?;
            let (operation, kind) = name.rsplit_once(' ')?;
            let (text, _) = rest.split_once("\n```")?;
            let example =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            Some(((operation.to_owned(), kind.to_owned()), example))
        })
        .collect()
}

/// An operation of the document.
pub(crate) struct Operation<'a> {
    /// Method and path.
    pub(crate) name: String,
    pub(crate) said: &'a Value,
}

impl Operation<'_> {
    fn group(&self) -> &str {
        match self.said["tags"][0].as_str().unwrap_or_default() {
            "metrics" => "health",
            tag => tag,
        }
    }

    /// The schema of the JSON that it takes.
    pub(crate) fn request(&self) -> Option<&Value> {
        schema(&self.said["requestBody"])
    }

    /// The schema of the JSON that it answers with if all is well.
    pub(crate) fn answer(&self) -> Option<&Value> {
        schema(&self.said["responses"]["200"])
    }
}

fn schema(content: &Value) -> Option<&Value> {
    let schema = &content["content"]["application/json"]["schema"];
    (!schema.is_null()).then_some(schema)
}

/// Every operation of the document, in the order of paths.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, methods) in paths {
        for (method, said) in methods.as_object().expect("methods") {
            found.push(Operation {
                name: format!("{} {path}", method.to_uppercase()),
                said,
            });
        }
    }
    found.sort_by_key(|operation| {
        let (method, path) = operation.name.split_once(' ').expect("two words");
        (path.to_owned(), method.to_owned())
    });
    found
}

/// The whole page.
pub(crate) fn page(document: &Value, examples: &BTreeMap<Key, Value>) -> String {
    let operations = operations(document);
    let mut page = BEGINNING.to_owned();
    for (group, heading) in GROUPS {
        let _ = write!(page, "\n## {heading}\n");
        for operation in operations.iter().filter(|one| one.group() == group) {
            page += &section(document, operation, examples);
        }
    }
    for operation in &operations {
        let is_known = GROUPS.iter().any(|(group, _)| *group == operation.group());
        assert!(
            is_known,
            "{} is in a group without a heading",
            operation.name
        );
    }
    page
}

fn section(document: &Value, operation: &Operation, examples: &BTreeMap<Key, Value>) -> String {
    let said = operation.said;
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', " ");
    let words = [text(&said["summary"]), text(&said["description"])];
    let words = words.join(" ");
    let who = match said["x-role"].as_str() {
        Some(role) => format!("For: {role}."),
        None => "For everyone.".to_owned(),
    };
    let mut section = format!("\n### `{}`\n\n{} {who}\n", operation.name, words.trim());
    section += &fields(document, operation);
    for (kind, before) in [("request", "Request:"), ("answer", "Answer:")] {
        let key = (operation.name.clone(), kind.to_owned());
        if let Some(example) = examples.get(&key) {
            let json = serde_json::to_string_pretty(example).expect("JSON");
            let name = &operation.name;
            let _ = write!(
                section,
                "\n{before}\n\n<!-- {name} {kind} -->\n```json\n{json}\n```\n"
            );
        }
    }
    section + &answers(said)
}

/// A table of the parameters and of the fields of the body.
fn fields(document: &Value, operation: &Operation) -> String {
    let mut rows = String::new();
    let mut row = |name: &str, place: &str, kind: &str, is_needed: bool, words: &Value| {
        let words = words.as_str().unwrap_or_default().replace('\n', " ");
        let words = words.replace('|', "\\|");
        let needed = if is_needed { "yes" } else { "" };
        let kind = kind.replace('|', "\\|");
        let _ = writeln!(rows, "| `{name}` | {place} | {kind} | {needed} | {words} |");
    };
    for parameter in operation.said["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = parameter["name"].as_str().expect("a name");
        let place = parameter["in"].as_str().expect("a place");
        let kind = kind(&parameter["schema"]);
        row(
            name,
            place,
            &kind,
            parameter["required"] == true,
            &parameter["description"],
        );
    }
    if let Some(schema) = operation.request() {
        let target = resolve(document, schema);
        let needed = target["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in target["properties"].as_object().into_iter().flatten() {
            let is_needed = needed.iter().any(|needed| needed == name);
            row(name, "body", &kind(field), is_needed, &field["description"]);
        }
    }
    match rows.is_empty() {
        true => rows,
        false => format!(
            "\n| name | in | type | needed | meaning |\n| --- | --- | --- | --- | --- |\n{rows}"
        ),
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(schema)
}

/// The type of a value, in words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(parts) = schema["oneOf"].as_array() {
        let kinds: Vec<String> = parts
            .iter()
            .filter(|part| part["type"] != "null")
            .map(kind)
            .collect();
        return kinds.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return values.join(" or ").replace('"', "");
    }
    let names = match &schema["type"] {
        Value::Array(names) => names.iter().filter(|name| *name != "null").collect(),
        name => vec![name],
    };
    let name = names.first().and_then(|name| name.as_str());
    match name.unwrap_or("object") {
        "array" => format!("list of {}", kind(&schema["items"])),
        name => name.to_owned(),
    }
}

/// What the statuses mean, as far as the route says more than the table at the top.
fn answers(said: &Value) -> String {
    let responses = said["responses"].as_object().expect("responses");
    let told = responses.iter().map(|(status, response)| {
        let words = response["description"].as_str().unwrap_or_default();
        let kinds = response["content"].as_object().into_iter().flatten();
        let kind = kinds.map(|(kind, _)| kind.as_str()).next();
        let kind = kind.filter(|kind| *kind != "application/json");
        match (words, kind) {
            ("", None) => format!("`{status}`"),
            ("", Some(kind)) => format!("`{status}` ({kind})"),
            (words, _) => format!("`{status}` ({words})"),
        }
    });
    let told: Vec<String> = told.collect();
    format!("\nStatus: {}.\n", told.join(", "))
}
