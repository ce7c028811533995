//! The built-in templates: what each kind of server wants to be sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::notify::template::Template;

/// The name of a built-in template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// The JSON of this program, for servers of one's own.
    Json,
    /// A message to a topic of ntfy.
    Ntfy,
    /// A message of an application of Gotify.
    Gotify,
    /// A message to a channel of Discord.
    Discord,
    /// A message to a channel of Slack, or of a server that takes the same (Mattermost, Rocket.Chat).
    Slack,
    /// Sonarr looks for changed files of all series.
    Sonarr,
    /// Radarr looks for changed files of all films.
    Radarr,
    /// Jellyfin scans its libraries.
    Jellyfin,
    /// Plex scans its libraries.
    Plex,
}

const JSON: &str = "body = '{json}'";
const NTFY: &str = r#"
path = "/"
body = '{"topic": "{topic}", "title": "{title}", "message": "{text}", "priority": {priority}, "tags": ["{tag}"]}'
"#;
const GOTIFY: &str = r#"
path = "/message"
body = '{"title": "{title}", "message": "{text}", "priority": {priority}}'
[headers]
X-Gotify-Key = "{key}"
"#;
const DISCORD: &str = r#"
body = '{"embeds": [{"title": "{title}", "description": "{markdown}", "color": {color}, "timestamp": "{time}"}], "allowed_mentions": {"parse": []}}'
"#;
const SLACK: &str = r#"body = '{"text": "{slack}"}'"#;
const SONARR: &str = r#"
path = "/api/v3/command"
body = '{"name": "RescanSeries"}'
[headers]
X-Api-Key = "{key}"
"#;
const RADARR: &str = r#"
path = "/api/v3/command"
body = '{"name": "RescanMovie"}'
[headers]
X-Api-Key = "{key}"
"#;
const JELLYFIN: &str = r#"
path = "/Library/Refresh"
[headers]
Authorization = 'MediaBrowser Token="{key}"'
"#;
const PLEX: &str = r#"
method = "GET"
path = "/library/sections/all/refresh"
[headers]
X-Plex-Token = "{key}"
"#;

impl Name {
    /// Every built-in template.
    pub const ALL: [Self; 9] = [
        Self::Json,
        Self::Ntfy,
        Self::Gotify,
        Self::Discord,
        Self::Slack,
        Self::Sonarr,
        Self::Radarr,
        Self::Jellyfin,
        Self::Plex,
    ];

    /// The name, as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
            Self::Discord => "discord",
            Self::Slack => "slack",
            Self::Sonarr => "sonarr",
            Self::Radarr => "radarr",
            Self::Jellyfin => "jellyfin",
            Self::Plex => "plex",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Ntfy => NTFY,
            Self::Gotify => GOTIFY,
            Self::Discord => DISCORD,
            Self::Slack => SLACK,
            Self::Sonarr => SONARR,
            Self::Radarr => RADARR,
            Self::Jellyfin => JELLYFIN,
            Self::Plex => PLEX,
        }
    }

    /// Whether its server looks for files: it is told of nothing that has written none.
    pub fn looks_for_files(self) -> bool {
        matches!(
            self,
            Self::Sonarr | Self::Radarr | Self::Jellyfin | Self::Plex
        )
    }

    /// The template.
    pub fn template(self) -> Template {
        Template::read(self.text()).expect("the built-in templates are sound: a test reads each")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The names of all.
pub fn names() -> [&'static str; 9] {
    Name::ALL.map(Name::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::occurrence::Occurrence;
    use crate::notify::template::Values;

    #[test]
    fn every_built_in_template_is_sound_and_fills() {
        let test = Occurrence::test(jiff::Timestamp::UNIX_EPOCH);
        let values = Values::new(&test, Some("KEY"), Some("films"));
        for name in Name::ALL {
            let template = name.template();
            template
                .fill(&values)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(name.as_str().parse::<Name>().expect("its name"), name);
        }
        let error = "sonar"
            .parse::<Name>()
            .expect_err("a typing error")
            .to_string();
        assert!(
            error.contains("did you mean sonarr? there are json, "),
            "{error}"
        );
    }
}
