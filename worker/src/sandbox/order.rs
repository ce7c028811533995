//! The wrapper's command line: what the worker asks for, and what the wrapper reads.

use std::ffi::OsString;
use std::path::PathBuf;

/// The wrapper's command line, parsed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Order {
    /// The supervisor's process id, for the process that becomes the tool. `None` for the supervisor itself.
    pub(super) parent: Option<i32>,
    pub(super) read: Vec<PathBuf>,
    /// Further files and folders of the tool's installation.
    pub(super) installed: Vec<PathBuf>,
    pub(super) write: Option<PathBuf>,
    /// Whether the tool may make connections.
    pub(super) network: bool,
    pub(super) background: bool,
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
        for (is_set, name) in [
            (self.network, "--network"),
            (self.background, "--background"),
            (self.required, "--required"),
        ] {
            line.extend(is_set.then(|| name.into()));
        }
        line.extend(["--".into(), self.tool.clone().into()]);
        line.extend(self.arguments.iter().cloned());
        line
    }

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
                "--network" => order.network = true,
                "--background" => order.background = true,
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
            network: false,
            background: true,
            required: true,
            tool: "/bin/ffmpeg".into(),
            arguments: vec!["--read".into(), "x".into()],
        };
        assert_eq!(Order::read(order.write()), Some(order));
        assert_eq!(Order::read(["--nonsense".into()]), None);
        assert_eq!(Order::read([]), None);
    }
}
