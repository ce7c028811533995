//! The wrapper's command line: what the worker asks for, and what the wrapper reads.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::resources::Resources;

/// The wrapper's command line, parsed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Order {
    /// The supervisor's process id, for the process that becomes the tool. `None` for the supervisor itself.
    pub(super) parent: Option<i32>,
    pub(super) read: Vec<PathBuf>,
    /// Further files and folders of the tool's installation.
    pub(super) installed: Vec<PathBuf>,
    pub(super) write: Option<PathBuf>,
    /// The ports that the tool may connect to.
    pub(super) connects: BTreeSet<u16>,
    /// Whether it connects in a network of its own.
    pub(super) own_network: bool,
    pub(super) resources: Resources,
    pub(super) background: bool,
    /// Whether the tool may start other processes.
    pub(super) starts_processes: bool,
    /// Whether the tool is not started where a part of the sandbox cannot be applied.
    pub(super) required: bool,
    pub(super) tool: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

impl Order {
    /// The command line, without the name of the program and without `sandbox`.
    pub(super) fn write(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = Vec::new();
        if let Some(parent) = self.parent {
            line.extend(["--child".into(), parent.to_string().into()]);
        }
        for path in &self.read {
            line.extend(["--read".into(), path.into()]);
        }
        for path in &self.installed {
            line.extend(["--installed".into(), path.into()]);
        }
        if let Some(path) = &self.write {
            line.extend(["--write".into(), path.into()]);
        }
        for port in &self.connects {
            line.extend(["--connect".into(), port.to_string().into()]);
        }
        let Resources { memory, file_size } = self.resources;
        for (name, most) in [("--memory", memory), ("--file-size", file_size)] {
            if let Some(most) = most {
                line.extend([name.into(), most.to_string().into()]);
            }
        }
        for (is_set, name) in [
            (self.own_network, "--own-network"),
            (self.background, "--background"),
            (self.starts_processes, "--starts-processes"),
            (self.required, "--required"),
        ] {
            line.extend(is_set.then(|| name.into()));
        }
        line.extend(["--".into(), self.tool.clone().into()]);
        line.extend(self.arguments.iter().cloned());
        line
    }

    #[cfg(any(test, target_os = "linux"))]
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut order = Self::default();
        loop {
            let argument = arguments.next()?;
            match argument.to_str()? {
                "--child" => order.parent = Some(arguments.next()?.to_str()?.parse().ok()?),
                "--read" => order.read.push(arguments.next()?.into()),
                "--installed" => order.installed.push(arguments.next()?.into()),
                "--write" => order.write = Some(arguments.next()?.into()),
                "--connect" => {
                    order
                        .connects
                        .insert(arguments.next()?.to_str()?.parse().ok()?);
                }
                "--memory" => {
                    order.resources.memory = Some(arguments.next()?.to_str()?.parse().ok()?)
                }
                "--file-size" => {
                    order.resources.file_size = Some(arguments.next()?.to_str()?.parse().ok()?);
                }
                "--own-network" => order.own_network = true,
                "--background" => order.background = true,
                "--starts-processes" => order.starts_processes = true,
                "--required" => order.required = true,
                "--" => break,
                _ => return None,
            }
        }
        order.tool = arguments.next()?.into();
        order.arguments = arguments.collect();
        Some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_reads_what_the_worker_writes() {
        let order = Order {
            parent: Some(7),
            read: vec!["--write".into(), "/films/a b.mkv".into()],
            installed: vec!["/models".into()],
            write: Some("/s".into()),
            connects: [4021, 4022].into(),
            own_network: true,
            resources: Resources {
                memory: Some(1 << 30),
                file_size: Some(7),
            },
            background: true,
            starts_processes: true,
            required: true,
            tool: "/bin/ffmpeg".into(),
            arguments: vec!["--read".into(), "x".into()],
        };
        assert_eq!(Order::read(order.write()), Some(order));
        assert_eq!(Order::read(["--nonsense".into()]), None);
        assert_eq!(Order::read([]), None);
    }
}
