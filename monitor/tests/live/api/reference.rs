//! The reference of the API has every route, and its examples are what the routes take and answer.

use serde_json::Value;

use crate::api::schema::Document;

#[allow(dead_code, reason = "the example writes the page")]
#[path = "../../../examples/reference/page.rs"]
mod page;

#[test]
fn the_reference_is_that_of_the_routes_and_its_examples_are_true() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/API.md");
    let written = std::fs::read_to_string(path).expect("it is there");
    let document = monitor::openapi().to_json().expect("plain data");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let examples = page::examples(&written);
    assert!(
        page::page(&document, &examples) == written,
        "the routes have changed: run `cargo run -p ffmpeg-easy-monitor --example reference`"
    );

    let schemas = Document(document.clone());
    let mut wrong = Vec::new();
    for operation in page::operations(&document) {
        let name = &operation.name;
        for (kind, schema) in [
            ("request", operation.request()),
            ("answer", operation.answer()),
        ] {
            let example = examples.get(&(name.clone(), kind.to_owned()));
            match (schema, example) {
                (Some(schema), Some(example)) => {
                    let checked = schemas.check(schema, example);
                    wrong.extend(checked.err().map(|why| format!("{name} {kind}: {why}")));
                }
                (Some(_), None) => wrong.push(format!("{name} has no example of its {kind}")),
                (None, Some(_)) => wrong.push(format!("{name} has no {kind}")),
                (None, None) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
