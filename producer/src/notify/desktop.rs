//! Notifications on the desktop, by the system's own command: a library for them would link the system's message bus.

use std::process::Stdio;
use std::time::Duration;

use common::notify::message::{Level, Message};
use tokio::process::Command;

/// How long the command may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Shows a message.
///
/// # Errors
/// The command is missing or fails: the error says which, in one sentence.
pub(super) async fn show(message: &Message) -> Result<(), String> {
    let (program, mut command) = command(message);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(TIMEOUT, command.output()).await;
    let ran = ran.map_err(|_| format!("{program} does not end"))?;
    let ran = ran.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{program} is missing: {}", HOW),
        _ => format!("{program} cannot be started: {error}"),
    })?;
    match ran.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&ran.stderr);
            let said = said.lines().next().unwrap_or("it says no reason");
            Err(format!("{program} failed: {said}"))
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
const HOW: &str = "install it (libnotify)";
#[cfg(not(all(unix, not(target_os = "macos"))))]
const HOW: &str = "it is a part of the system";

#[cfg(all(unix, not(target_os = "macos")))]
fn command(message: &Message) -> (&'static str, Command) {
    let urgency = match message.level {
        Level::Good => "normal",
        Level::Bad => "critical",
    };
    let mut command = Command::new("notify-send");
    command
        .args(["--app-name", "ffmpeg-easy", "--urgency", urgency, "--"])
        .args([&message.title, &body(message)]);
    ("notify-send", command)
}

/// Desktops read a few tags of HTML in the text.
#[cfg(all(unix, not(target_os = "macos")))]
fn body(message: &Message) -> String {
    let text = message.text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// The texts are arguments of the script, never a part of it.
#[cfg(target_os = "macos")]
fn command(message: &Message) -> (&'static str, Command) {
    let _: Level = message.level;
    let mut command = Command::new("osascript");
    for line in [
        "on run texts",
        "display notification (item 2 of texts) with title (item 1 of texts)",
        "end run",
    ] {
        command.args(["-e", line]);
    }
    command.args([&message.title, &message.text]);
    ("osascript", command)
}

/// The texts are variables of the environment, never a part of the script.
#[cfg(windows)]
fn command(message: &Message) -> (&'static str, Command) {
    const SCRIPT: &str = "Add-Type -AssemblyName System.Windows.Forms; \
        $icon = New-Object System.Windows.Forms.NotifyIcon; \
        $icon.Icon = [System.Drawing.SystemIcons]::Information; $icon.Visible = $true; \
        $icon.ShowBalloonTip(5000, $env:NOTIFY_TITLE, $env:NOTIFY_TEXT, $env:NOTIFY_ICON); \
        Start-Sleep -Seconds 6; $icon.Dispose()";
    let icon = match message.level {
        Level::Good => "Info",
        Level::Bad => "Warning",
    };
    let mut command = Command::new("powershell.exe");
    command
        .args(["-NoProfile", "-NonInteractive", "-Command", SCRIPT])
        .env("NOTIFY_TITLE", &message.title)
        .env("NOTIFY_TEXT", &message.text)
        .env("NOTIFY_ICON", icon);
    ("powershell.exe", command)
}
