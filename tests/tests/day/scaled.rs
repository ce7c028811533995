//! The machine whose workers come and go with the jobs.

use std::path::PathBuf;
use std::process::Command;

use harness::process::{Daemon, Signal};

use super::machines::{Machine, worker_environment};

/// An autoscaler, and the processes that it has started.
pub(super) struct Scaled {
    process: Daemon,
    machine: Machine,
    pids: PathBuf,
}

impl Scaled {
    /// Joins with the line for any number of workers, and starts the autoscaler on the machine of the person.
    pub(super) async fn start(first: &Machine, machine: Machine, line: &str, most: usize) -> Self {
        let token = line.strip_prefix("worker --join ").unwrap();
        machine.install();
        let join = ["join", token, "--for", "worker"];
        machine.producer(&join).await.succeeded();
        let pids = machine.home.join("pids");
        std::fs::create_dir(&pids).unwrap();
        let start = format!(
            "echo $$ > {pids}/{{name}} && exec {worker} --farm {file} --name {{name}}",
            pids = pids.display(),
            worker = machine.installed().display(),
            file = machine.file().display(),
        );
        let stop = format!("kill $(cat {}/{{name}})", pids.display());
        let mut command = first.command("producer");
        command
            .envs(worker_environment(&machine.home))
            .args([
                "autoscale",
                "--encoder",
                "libx264",
                "--name",
                "hall",
                "--max",
                &most.to_string(),
            ])
            .args([
                "--poll",
                "1s",
                "--cool-down",
                "2s",
                "--up-per-minute",
                "60",
                "--down-per-minute",
                "60",
            ])
            .args(["--shell", "--start", &start, "--stop", &stop]);
        let process = Daemon::start("autoscaler", command, &machine.home.join("autoscaler.log"));
        Self {
            process,
            machine,
            pids,
        }
    }

    /// The processes of its workers that are there.
    pub(super) fn workers(&self) -> Vec<u32> {
        let files = std::fs::read_dir(&self.pids).unwrap();
        let pid = |file: std::fs::DirEntry| {
            let pid: u32 = std::fs::read_to_string(file.path())
                .ok()?
                .trim()
                .parse()
                .ok()?;
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            (!state.contains(") Z")).then_some(pid)
        };
        files.filter_map(|file| pid(file.unwrap())).collect()
    }

    /// Installs another build, and ends each worker: its job goes on elsewhere, and the autoscaler starts others.
    pub(super) fn upgrade(&self) -> Vec<u32> {
        self.machine.install();
        let former = self.workers();
        for pid in &former {
            signal(*pid, "-TERM");
        }
        former
    }

    /// Ends the autoscaler itself, in good order.
    pub(super) async fn end(mut self) {
        self.process.signal(Signal::TERM);
        assert_eq!(
            self.process.wait().await.code(),
            Some(0),
            "{}",
            self.process.log()
        );
    }
}

fn signal(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
}

impl Drop for Scaled {
    /// Workers outlive their autoscaler.
    fn drop(&mut self) {
        for pid in self.workers() {
            signal(pid, "-KILL");
        }
    }
}
