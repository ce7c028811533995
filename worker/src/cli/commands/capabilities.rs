//! `worker capabilities`: prints what this machine can do, and how busy it is.

use std::path::PathBuf;

use common::program::console::print_json;
use common::show;

use crate::capabilities;
use crate::cli::config::{DetectionArgs, cache_folder};
use crate::cli::error::Error;
use crate::report::load::Meter;

/// # Errors
/// If ffmpeg is missing or does not run.
pub async fn run(args: &DetectionArgs, scratch: Option<PathBuf>, json: bool) -> Result<(), Error> {
    let tools = args.tools()?;
    let card = args.detect(&tools, false).await?;
    let mut meter = Meter::new(&scratch.unwrap_or_else(cache_folder));
    meter.read();
    // The CPU load is measured between two readings.
    tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL).await;
    let load = meter.read();
    if json {
        let mut text = serde_json::to_value(&card).map_err(Error::other)?;
        text["load"] = serde_json::to_value(load).map_err(Error::other)?;
        print_json(&format!("{text:#}"));
    } else {
        show!("{}", capabilities::render(&card));
        show!(
            "load     {:.0}% of all cores, {:.1} GiB free for scratch files",
            load.cpu * 100.0,
            load.scratch_free as f64 / f64::from(1 << 30)
        );
    }
    Ok(())
}
