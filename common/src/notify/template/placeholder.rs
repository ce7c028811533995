//! The placeholders of templates, and their values.

use crate::notify::message::{Level, Message, payload, place};
use crate::notify::occurrence::{Fact, Occurrence};

macro_rules! placeholders {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// A placeholder of a template.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Placeholder {
            $($(#[$doc])* $variant),*
        }

        impl Placeholder {
            /// Every placeholder with its name.
            const ALL: &[(Self, &str)] = &[$((Self::$variant, $name)),*];
        }
    };
}

placeholders! {
    /// The kind of event, e.g. `batch-done`.
    Event = "event",
    /// The id of the occurrence.
    Id = "id",
    /// When it happened, RFC 3339 in UTC.
    Time = "time",
    /// The title, one line.
    Title = "title",
    /// The text, one paragraph.
    Text = "text",
    /// Title and text for Slack, with the characters escaped that it would obey.
    Slack = "slack",
    /// The text in Markdown, with the characters escaped that it would obey.
    Markdown = "markdown",
    /// The JSON that webhooks get.
    Json = "json",
    /// 3 where all is well, 4 otherwise: the priorities of ntfy.
    Priority = "priority",
    /// A colour, as Discord counts them.
    Color = "color",
    /// A name of an emoji of ntfy.
    Tag = "tag",
    /// The name of the batch or of the library.
    Name = "name",
    /// The input of a job.
    Input = "input",
    /// The output of a job, or the folder of a batch's outputs.
    Output = "output",
    /// The worker.
    Worker = "worker",
    /// The key or token in the hook's address.
    Key = "key",
    /// The topic in the hook's address.
    Topic = "topic",
}

impl Placeholder {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(placeholder, _)| *placeholder)
    }

    /// The names of all.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(_, name)| *name).collect()
    }
}

/// The values of all placeholders for one message.
pub struct Values<'a> {
    occurrence: &'a Occurrence,
    message: Message,
    key: Option<&'a str>,
    topic: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// The values for an occurrence and a hook's address.
    pub fn new(occurrence: &'a Occurrence, key: Option<&'a str>, topic: Option<&'a str>) -> Self {
        Self {
            occurrence,
            message: Message::of(occurrence),
            key,
            topic,
        }
    }

    /// The value of a placeholder; empty where the occurrence has none.
    pub fn get(&self, placeholder: Placeholder) -> String {
        let fact = &self.occurrence.fact;
        let Message { title, text, level } = &self.message;
        let is_good = *level == Level::Good;
        let either = |good: &str, bad: &str| if is_good { good } else { bad }.to_owned();
        match placeholder {
            Placeholder::Event => fact.kind().to_string(),
            Placeholder::Id => self.occurrence.id.to_string(),
            Placeholder::Time => self.occurrence.at.to_string(),
            Placeholder::Title => title.clone(),
            Placeholder::Text => text.clone(),
            Placeholder::Slack => format!("*{}*\n{}", slack(title), slack(text)),
            Placeholder::Markdown => markdown(text),
            Placeholder::Json => payload(self.occurrence).to_string(),
            Placeholder::Priority => either("3", "4"),
            Placeholder::Color => either("3066993", "15158332"),
            Placeholder::Tag => either("white_check_mark", "warning"),
            Placeholder::Name => fact.scope().unwrap_or_default().to_owned(),
            Placeholder::Input => match fact {
                Fact::JobFailed(failed) => place(&failed.input),
                Fact::JobCompleted(done) => place(&done.input),
                _ => String::new(),
            },
            Placeholder::Output => match fact {
                Fact::JobFailed(failed) => place(&failed.output),
                Fact::JobCompleted(done) => place(&done.output),
                Fact::BatchDone(done) => done.folder.as_ref().map(place).unwrap_or_default(),
                _ => String::new(),
            },
            Placeholder::Worker => match fact {
                Fact::JobFailed(failed) => failed
                    .worker
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                Fact::JobCompleted(done) => done.worker.to_string(),
                Fact::WorkerLost(lost) => lost.worker.to_string(),
                _ => String::new(),
            },
            Placeholder::Key => self.key.unwrap_or_default().to_owned(),
            Placeholder::Topic => self.topic.unwrap_or_default().to_owned(),
        }
    }
}

/// Slack reads links and mentions between `<` and `>`.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_~|<>[]#".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_write_to_everybody() {
        assert_eq!(slack("<!channel> & co"), "&lt;!channel&gt; &amp; co");
        assert_eq!(markdown("my_film *cut*"), "my\\_film \\*cut\\*");
    }
}
