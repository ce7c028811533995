//! Telling a person that a command has ended: by the addresses of `--notify`, and on the desktop.

mod desktop;

use clap::Args;
use common::notify::delivery::Answer;
use common::notify::hook::{Hook, Prepared};
use common::notify::message::Message;
use common::notify::occurrence::{BatchDone, Occurrence};
use common::notify::secret::Secret;
use common::notify::send::Sender;
use common::say;
use futures::future::join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::Error;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "At the end")]
pub(crate) struct NotifyOptions {
    /// Address to tell once all jobs have ended, as for `producer hooks add`, e.g. ntfy://TOPIC; may be repeated
    #[arg(long, value_name = "URL")]
    pub notify: Vec<Secret>,
    /// Show a notification on this desktop once all jobs have ended
    #[arg(long)]
    pub notify_desktop: bool,
}

/// Whom to tell, with the addresses read.
#[derive(Debug, Default)]
pub(crate) struct Told {
    hooks: Vec<Prepared>,
    desktop: bool,
}

impl NotifyOptions {
    /// Reads the addresses, before any work is begun. `waits` is whether the command waits for its jobs.
    ///
    /// # Errors
    /// One is none, or the command does not wait.
    pub(crate) fn read(&self, waits: bool) -> Result<Told, Error> {
        if !waits && (self.notify_desktop || !self.notify.is_empty()) {
            return Err(Error::usage(
                "--notify and --notify-desktop tell that jobs have ended: they need --wait, and no --dry-run; a hook of the farm needs neither (`producer hooks add`)",
            ));
        }
        let read = |url: &Secret| {
            let hook = Hook::of_command(url.clone(), Timestamp::now());
            hook.prepare()
                .map_err(|error| Error::usage(format!("--notify: {error}")))
        };
        Ok(Told {
            hooks: self.notify.iter().map(read).collect::<Result<_, _>>()?,
            desktop: self.notify_desktop,
        })
    }
}

impl Told {
    /// Tells that the jobs have ended. A message that does not arrive is a warning: the work is done.
    pub(crate) async fn tell(&self, done: BatchDone, shutdown: &CancellationToken) {
        tokio::select! {
            () = self.send(done) => {}
            () = shutdown.cancelled() => say!("warning: interrupted; not everybody was told"),
        }
    }

    async fn send(&self, done: BatchDone) {
        if self.hooks.is_empty() && !self.desktop {
            return;
        }
        let now = Timestamp::now();
        let occurrence = Occurrence::command_done(done, now);
        let sender = Sender::new();
        let sent = self
            .hooks
            .iter()
            .filter(|hook| occurrence.fact.has_written() || !hook.looks_for_files)
            .map(|hook| sender.send(hook, &occurrence, now));
        for answer in join_all(sent).await {
            if !matches!(answer, Answer::Taken(_)) {
                say!("warning: --notify: {}", answer.words());
            }
        }
        if self.desktop
            && let Err(error) = desktop::show(&Message::of(&occurrence)).await
        {
            say!("warning: --notify-desktop: {error}");
        }
    }
}
