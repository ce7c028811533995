//! An ffmpeg that stands in for hardware which this machine lacks, and that fails on demand: see
//! `harness::faults::stand_in`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write, stderr, stdout};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use harness::faults::attacks;
use harness::faults::stand_in::{Fault, HOLD, Orders, STARTED, Trick};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stand-in: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let exe = std::env::current_exe()?;
    let folder = exe.parent().context("a program lies in a folder")?;
    let orders = Orders::read(folder)?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [first, rest @ ..] = arguments.as_slice()
        && first == SURVIVE
    {
        return survive(&exe, rest);
    }
    let asks = |option: &str| arguments.iter().any(|argument| argument == option);
    if asks("-encoders") {
        return list_encoders(&orders, &arguments);
    }
    if asks("-version") {
        return version(&orders, &arguments);
    }
    if let Some(size) = too_large(&orders.encoders, &arguments) {
        // The message of real hardware.
        eprintln!(
            "[hevc_nvenc @ 0x5581] [error] InitializeEncoder failed: invalid param (8): {size} is too large"
        );
        return Ok(ExitCode::FAILURE);
    }
    if matches!(orders.fault, Some(Fault::Sick)) && asks("-i") {
        return Ok(sick());
    }
    if let Some(Fault::Broken(says)) = &orders.fault
        && asks("-i")
    {
        eprint!("{says}");
        return Ok(ExitCode::FAILURE);
    }
    if matches!(orders.fault, Some(Fault::Stuck)) && asks("-i") {
        loop {
            std::thread::park();
        }
    }
    let mut line = in_software(&orders.encoders, &arguments);
    let Some(output) = output_of_job(&line) else {
        if matches!(orders.fault, Some(Fault::CheckHeld)) && asks("-xerror") {
            hold(folder)?;
        }
        anyhow::bail!(Command::new(&orders.real).args(line).exec());
    };
    if orders.stamp {
        let nanoseconds = started.as_nanos();
        eprintln!("[warning] {STARTED}={nanoseconds}");
        insert_before_output(
            &mut line,
            [
                "-metadata".into(),
                format!("{STARTED}={nanoseconds}").into(),
            ],
        );
    }
    if line.iter().any(|word| word == "libx264") {
        insert_before_output(&mut line, orders.further.iter().map(OsString::from));
    }
    match orders.fault {
        Some(fault) => set_fault(&fault, folder, &orders.real, line, &output),
        None => anyhow::bail!(Command::new(&orders.real).args(line).exec()),
    }
}

/// Lists the real encoders and the pretended ones.
fn list_encoders(orders: &Orders, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let real = Command::new(&orders.real).args(arguments).output()?;
    let mut list = String::from_utf8_lossy(&real.stdout).into_owned();
    for name in orders.encoders.keys() {
        if !list.split_whitespace().any(|word| word == name) {
            list.push_str(&format!(" V....D {name:<20} {name} (stand-in)\n"));
        }
    }
    stdout().write_all(list.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the real version with another build, so that no proof of the real ffmpeg is cached for this one.
fn version(orders: &Orders, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let real = Command::new(&orders.real).args(arguments).output()?;
    stdout().write_all(&real.stdout)?;
    println!(
        "stand-in for {:?} with {:?}",
        orders.encoders.keys().collect::<Vec<_>>(),
        orders.further
    );
    Ok(ExitCode::SUCCESS)
}

/// Wider pictures are refused, as by all hardware. Tests of larger pictures would take long in software.
const WIDEST: u32 = 1920;

/// The size of a test encode, if it is larger than the pretended hardware takes.
fn too_large<'a>(encoders: &BTreeMap<String, String>, line: &'a [OsString]) -> Option<&'a str> {
    let words = || line.iter().filter_map(|argument| argument.to_str());
    words().find(|word| encoders.contains_key(*word))?;
    words()
        .flat_map(|word| word.split([':', '=']))
        .find(|word| {
            let width = word
                .split_once('x')
                .and_then(|(width, _)| width.parse::<u32>().ok());
            width.is_some_and(|width| width > WIDEST)
        })
}

/// The output of a job's encode; `None` for a test encode or the check of an output.
fn output_of_job(line: &[OsString]) -> Option<PathBuf> {
    let input = line.iter().position(|argument| argument == "-i")?;
    let input = line.get(input + 1)?.to_str().unwrap_or("file:");
    let last = line.last()?.to_str()?;
    // The name of a picture has no protocol.
    let output = match last.ends_with("still.jpg") {
        true => last,
        false => last.strip_prefix("file:")?,
    };
    (input.starts_with("file:") || input.starts_with("http")).then(|| output.into())
}

fn insert_before_output(line: &mut Vec<OsString>, arguments: impl IntoIterator<Item = OsString>) {
    let output = line.len() - 1;
    line.splice(output..output, arguments);
}

/// The same command with fast software encoders in the place of the hardware.
fn in_software(encoders: &BTreeMap<String, String>, line: &[OsString]) -> Vec<OsString> {
    let software = |value: &OsString| encoders.get(value.to_str()?);
    let uses_hardware = line.iter().any(|argument| software(argument).is_some());
    if !uses_hardware {
        return line.to_owned();
    }
    let mut new: Vec<OsString> = Vec::new();
    let mut arguments = line.iter();
    while let Some(argument) = arguments.next() {
        let option = argument.to_str().unwrap_or_default();
        let name = option.split(':').next().unwrap_or_default();
        match name {
            "-c" | "-codec" | "-vcodec" => {
                let value = arguments.next().cloned().unwrap_or_default();
                new.push(argument.clone());
                match software(&value) {
                    Some(encoder) => {
                        new.push(encoder.into());
                        new.extend(["-preset", "ultrafast"].map(OsString::from));
                        if encoder == "libx265" {
                            new.extend(["-x265-params", "log-level=error"].map(OsString::from));
                        }
                    }
                    None => new.push(value),
                }
            }
            "-pix_fmt" => {
                let value = arguments.next().cloned().unwrap_or_default();
                new.push(argument.clone());
                new.push(planar(&value.to_string_lossy()).into());
            }
            "-cq" => {
                new.push("-crf".into());
                new.extend(arguments.next().cloned());
            }
            // Only hardware knows these options, or software knows them by other names.
            "-rc" | "-preset" | "-tune" | "-multipass" | "-gpu" | "-b_ref_mode" | "-spatial-aq"
            | "-temporal-aq" | "-surfaces" | "-tier" => {
                arguments.next();
            }
            "-b" => match arguments.next() {
                Some(value) if value != "0" => new.extend([argument.clone(), value.clone()]),
                _ => {}
            },
            _ if option.contains("format=") => new.push(planar(option).into()),
            _ => new.push(argument.clone()),
        }
    }
    new
}

/// The pixel format of software in the place of that of hardware.
fn planar(text: &str) -> String {
    text.replace("p010le", "yuv420p10le")
        .replace("nv12", "yuv420p")
}

fn set_fault(
    fault: &Fault,
    folder: &Path,
    real: &Path,
    mut line: Vec<OsString>,
    output: &Path,
) -> anyhow::Result<ExitCode> {
    let frames = |count: u32| ["-frames:v".into(), count.to_string().into()];
    match fault {
        Fault::Hang => {
            report(1)?;
            loop {
                std::thread::park();
            }
        }
        Fault::Crash { after_frames } => {
            insert_before_output(&mut line, frames(*after_frames));
            Command::new(real).args(line).status()?;
            std::process::abort();
        }
        Fault::Short { frames: count } => insert_before_output(&mut line, frames(*count)),
        Fault::Torn => {
            let status = Command::new(real).args(line).status()?;
            anyhow::ensure!(status.success(), "the real ffmpeg: {status}");
            let file = File::options().write(true).open(output)?;
            file.set_len(file.metadata()?.len() / 2)?;
            return Ok(ExitCode::SUCCESS);
        }
        Fault::Garbage => {
            let garbage: Vec<u8> = (0..200_000_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            stdout().write_all(&garbage)?;
            stderr().write_all(&garbage)?;
            // Neither output must mix with the next lines.
            println!();
            eprintln!();
        }
        Fault::Late(time) => std::thread::sleep(*time),
        Fault::Pace(rate) => {
            let input = line
                .iter()
                .position(|argument| argument == "-i")
                .unwrap_or(0);
            line.splice(input..input, ["-readrate".into(), rate.to_string().into()]);
        }
        Fault::Paced(frame) if line.iter().any(|word| word == "libx264") => {
            return paced(*frame, real, &line);
        }
        Fault::Held => {
            hold(folder)?;
            // The orders may have changed in the meantime.
            match Orders::read(folder)?.fault {
                None | Some(Fault::Held) => {}
                Some(next) => return set_fault(&next, folder, real, line, output),
            }
        }
        Fault::Trick(what) => return trick(what, real, line, output),
        // This fault befalls the check only.
        Fault::CheckHeld | Fault::Broken(_) | Fault::Stuck | Fault::Paced(_) => {}
        // The orders may have changed while the encode was held.
        Fault::Sick => return Ok(sick()),
        Fault::Refuse(text) => {
            let is_refused = |argument: &OsString| argument.to_string_lossy().contains(text);
            if line.iter().any(is_refused) {
                eprintln!("[error] input: Invalid data found when processing input");
                return Ok(ExitCode::FAILURE);
            }
        }
        Fault::Poison(name) => {
            let is_poison = |argument: &OsString| argument.to_string_lossy().contains(name);
            if line.iter().any(is_poison) {
                loop {
                    std::thread::park();
                }
            }
        }
    }
    anyhow::bail!(Command::new(real).args(line).exec())
}

/// Prints an error that is the machine's fault.
fn sick() -> ExitCode {
    eprintln!("[libx264 @ 0x5581] [error] Device or resource busy");
    ExitCode::FAILURE
}

/// The first word of a survivor's command line. The next words are how often it must still leave its parent, the
/// output, and the target of the link.
const SURVIVE: &str = "survive";

fn trick(
    trick: &Trick,
    real: &Path,
    mut line: Vec<OsString>,
    output: &Path,
) -> anyhow::Result<ExitCode> {
    if let Trick::Attack(targets) = trick {
        let tag = format!("{}={}", attacks::TAG, attacks::told(targets));
        insert_before_output(&mut line, ["-metadata".into(), tag.into()]);
    }
    let status = Command::new(real).args(line).status()?;
    anyhow::ensure!(status.success(), "the real ffmpeg: {status}");
    match trick {
        Trick::Link(to) => {
            std::fs::remove_file(output)?;
            std::os::unix::fs::symlink(to, output)?;
        }
        Trick::Attack(_) => {}
        Trick::Pipe => {
            std::fs::remove_file(output)?;
            let made = Command::new("mkfifo").arg(output).status()?;
            anyhow::ensure!(made.success(), "mkfifo: {made}");
        }
        Trick::Survivor(to) => {
            let mut survivor = Command::new(std::env::current_exe()?);
            survivor.args([SURVIVE, "1"]).arg(output).arg(to);
            anyhow::ensure!(survivor.status()?.success(), "no survivor");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn survive(exe: &Path, words: &[OsString]) -> anyhow::Result<ExitCode> {
    let [forks, output, to] = words else {
        anyhow::bail!("no survivor's command line");
    };
    if forks == "1" {
        rustix::process::setsid()?;
        let mut survivor = Command::new(exe);
        survivor.args([SURVIVE, "0"]).arg(output).arg(to);
        survivor.stdout(std::process::Stdio::null());
        survivor.stderr(std::process::Stdio::null());
        survivor.spawn()?;
        return Ok(ExitCode::SUCCESS);
    }
    // Repeated for longer than any publish gate takes, so that one of these times hits the moment between check and
    // publication.
    let new = Path::new(output).with_extension("new");
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let _ = std::os::unix::fs::symlink(to, &new);
        let _ = std::fs::rename(&new, output);
    }
}

/// Encodes, and then does as if each frame had taken so long.
fn paced(frame: Duration, real: &Path, line: &[OsString]) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut encode = Command::new(real);
    let mut encode = encode.args(line).stdout(Stdio::piped()).spawn()?;
    let mut frames = 0;
    for told in BufReader::new(encode.stdout.take().context("piped")?).lines() {
        if let Some(count) = told?.strip_prefix("frame=") {
            frames = count.trim().parse()?;
        }
    }
    let status = encode.wait()?;
    anyhow::ensure!(status.success(), "the real ffmpeg: {status}");
    let end = started + frame * frames;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::sleep(left.min(Duration::from_millis(500)));
        let past = started.elapsed().as_secs_f64() / frame.as_secs_f64();
        report(u64::from(frames).min(past as u64))?;
    }
    println!("frame={frames}\nprogress=end");
    Ok(ExitCode::SUCCESS)
}

/// Makes progress while the encode is held.
fn hold(folder: &Path) -> anyhow::Result<()> {
    let mut frame = 0;
    while folder.join(HOLD).exists() {
        frame += 1;
        report(frame)?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Prints progress as ffmpeg does.
fn report(frame: u64) -> anyhow::Result<()> {
    println!(
        "frame={frame}\nfps=1.0\nout_time_us={}\nspeed=0.01x\nprogress=continue",
        frame * 10
    );
    Ok(stdout().flush()?)
}
