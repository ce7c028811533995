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

fn point_to_definitions(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                *to = to.replace(COMPONENTS, DEFINITIONS);
            }
            fields.values_mut().for_each(point_to_definitions);
        }
        Value::Array(values) => values.iter_mut().for_each(point_to_definitions),
        _ => {}
    }
}
