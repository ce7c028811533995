//! Somebody who types the commands of a page, one after the other, on the machines that it names.
//!
//! What differs from the page: folders like `/srv` lie in the folder of the test, servers listen on free ports of the
//! loopback address, workers prove two encoders only, and keys, tokens and ids are those of this farm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::testing::documents;
use harness::process::{Daemon, Signal, run_within};
use harness::servers::ports::free_ports;
use harness::servers::store::TestStore;
use harness::{outside, paths, poll, programs};
use tempfile::TempDir;

use super::shown;

/// Longer than any command of the guide takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A batch and a job, as documents call them.
const BATCH: &str = "01a214f4-f162";
const JOB: &str = "9c1f3a52";

pub(super) struct Reader {
    folder: TempDir,
    ports: Vec<u16>,
    store: BTreeMap<&'static str, String>,
    /// The lines that set variables, by machine.
    exports: BTreeMap<String, String>,
    /// Everything that was printed so far.
    printed: String,
    daemons: Vec<Daemon>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            folder: paths::test_folder(),
            ports: free_ports(3),
            store: BTreeMap::new(),
            exports: BTreeMap::new(),
            printed: String::new(),
            daemons: Vec::new(),
        }
    }

    pub(super) fn with_store(mut self, store: &TestStore) -> Self {
        self.store = store.environment().into_iter().collect();
        self
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home folder of a machine.
    pub(super) fn home(&self, machine: &str) -> PathBuf {
        let home = self.folder().join(machine);
        std::fs::create_dir_all(&home).expect("a test's folder can be written");
        home
    }

    /// Reads a page from top to bottom.
    pub(super) async fn read(mut self, document: &str) -> Self {
        let path = paths::repository().join(document);
        let text = documents::text(&path);
        let mut ran = 0;
        let mut last = String::new();
        for block in documents::blocks_of(document, &text) {
            let place = format!("{document}:{}", block.line);
            let machine = match block.info.as_str() {
                "sh" => "home",
                "text output" => {
                    let missing = shown::missing(&block.text, &last);
                    assert!(missing.is_empty(), "{place}: {missing:?} in:\n{last}");
                    continue;
                }
                info => match info.strip_prefix("sh on ") {
                    Some(machine) => machine,
                    None => continue,
                },
            };
            let before = self.printed.len();
            for (_, line) in documents::lines(&block.text) {
                self.type_line(machine, line.trim(), &place).await;
                ran += 1;
            }
            last = self.printed[before..].to_owned();
        }
        assert!(ran > 0, "{document} has no commands");
        self
    }

    async fn type_line(&mut self, machine: &str, line: &str, place: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let line = self.of_this_farm(machine, line).await;
        if let Some(variable) = line.strip_prefix("export ") {
            let name = variable.split('=').next().unwrap_or_default();
            let own = self.store.get(name);
            let line = own.map_or(line.clone(), |value| format!("export {name}='{value}'"));
            let exports = self.exports.entry(machine.to_owned()).or_default();
            *exports += &format!("{line}\n");
            return;
        }
        if runs_on(&line) {
            self.start(machine, &line).await;
            return;
        }
        let ran = run_within(PATIENCE, self.shell(machine, &line)).await;
        assert_eq!(ran.code, Some(0), "{place}: {line}: {ran:?}");
        self.printed += &format!("{}\n{}\n", ran.stdout, ran.stderr);
    }

    fn shell(&self, machine: &str, line: &str) -> Command {
        let exports = self.exports.get(machine).map_or("", String::as_str);
        let mut command = programs::shell(&format!("{exports}{line}"), &self.home(machine));
        command
            .env("XDG_CACHE_HOME", paths::shared_cache())
            // Workers of other tests have the same names.
            .env("WORKER_SCRATCH", self.home(machine).join("scratch"))
            .env("WORKER_ENCODERS", "libx264,libx265");
        if machine != "home" {
            command.env("WORKER_NAME", machine);
        }
        command
    }

    /// Starts a program that goes on until the end of the test, and waits until it serves.
    async fn start(&mut self, machine: &str, line: &str) {
        let program = line.split(' ').next().unwrap_or_default();
        let command = self.shell(machine, &format!("exec {line}"));
        let log = self.home(machine).join(format!("{program}.log"));
        let mut daemon = Daemon::start(&format!("{program} on {machine}"), command, &log);
        let sign = match program {
            "monitor" => "the page is at",
            _ => "ready",
        };
        poll::until_within(PATIENCE, &format!("{line} on {machine}"), async || {
            let ended = daemon.ended();
            assert!(ended.is_none(), "{line} has ended: {}", daemon.log());
            daemon.log().contains(sign).then_some(())
        })
        .await;
        self.daemons.push(daemon);
    }

    /// The line with the folders, ports, tokens and ids of this farm.
    async fn of_this_farm(&self, machine: &str, line: &str) -> String {
        let srv = self.folder().join("srv");
        let mut line = line.replace("/srv/", &format!("{}/", srv.display()));
        if let Some(options) = line.strip_prefix("producer setup --store") {
            let [broker, http, _] = self.ports[..] else {
                unreachable!("three ports");
            };
            line = format!(
                "producer setup --listen 127.0.0.1:{broker} --http-port {http} --store{options}"
            );
        }
        if let Some((before, _)) = line.split_once("ffmpeg-easy-1.…") {
            let after = line.split_once('…').map_or("", |(_, after)| after);
            let lines = self.printed.lines().rev();
            let mut tokens = lines.filter_map(|printed| printed.strip_prefix(before));
            let token = tokens
                .next()
                .unwrap_or_else(|| panic!("no token for {before}"));
            line = format!("{before}{}{after}", token.trim());
        }
        if line.starts_with("monitor") && runs_on(&line) {
            line = line.replacen(
                "monitor",
                &format!("monitor --listen 127.0.0.1:{}", self.ports[2]),
                1,
            );
        }
        if line.contains(BATCH) {
            let (_, batch) = self.printed.rsplit_once("(batch ").expect("a batch");
            let batch = batch.split(')').next().unwrap_or_default();
            line = line.replace(BATCH, batch);
        }
        if line.contains(JOB) {
            let command = self.shell(machine, "producer jobs --state pending --json");
            let jobs = run_within(PATIENCE, command).await.succeeded().json();
            line = line.replace(JOB, jobs[0]["id"].as_str().expect("a job that waits"));
        }
        line
    }
}

/// Whether a command goes on until it is stopped.
fn runs_on(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    let first = words.next().unwrap_or("#");
    ["worker", "monitor"].contains(&program) && (first.starts_with('-') || first.starts_with('#'))
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.daemons.clear();
        for process in outside::processes_of(self.folder()) {
            if process.command.contains("nats-server") {
                process.signal(Signal::KILL);
            }
        }
    }
}
