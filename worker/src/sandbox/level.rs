//! How well this machine can confine tools, and how well it must.

use std::io;
use std::path::Path;

use clap::ValueEnum;
use common::farm::confinement::Confinement;

/// What a worker does where a part of the sandbox cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// It refuses to start
    Required,
    /// It does without that part, and says so
    BestEffort,
}

impl Default for Policy {
    fn default() -> Self {
        match cfg!(target_os = "linux") {
            true => Self::Required,
            // Other systems offer no part of it.
            false => Self::BestEffort,
        }
    }
}

/// The option of `worker sandbox` that applies every part to this process, and prints which of them it could.
pub(super) const TRY: &str = "--try";

/// Tries every part of the sandbox in a process of its own, which is this program.
///
/// # Errors
/// If that process cannot be started, or gives no answer.
pub async fn offered(program: &Path) -> io::Result<Confinement> {
    if !cfg!(target_os = "linux") {
        return Ok(Confinement::default());
    }
    let mut command = tokio::process::Command::new(program);
    let tried = command.args(["sandbox", TRY]).output().await?;
    serde_json::from_slice(&tried.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&tried.stderr);
        io::Error::other(format!(
            "{}: {}",
            tried.status,
            said.lines().next().unwrap_or("no answer")
        ))
    })
}

/// Why a worker that must confine its tools does not start here, and what to do. `None` if it may start.
pub fn refusal(policy: Policy, offered: Confinement) -> Option<String> {
    if policy == Policy::BestEffort || offered.is_full() {
        return None;
    }
    if !cfg!(target_os = "linux") {
        return Some(
            "--sandbox required: only Linux can confine ffmpeg; --sandbox best-effort starts the worker without"
                .to_owned(),
        );
    }
    let mut lines =
        vec!["this machine cannot confine ffmpeg as --sandbox required asks:".to_owned()];
    for (is_there, lacks) in [
        (
            offered.files,
            "its files: Landlock does not answer. Linux has it since 5.13, if the boot option `lsm=` does not leave \
             it out; the seccomp profile of a container may forbid it",
        ),
        (
            offered.network,
            "its network: Landlock has no rules for TCP here (Linux has them since 6.7), and a network namespace cannot \
             be made either",
        ),
        (
            offered.system_calls,
            "its system calls: seccomp filters cannot be installed. Linux has them on x86_64, aarch64 and riscv64",
        ),
    ] {
        if !is_there {
            lines.push(format!("  {lacks}"));
        }
    }
    lines.push(
        "Update the kernel, or let the worker start without that: --sandbox best-effort (WORKER_SANDBOX). A hostile \
         file that takes ffmpeg over may then do more"
            .to_owned(),
    );
    Some(lines.join("\n"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_is_missing_and_what_to_do() {
        let full = Confinement {
            files: true,
            network: true,
            own_network: false,
            system_calls: true,
        };
        assert_eq!(refusal(Policy::Required, full), None);
        let old = Confinement {
            network: false,
            ..full
        };
        assert_eq!(refusal(Policy::BestEffort, old), None);
        let words = refusal(Policy::Required, old).expect("refused");
        assert!(words.contains("6.7"), "{words}");
        assert!(words.contains("--sandbox best-effort"), "{words}");
        assert!(!words.contains("5.13"), "{words}");
    }
}
