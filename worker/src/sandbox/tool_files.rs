//! The files of a tool that lies outside of the system's folders: the tool, its loader and its libraries, and none of
//! their neighbours.
//!
//! A program names its libraries. The loader searches them in folders that the program names too, in
//! `LD_LIBRARY_PATH`, and in the system's folders. This module searches in the first two. A library that is found in
//! neither is the system's.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use elf::ElfStream;
use elf::abi::{
    DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, PT_DYNAMIC, PT_INTERP, PT_LOAD,
};
use elf::endian::AnyEndian;
use elf::parse::ParseAt;

/// Most files of one tool. A build of ffmpeg has some two hundred.
const MOST: usize = 2000;

/// The tool, its loader and its libraries, each by a path without links.
pub(super) fn of(tool: &Path) -> BTreeSet<PathBuf> {
    let further = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let further: Vec<PathBuf> = std::env::split_paths(&further)
        .filter(|folder| folder.is_absolute())
        .collect();
    let mut files = BTreeSet::new();
    let mut waiting = vec![tool.to_owned()];
    // Folders that a program names are searched for the libraries of its libraries as well.
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    while let Some(named) = waiting.pop() {
        let Ok(file) = named.canonicalize() else {
            continue;
        };
        if files.len() == MOST || !files.insert(file.clone()) {
            continue;
        }
        // A script, or a static program.
        let Ok(program) = Program::read(&file) else {
            continue;
        };
        waiting.extend(program.loader);
        folders.extend(program.folders);
        for library in &program.libraries {
            let found = match library.is_absolute() {
                true => Some(library.clone()),
                false => folders
                    .iter()
                    .chain(&further)
                    .map(|folder| folder.join(library))
                    .find(|path| path.is_file()),
            };
            waiting.extend(found);
        }
    }
    files
}

/// What a program says about its libraries.
#[derive(Debug, Default)]
struct Program {
    loader: Option<PathBuf>,
    libraries: Vec<PathBuf>,
    /// Folders in which the libraries are searched first.
    folders: Vec<PathBuf>,
}

impl Program {
    /// # Errors
    /// If the file is no program or library of this kind of system, or cannot be read.
    fn read(file: &Path) -> io::Result<Self> {
        let broken = |_| io::Error::from(io::ErrorKind::InvalidData);
        let mut program = Self::default();
        let mut stream =
            ElfStream::<AnyEndian, _>::open_stream(File::open(file)?).map_err(broken)?;
        let segments = stream.segments().clone();
        let (endian, class) = (stream.ehdr.endianness, stream.ehdr.class);
        let text = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == 0);
            PathBuf::from(OsStr::from_bytes(&bytes[..end.unwrap_or(bytes.len())]))
        };
        if let Some(loader) = segments.iter().find(|segment| segment.p_type == PT_INTERP) {
            program.loader = Some(text(stream.segment_data(loader).map_err(broken)?));
        }
        let Some(dynamic) = segments.iter().find(|segment| segment.p_type == PT_DYNAMIC) else {
            return Ok(program);
        };
        let table = stream.segment_data(dynamic).map_err(broken)?;
        let mut entries = Vec::new();
        let mut at = 0;
        while let Ok(entry) = elf::dynamic::Dyn::parse_at(endian, class, &mut at, table) {
            entries.push((entry.d_tag, entry.d_val()));
        }
        let value = |tag| {
            entries
                .iter()
                .find(|(of, _)| *of == tag)
                .map(|(_, value)| *value)
        };
        let (Some(names), Some(length)) = (value(DT_STRTAB), value(DT_STRSZ)) else {
            return Ok(program);
        };
        let holds = |segment: &&elf::segment::ProgramHeader| {
            let end = segment.p_vaddr.saturating_add(segment.p_filesz);
            segment.p_type == PT_LOAD && (segment.p_vaddr..end).contains(&names)
        };
        let Some(segment) = segments.iter().find(holds) else {
            return Ok(program);
        };
        // Of a segment, which may be large, the table of names only.
        let names = elf::segment::ProgramHeader {
            p_offset: segment.p_offset.saturating_add(names - segment.p_vaddr),
            p_filesz: length,
            ..*segment
        };
        let names = stream.segment_data(&names).map_err(broken)?;
        let name = |offset: u64| Some(text(names.get(usize::try_from(offset).ok()?..)?));
        let origin = file.parent().unwrap_or(Path::new("/"));
        for (tag, offset) in &entries {
            match *tag {
                DT_NEEDED => program.libraries.extend(name(*offset)),
                DT_RPATH | DT_RUNPATH => {
                    let listed = name(*offset).unwrap_or_default();
                    let folders = std::env::split_paths(&listed);
                    program
                        .folders
                        .extend(folders.map(|folder| from(&folder, origin)));
                }
                _ => {}
            }
        }
        Ok(program)
    }
}

/// A folder that may be named from where the program lies: `$ORIGIN/../lib`.
fn from(folder: &Path, origin: &Path) -> PathBuf {
    let mut parts = folder.components();
    match parts.next().map(|first| first.as_os_str().as_bytes()) {
        Some(b"$ORIGIN" | b"${ORIGIN}") => origin.join(parts.as_path()),
        _ => folder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_with_its_loader_and_libraries() {
        // The test itself is a program with libraries.
        let this = std::env::current_exe().expect("this test");
        let program = Program::read(&this).expect("a program");
        let loader = program.loader.expect("a loader");
        assert!(loader.is_file(), "{}", loader.display());
        let names = program.libraries;
        assert!(
            names
                .iter()
                .any(|name| name.to_string_lossy().starts_with("libc.so")),
            "{names:?}"
        );
        let files = of(&this);
        assert!(files.contains(&this.canonicalize().expect("there")));
        assert!(files.contains(&loader.canonicalize().expect("there")));
    }

    #[test]
    fn a_script_is_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().canonicalize().expect("there").join("ffmpeg");
        std::fs::write(&script, "#!/bin/sh\n").expect("written");
        assert_eq!(of(&script), BTreeSet::from([script]));
    }

    #[test]
    fn folders_are_named_from_where_the_program_lies() {
        let origin = Path::new("/opt/ffmpeg/bin");
        for (named, is) in [
            ("$ORIGIN/../lib", "/opt/ffmpeg/bin/../lib"),
            ("${ORIGIN}", "/opt/ffmpeg/bin/"),
            ("/opt/x/lib", "/opt/x/lib"),
        ] {
            assert_eq!(from(Path::new(named), origin), Path::new(is));
        }
    }
}
