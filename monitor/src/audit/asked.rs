//! What a request asked for, in short and without its secrets: pure.

use serde_json::{Map, Value, json};

/// Items of a list that are kept.
const ITEMS: usize = 20;
/// Characters of a text that are kept.
const TEXT: usize = 200;
/// Bytes of the whole.
const LONGEST: usize = 4096;
/// Fields that may hold secrets: the addresses of hooks have tokens in them.
const SECRET: [&str; 5] = ["password", "secret", "token", "url", "own_template"];

/// The body of a request, in short; `None` if there is none, or it is no JSON.
pub(super) fn in_short(body: &[u8]) -> Option<Value> {
    let asked = short(serde_json::from_slice(body).ok()?);
    if asked.to_string().len() <= LONGEST {
        return Some(asked);
    }
    match asked {
        Value::Object(fields) => {
            let names: Vec<&String> = fields.keys().collect();
            Some(json!({ "fields": names }))
        }
        _ => None,
    }
}

fn short(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let more = items.len().saturating_sub(ITEMS);
            let mut kept: Vec<Value> = items.into_iter().take(ITEMS).map(short).collect();
            if more > 0 {
                kept.push(json!(format!("and {more} more")));
            }
            Value::Array(kept)
        }
        Value::String(text) => match text.char_indices().nth(TEXT) {
            Some((end, _)) => json!(format!("{}…", &text[..end])),
            None => Value::String(text),
        },
        other => other,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let value = match SECRET.contains(&name.as_str()) && !value.is_null() {
        true => json!("left out"),
        false => short(value),
    };
    (name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &Value) -> Option<Value> {
        in_short(body.to_string().as_bytes())
    }

    #[test]
    fn secrets_are_left_out_and_long_things_are_cut() {
        let jobs: Vec<u32> = (0..1000).collect();
        let asked = of(&json!({ "jobs": jobs, "note": "é".repeat(300), "hop_after": null }));
        let asked = asked.expect("JSON");
        assert_eq!(asked["jobs"].as_array().map(Vec::len), Some(ITEMS + 1));
        assert_eq!(asked["jobs"][ITEMS], "and 980 more");
        assert_eq!(
            asked["note"].as_str().map(|note| note.chars().count()),
            Some(TEXT + 1)
        );
        let hook = json!({ "url": "ntfy://topic", "secret": "s3cret", "only": null, "deep": { "token": "t0ken" } });
        let asked = of(&hook).expect("JSON").to_string();
        for secret in ["ntfy", "s3cret", "t0ken"] {
            assert!(!asked.contains(secret), "{asked}");
        }
        let huge: Vec<Vec<String>> = vec![vec!["x".repeat(100); 20]; 20];
        assert_eq!(
            of(&json!({ "a": huge, "b": 1 })),
            Some(json!({ "fields": ["a", "b"] }))
        );
        assert_eq!(in_short(b""), None);
        assert_eq!(in_short(b"{"), None);
    }
}
