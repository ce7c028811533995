//! The JSON Schema of recipe files, made from the types.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::recipe::file::RecipeFile;

/// Where OpenAPI keeps its schemas, and JSON Schema its definitions.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

impl RecipeFile {
    /// The JSON Schema (2020-12) of recipe files. Schemas of OpenAPI 3.1 are of that kind; only their place is another.
    pub fn schema() -> Value {
        let mut parts = Vec::new();
        <Self as ToSchema>::schemas(&mut parts);
        let parts = parts
            .into_iter()
            .map(|(name, schema)| (name, plain(&schema)));
        let definitions: Map<String, Value> = parts.collect();
        let mut schema = plain(&<Self as PartialSchema>::schema());
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["title"] = json!("Recipe file of ffmpeg-easy");
        schema["$defs"] = Value::Object(definitions);
        schema
    }
}

fn plain(schema: &impl serde::Serialize) -> Value {
    let mut value = serde_json::to_value(schema).expect("schemas are plain data");
    point_to_definitions(&mut value);
    value
}

/// Points references to the definitions, and closes all objects.
fn point_to_definitions(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                *to = to.replace(COMPONENTS, DEFINITIONS);
            }
            // Unknown fields are refused everywhere.
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(point_to_definitions);
        }
        Value::Array(values) => values.iter_mut().for_each(point_to_definitions),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::recipe::file::explain::fields;
    use crate::recipe::{AudioRule, AudioTracks, Rate, SubtitleTracks, VideoEncode};

    /// Every object with properties, and every reference.
    fn walk(value: &Value, objects: &mut Vec<Value>, references: &mut BTreeSet<String>) {
        match value {
            Value::Object(inner) => {
                if inner.get("properties").is_some_and(Value::is_object) {
                    objects.push(value.clone());
                }
                if let Some(Value::String(to)) = inner.get("$ref") {
                    references.insert(to.clone());
                }
                inner
                    .values()
                    .for_each(|value| walk(value, objects, references));
            }
            Value::Array(values) => values
                .iter()
                .for_each(|value| walk(value, objects, references)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_object_is_closed() {
        let schema = RecipeFile::schema();
        let (mut objects, mut references) = (Vec::new(), BTreeSet::new());
        walk(&schema, &mut objects, &mut references);
        assert!(objects.len() > 10 && references.len() > 20);
        for object in objects {
            assert_eq!(object["additionalProperties"], json!(false), "{object}");
        }
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("in this schema");
            assert!(schema.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn the_schema_has_the_fields_that_are_read() {
        let schema = RecipeFile::schema();
        let has = |pointer: &str| -> BTreeSet<String> {
            let object = schema.pointer(pointer).and_then(Value::as_object);
            object.expect(pointer).keys().cloned().collect()
        };
        for (pointer, read) in [
            ("/properties", fields::<RecipeFile>()),
            ("/$defs/VideoEncode/properties", fields::<VideoEncode>()),
            ("/$defs/AudioTracks/properties", fields::<AudioTracks>()),
            ("/$defs/AudioRule/properties", fields::<AudioRule>()),
            (
                "/$defs/SubtitleTracks/properties",
                fields::<SubtitleTracks>(),
            ),
        ] {
            assert_eq!(has(pointer), read.into_iter().collect(), "{pointer}");
        }
        let rates = schema
            .pointer("/$defs/Rate/oneOf")
            .and_then(Value::as_array);
        assert_eq!(rates.map(Vec::len), Some(fields::<Rate>().len()));
    }
}
