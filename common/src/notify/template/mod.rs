//! Templates: the form of a request to a web address.

pub mod built_in;
mod pattern;
mod placeholder;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::similar::did_you_mean;
pub(crate) use pattern::Escape;
pub use pattern::{Pattern, PatternError};
pub use placeholder::{Placeholder, Values};

/// Most characters of a body's pattern.
const LONGEST_BODY: usize = 20_000;
/// Most headers.
const MOST_HEADERS: usize = 20;

/// The form of a request: each part may hold placeholders, e.g. `{title}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// What follows the address: a path, with a query if need be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Pattern>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Pattern>,
    /// The body; `None` sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Pattern>,
    /// What the body is.
    #[serde(default)]
    pub body_type: BodyType,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    #[default]
    Post,
    /// PUT
    Put,
}

/// What a body is, which decides how values in it are escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyType {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `text/plain`
    Text,
}

impl BodyType {
    /// The header `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    fn escape(self) -> Escape {
        match self {
            Self::Json => Escape::Json,
            Self::Form => Escape::Url,
            Self::Text => Escape::Plain,
        }
    }
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// There is no built-in template of that name.
    #[error("there is no template '{given}': {hint}there are {}; a file of your own is named with its path, e.g. ./mine.toml", built_in::names().join(", "))]
    Unknown {
        /// The name.
        given: String,
        /// A similar name.
        hint: String,
    },
    /// The file is no template.
    #[error("this is no template: {0}")]
    Malformed(String),
    /// A header cannot be sent.
    #[error(
        "'{0}' is no name of a header that a template may set: letters, digits and '-', and not Host, Content-Length or Webhook-…"
    )]
    Header(String),
    /// It is too large.
    #[error(
        "a template has at most {MOST_HEADERS} headers, and a body of at most {LONGEST_BODY} characters"
    )]
    TooLarge,
    /// The path does not begin with a slash.
    #[error("the path of a template begins with '/' or '?'")]
    Path,
    /// The body is said to be JSON and is none.
    #[error(
        "the body of the template is no JSON once its placeholders are filled ({0}): set body_type, or quote the placeholders"
    )]
    NoJson(serde_json::Error),
}

/// A request's parts, with all placeholders filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The method.
    pub method: Method,
    /// What follows the address.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body, with its type.
    pub body: Option<(String, BodyType)>,
}

impl Template {
    /// Reads a template from a TOML file.
    ///
    /// # Errors
    /// It is no template, names an unknown placeholder, or cannot be sent.
    pub fn read(text: &str) -> Result<Self, TemplateError> {
        let template: Self = toml::from_str(text)
            .map_err(|error| TemplateError::Malformed(error.message().to_owned()))?;
        template.check()?;
        Ok(template)
    }

    /// Checks what a stored or typed template must be.
    ///
    /// # Errors
    /// A header cannot be sent, or a part is too large.
    pub fn check(&self) -> Result<(), TemplateError> {
        let body = self
            .body
            .as_ref()
            .map_or(0, |body| body.text().chars().count());
        if self.headers.len() > MOST_HEADERS || body > LONGEST_BODY {
            return Err(TemplateError::TooLarge);
        }
        if self
            .path
            .as_ref()
            .is_some_and(|path| !path.text().starts_with(['/', '?']))
        {
            return Err(TemplateError::Path);
        }
        let bad = self.headers.keys().find(|name| !may_be_set(name));
        bad.map_or(Ok(()), |name| Err(TemplateError::Header(name.clone())))
    }

    /// Whether a part holds this placeholder.
    pub fn uses(&self, placeholder: Placeholder) -> bool {
        let parts = self
            .path
            .iter()
            .chain(&self.body)
            .chain(self.headers.values());
        parts.into_iter().any(|part| part.uses(placeholder))
    }

    /// The request's parts with these values.
    ///
    /// # Errors
    /// The body is said to be JSON and is none.
    pub fn fill(&self, values: &Values) -> Result<Filled, TemplateError> {
        let body = self
            .body
            .as_ref()
            .map(|body| body.fill(values, self.body_type.escape()));
        if let (Some(body), BodyType::Json) = (&body, self.body_type) {
            serde_json::from_str::<serde::de::IgnoredAny>(body).map_err(TemplateError::NoJson)?;
        }
        let path = self.path.as_ref();
        let headers = self.headers.iter();
        Ok(Filled {
            method: self.method,
            path: path.map_or_else(String::new, |path| path.fill(values, Escape::Url)),
            headers: headers
                .map(|(name, value)| (name.clone(), value.fill(values, Escape::Header)))
                .collect(),
            body: body.map(|body| (body, self.body_type)),
        })
    }
}

fn may_be_set(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !["host", "content-length", "transfer-encoding", "connection"].contains(&lower.as_str())
        && !lower.starts_with("webhook-")
}

/// A built-in template by name, or one of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateChoice {
    /// A built-in template.
    Named(built_in::Name),
    /// A person's own.
    Own(Box<Template>),
}

impl TemplateChoice {
    /// The template.
    pub fn template(&self) -> Template {
        match self {
            Self::Named(name) => name.template(),
            Self::Own(template) => (**template).clone(),
        }
    }
}

impl fmt::Display for TemplateChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Own(_) => f.pad("own"),
        }
    }
}

impl FromStr for built_in::Name {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| TemplateError::Unknown {
            given: text.to_owned(),
            hint: did_you_mean(text, &built_in::names()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::occurrence::Occurrence;

    fn test() -> Occurrence {
        Occurrence::test(jiff::Timestamp::UNIX_EPOCH)
    }

    fn values(test: &Occurrence) -> Values<'_> {
        Values::new(test, Some("k\"ey"), Some("films"))
    }

    #[test]
    fn every_part_is_escaped_for_its_place() {
        let template = Template::read(
            "method = \"PUT\"\npath = \"/a/{key}?t={title}\"\nbody = '{\"key\": \"{key}\", \"all\": {json}}'\n[headers]\nX-Key = \"{key}\"\n",
        )
        .expect("sound");
        let filled = template.fill(&values(&test())).expect("JSON");
        assert_eq!(filled.method, Method::Put);
        assert_eq!(filled.path, "/a/k%22ey?t=Test");
        assert_eq!(filled.headers, [("X-Key".to_owned(), "k\"ey".to_owned())]);
        let (body, _) = filled.body.expect("a body");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["key"], "k\"ey");
        assert_eq!(body["all"]["type"], "test");
        assert!(template.uses(Placeholder::Key) && !template.uses(Placeholder::Topic));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_reason() {
        for (text, words) in [
            (
                "body = '{titel}'",
                "there is no placeholder {titel}: did you mean title?",
            ),
            ("bodi = 'x'", "unknown field `bodi`"),
            ("method = \"DELETE\"", "unknown variant `DELETE`"),
            ("path = \"x\"", "begins with '/'"),
            ("[headers]\n\"a b\" = \"x\"", "'a b' is no name of a header"),
            (
                "[headers]\nWebhook-Id = \"x\"",
                "'Webhook-Id' is no name of a header",
            ),
        ] {
            let error = Template::read(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let unquoted = Template::read("body = '{\"t\": {title}}'").expect("read");
        let error = unquoted
            .fill(&values(&test()))
            .expect_err("no JSON")
            .to_string();
        assert!(error.contains("is no JSON"), "{error}");
    }
}
