//! The examples of docs/PROTOCOL.md are messages that the programs read and write.

use std::path::Path;

use serde_json::Value;

#[test]
fn every_example_is_a_golden_file() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(here.join("../docs/PROTOCOL.md")).expect("it is there");
    let mut compared = 0;
    for part in document.split("```json\n").skip(1) {
        let example = part.split("```").next().expect("the text of the block");
        let before = document.find(part).expect("a part of it");
        let name = document[..before].rsplit("<!-- ").next();
        let name = name
            .and_then(|rest| rest.split(" -->").next())
            .expect("a name before it");
        let golden = here.join("tests/wire/v1").join(name);
        let golden = std::fs::read(&golden).unwrap_or_else(|error| panic!("{name}: {error}"));
        let golden: Value = serde_json::from_slice(&golden).expect("JSON");
        let example: Value = serde_json::from_str(example)
            .unwrap_or_else(|error| panic!("the example of {name} is no JSON: {error}"));
        assert_eq!(example, golden, "{name}");
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} examples");
}
