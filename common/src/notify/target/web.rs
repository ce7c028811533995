//! Web servers: their addresses, and the request for one message.

use std::fmt;

use url::Url;

use super::{Parts, TargetError};
use crate::notify::occurrence::Occurrence;
use crate::notify::secret::Secret;
use crate::notify::template::built_in::Name;
use crate::notify::template::{
    BodyType, Filled, Method, Placeholder, Template, TemplateError, Values,
};

/// A web server, and how it is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct WebTarget {
    /// What requests begin with. Holds no user and no password, but a path that may be secret.
    base: Url,
    /// What templates get as `{key}`.
    key: Option<Secret>,
    /// What templates get as `{topic}`.
    topic: Option<String>,
    /// What is sent in the header `Authorization`, unless the template uses the key.
    credentials: Option<Credentials>,
    /// The template of the address, unless the hook names another.
    service: Option<Name>,
}

/// What is sent in the header `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A user with a password.
    Basic(String, Secret),
    /// A token.
    Bearer(Secret),
}

/// A request, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers, without those of the credentials.
    pub headers: Vec<(String, String)>,
    /// The body, with its type.
    pub body: Option<(String, BodyType)>,
    /// The credentials.
    pub credentials: Option<Credentials>,
}

/// The address as it is.
pub(super) fn plain(mut url: Url, parts: Parts) -> Result<WebTarget, TargetError> {
    if parts.host.is_empty() {
        return Err(parts.wrong("https://HOST/PATH"));
    }
    // These fail only for addresses that hold no host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let credentials = match (&parts.user, &parts.password) {
        (Some(user), password) => {
            let password = password.clone().unwrap_or_default();
            Some(Credentials::Basic(user.clone(), Secret::from(password)))
        }
        _ => None,
    };
    Ok(WebTarget {
        base: url,
        key: parts.key(),
        topic: None,
        credentials,
        service: None,
    })
}

/// A server of one's own, e.g. `gotify://host/token`.
pub(super) fn server(name: Name, scheme: &str, mut parts: Parts) -> Result<WebTarget, TargetError> {
    let form = match name {
        Name::Ntfy => {
            "ntfy://TOPIC (at ntfy.sh), ntfy://HOST/TOPIC (HTTP) or ntfys://USER:PASSWORD@HOST/TOPIC (HTTPS)"
        }
        Name::Gotify => "gotify://HOST/TOKEN (HTTP) or gotifys://HOST/TOKEN (HTTPS)",
        Name::Sonarr => "sonarr://KEY@HOST:8989 (HTTP) or sonarrs://KEY@HOST (HTTPS)",
        Name::Radarr => "radarr://KEY@HOST:7878 (HTTP) or radarrs://KEY@HOST (HTTPS)",
        Name::Jellyfin => "jellyfin://KEY@HOST:8096 (HTTP) or jellyfins://KEY@HOST (HTTPS)",
        _ => "plex://TOKEN@HOST:32400 (HTTP) or plexs://TOKEN@HOST (HTTPS)",
    };
    if parts.host.is_empty() || !parts.query.is_empty() {
        return Err(parts.wrong(form));
    }
    let mut key = parts.key();
    let mut topic = None;
    let mut credentials = None;
    match name {
        Name::Ntfy => {
            let token = |token: &String| Credentials::Bearer(Secret::from(token));
            credentials = match (&parts.user, &parts.password) {
                (Some(user), Some(password)) => {
                    Some(Credentials::Basic(user.clone(), Secret::from(password)))
                }
                (Some(user), None) => Some(token(user)),
                (None, password) => password.as_ref().map(token),
            };
            topic = match parts.path.pop() {
                Some(topic) => Some(topic),
                None => Some(std::mem::replace(&mut parts.host, "ntfy.sh".to_owned())),
            };
        }
        Name::Gotify => key = parts.path.pop().map(Secret::from),
        _ => {}
    }
    if key.is_none() && name != Name::Ntfy {
        return Err(parts.wrong(form));
    }
    let scheme = if parts.host == "ntfy.sh" {
        "https"
    } else {
        scheme
    };
    let port = parts
        .port
        .map_or_else(String::new, |port| format!(":{port}"));
    let path = parts.path.join("/");
    let base = Url::parse(&format!("{scheme}://{}{port}/{path}", parts.host));
    Ok(WebTarget {
        base: base.map_err(|_| parts.wrong(form))?,
        key,
        topic,
        credentials,
        service: Some(name),
    })
}

/// A service of the internet, e.g. `discord://id/token`.
pub(super) fn service(name: Name, parts: Parts) -> Result<WebTarget, TargetError> {
    let (count, before, form) = match name {
        Name::Slack => (2, "https://hooks.slack.com/services", "slack://T…/B…/TOKEN"),
        _ => (1, "https://discord.com/api/webhooks", "discord://ID/TOKEN"),
    };
    if parts.path.len() != count || parts.host.is_empty() {
        return Err(parts.wrong(form));
    }
    let base = Url::parse(&format!("{before}/{}/{}", parts.host, parts.path.join("/")));
    Ok(WebTarget {
        base: base.map_err(|_| parts.wrong(form))?,
        key: None,
        topic: None,
        credentials: None,
        service: Some(name),
    })
}

impl WebTarget {
    /// The template of the address, unless the hook names another.
    pub fn service(&self) -> Name {
        self.service.unwrap_or(Name::Json)
    }

    /// Whether the address holds a key.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether the address holds a topic.
    pub fn has_topic(&self) -> bool {
        self.topic.is_some()
    }

    /// The server.
    pub fn server(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The request that tells an occurrence.
    ///
    /// # Errors
    /// The template's body is said to be JSON and is none.
    pub fn request(&self, template: &Template, of: &Occurrence) -> Result<Request, TemplateError> {
        let key = self.key.as_ref().map(Secret::reveal);
        let values = Values::new(of, key, self.topic.as_deref());
        let Filled {
            method,
            path,
            headers,
            body,
        } = template.fill(&values)?;
        let credentials = self.credentials.clone();
        Ok(Request {
            method,
            url: self.url(&path),
            headers,
            body,
            credentials: credentials.filter(|_| !template.uses(Placeholder::Key)),
        })
    }

    /// The address with what a template adds to it.
    fn url(&self, added: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = added.split_once('?').map_or((added, ""), |parts| parts);
        if !path.is_empty() {
            let before = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{before}{path}"));
        }
        if !query.is_empty() {
            let own = url.query().map(|own| format!("{own}&"));
            let query = format!("{}{query}", own.unwrap_or_default());
            url.set_query(Some(&query));
        }
        url
    }
}

impl fmt::Display for WebTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service {
            Some(service) => write!(f, "{service} at {}", self.server()),
            None => write!(f, "{}/…", self.server()),
        }
    }
}

impl fmt::Debug for WebTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebTarget({self})")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.url.origin().ascii_serialization();
        write!(f, "Request({:?} {server})", self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Target;
    use super::*;

    /// The request of an address with its own template: method, address, headers, body, credentials.
    fn request(address: &str) -> Request {
        let Target::Web(web) = Target::read(&Secret::from(address)).expect(address) else {
            panic!("{address} is no web server");
        };
        let test = Occurrence::test(jiff::Timestamp::UNIX_EPOCH);
        let template = web.service().template();
        web.request(&template, &test).expect("sound")
    }

    #[test]
    fn each_service_is_asked_as_its_documentation_says() {
        for (address, method, url, header, body) in [
            (
                "ntfy://films",
                Method::Post,
                "https://ntfy.sh/",
                None,
                Some("\"topic\": \"films\""),
            ),
            (
                "ntfys://h:1/films",
                Method::Post,
                "https://h:1/",
                None,
                Some("\"tags\": [\"white_check_mark\"]"),
            ),
            (
                "gotify://h:80/sub/K",
                Method::Post,
                "http://h/sub/message",
                Some(("X-Gotify-Key", "K")),
                Some("\"title\": \"Test\""),
            ),
            (
                "discord://1/T",
                Method::Post,
                "https://discord.com/api/webhooks/1/T",
                None,
                Some("\"parse\": []"),
            ),
            (
                "slack://TA/BB/c",
                Method::Post,
                "https://hooks.slack.com/services/TA/BB/c",
                None,
                Some("*Test*\\nThis"),
            ),
            (
                "sonarr://K@h:8989/tv",
                Method::Post,
                "http://h:8989/tv/api/v3/command",
                Some(("X-Api-Key", "K")),
                Some("{\"name\": \"RescanSeries\"}"),
            ),
            (
                "radarrs://K@h",
                Method::Post,
                "https://h/api/v3/command",
                Some(("X-Api-Key", "K")),
                Some("{\"name\": \"RescanMovie\"}"),
            ),
            (
                "jellyfin://K@h:8096",
                Method::Post,
                "http://h:8096/Library/Refresh",
                Some(("Authorization", "MediaBrowser Token=\"K\"")),
                None,
            ),
            (
                "plex://K@h:32400",
                Method::Get,
                "http://h:32400/library/sections/all/refresh",
                Some(("X-Plex-Token", "K")),
                None,
            ),
            (
                "https://h/a?b=c",
                Method::Post,
                "https://h/a?b=c",
                None,
                Some("\"type\":\"test\""),
            ),
        ] {
            let request = request(address);
            assert_eq!(request.method, method, "{address}");
            assert_eq!(request.url.as_str(), url, "{address}");
            let headers: Vec<(&str, &str)> = request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(headers, Vec::from_iter(header), "{address}");
            let sent = request.body.map(|(body, _)| body);
            match body {
                Some(body) => assert!(
                    sent.as_ref().is_some_and(|sent| sent.contains(body)),
                    "{address}: {sent:?}"
                ),
                None => assert_eq!(sent, None, "{address}"),
            }
            assert_eq!(request.credentials, None, "{address}");
        }
    }

    #[test]
    fn credentials_go_where_the_server_looks_for_them() {
        let basic =
            |user: &str, password: &str| Some(Credentials::Basic(user.to_owned(), password.into()));
        let bearer = |token: &str| Some(Credentials::Bearer(token.into()));
        for (address, credentials) in [
            ("ntfys://u:p%40@h/t", basic("u", "p@")),
            ("ntfys://tk_1@h/t", bearer("tk_1")),
            ("ntfys://:tk_1@h/t", bearer("tk_1")),
            ("https://u:p@h/", basic("u", "p")),
        ] {
            assert_eq!(request(address).credentials, credentials, "{address}");
        }
        assert!(request("https://u:p@h/").url.username().is_empty());
    }
}
