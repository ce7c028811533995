//! Chunks hold exactly the pictures of the film, at their times: at every keyframe, with all filters that may be used.

use std::collections::BTreeSet;
use std::path::Path;

use worker::ffmpeg::split::cut::{begin_at, cut};
use worker::ffmpeg::split::index::Index;
use worker::ffmpeg::split::lookback::{self, Lead};
use worker::ffmpeg::split::reset;
use worker::ffmpeg::split::sizes::equal;

use super::{FILM, X264, decoded, index, indexed, unit};
use crate::studio::Studio;

/// Cuts a film into chunks, decodes each by itself as far as its lead says, and compares its frames with those of the whole.
/// The chunks whose frames differ, by number, and how many chunks there are.
async fn differing(
    studio: &Studio,
    file: &Path,
    filters: &str,
    seconds: f64,
    lead: Option<Lead>,
) -> (Vec<usize>, usize) {
    let what = format!("{} with {filters}", file.display());
    let (film, index) = indexed(studio, file).await;
    let index = index.unwrap_or_else(|obstacle| panic!("{what}: {obstacle}"));
    // With a lead that is too short, nothing but the very keyframe may be found.
    let is_bare = lead.is_some();
    let needed = || lookback::lead(&film, filters);
    let lead = lead.map_or_else(needed, Ok);
    let lead = lead.unwrap_or_else(|filter| panic!("{what}: {filter} has no bound"));
    let mut chunks = cut(&index, &equal(index.seconds(), seconds), lead);
    if !is_bare && film.codec == "h264" && lead.frames == 0 {
        begin_at(&mut chunks, &index, &resets(file, &index));
    }
    let unit = unit(&index);
    let whole = decoded(studio, file, &[], filters, &unit);
    let planned: u64 = chunks.iter().map(|chunk| chunk.frames).sum();
    assert_eq!(whole.len() as u64, planned, "{what}");
    let mut differ = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let from = match is_bare {
            true => chunk.decode_from,
            false => chunk.read_from.expect("the index knows it"),
        };
        let from = format!("{:.6}", index.to_seconds(from));
        let seek = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", &from];
        let seek: Vec<String> = match number {
            0 => Vec::new(),
            _ => seek.map(str::to_owned).into(),
        };
        let (start, end) = (chunk.start, chunk.end);
        let trim = format!("settb={unit},trim=start_pts={start}:end_pts={end}");
        let filters = match filters {
            "" => trim,
            filters => format!("{filters},{trim}"),
        };
        let frames = decoded(studio, file, &seek, &filters, &unit);
        let is_own = |(time, _): &&(i64, String)| (start..end).contains(time);
        let expected: Vec<_> = whole.iter().filter(is_own).cloned().collect();
        if frames != expected {
            differ.push(number);
        }
    }
    (differ, chunks.len())
}

/// The keyframes of a film of H.264 that reset the decoder, as far as its index knows where they are.
fn resets(file: &Path, index: &Index) -> BTreeSet<i64> {
    let file = std::fs::read(file).expect("a film");
    let is_reset = |(_, (position, size)): &(&i64, &(u64, u64))| {
        let packet = &file[*position as usize..][..*size as usize];
        reset::resets(&packet[..packet.len().min(reset::HEAD as usize)], *size)
    };
    let found = index.bytes.iter().filter(is_reset);
    found.map(|(time, _)| *time).collect()
}

#[tokio::test]
async fn the_bytes_of_a_keyframe_tell_whether_it_resets_the_decoder() {
    for studio in Studio::each() {
        let found = async |name: &str, options: &str| {
            let file = studio.make(name, &format!("{FILM} {X264} {options}"));
            let (_, index) = indexed(&studio, &file).await;
            let index = index.unwrap_or_else(|obstacle| panic!("{name}: {obstacle}"));
            let resets = resets(&file, &index).into_iter().collect::<Vec<_>>();
            (resets, index.keys)
        };
        let (resets, keys) = found("closed.mp4", "").await;
        assert_eq!(resets, keys);
        for options in ["open-gop=1", "intra-refresh=1:keyint=24"] {
            let (resets, keys) = found("other.mov", &format!("-x264-params {options}")).await;
            assert_eq!(resets, keys[..1], "{options}");
            assert!(keys.len() > 3, "{options}: {keys:?}");
        }
        let (resets, _) = found("closed.mkv", "").await;
        assert!(resets.is_empty(), "{resets:?}");
    }
}

async fn chunks_are_exact(studio: &Studio, file: &Path, filters: &str, seconds: f64) {
    let (differ, chunks) = differing(studio, file, filters, seconds, None).await;
    let what = format!("{} with {filters}", file.display());
    assert!(chunks > 2, "{what}: {chunks} chunks");
    assert!(differ.is_empty(), "{what}: {differ:?}");
}

#[tokio::test]
async fn chunks_of_all_kinds_of_films_hold_their_pictures() {
    for studio in Studio::each() {
        for file in index::films(&studio) {
            chunks_are_exact(&studio, &file, "", 2.5).await;
        }
    }
}

#[tokio::test]
async fn without_a_lead_the_first_pictures_of_a_chunk_would_differ() {
    let studio = Studio::new();
    let none = Some(Lead::default());
    let refresh = format!("{X264} -x264-params intra-refresh=1:keyint=24");
    let refresh = studio.make("refresh.mp4", &format!("{FILM} {refresh}"));
    let (differ, chunks) = differing(&studio, &refresh, "", 2.5, none).await;
    assert!(!differ.is_empty(), "0 of {chunks} recover step by step");
    let whole = studio.make("whole.mkv", &format!("{FILM} -c:v ffv1 -g 1"));
    let filters = "bwdif=mode=send_frame:deint=all";
    let (differ, chunks) = differing(&studio, &whole, filters, 2.5, none).await;
    assert_eq!(differ.len(), chunks - 1, "{differ:?}");
    chunks_are_exact(&studio, &whole, filters, 2.5).await;
}

#[tokio::test]
async fn chunks_hold_the_pictures_that_filters_make_of_the_whole() {
    for studio in Studio::each() {
        let film = studio.make("film.mp4", &format!("{FILM} {X264}"));
        let fields = "-f lavfi -i testsrc2=s=160x96:r=50:d=8 -vf tinterlace=interleave_top \
                      -pix_fmt yuv420p -flags +ilme+ildct";
        let mpeg2 = format!("{fields} -c:v mpeg2video -bf 2 -g 12 -q:v 3");
        let mpeg2 = studio.make("fields.ts", &mpeg2);
        let h264 = studio.make("fields.mkv", &format!("{fields} {X264} -x264-params tff=1"));
        for filters in [
            "bbox,boxblur=2,cas,chromanr,colorbalance=rs=0.2,colorchannelmixer=rr=0.9",
            "colorlevels=rimin=0.1,colortemperature=5000,convolution,crop=140:80:4:4,curves=preset=vintage",
            "deband,deblock,edgedetect=mode=colormix,eq=contrast=1.2,exposure=0.1",
            "fillborders=4:4:4:4,format=yuv444p,gblur,gradfun,hflip,hue=s=0.5,limiter=16:200",
            "monochrome,negate,nlmeans=s=2:p=3:r=5,null,pad=200:120:8:8,removegrain=5",
            "rotate=a=PI/9,sab,scale=120:68,setdar=16/9,setfield=prog,setsar=1,shuffleplanes",
            "smartblur,transpose=1,unsharp=5:5:0.6,vaguedenoiser,vflip,vibrance=0.3,xbr=2",
            "colorspace=all=bt2020:iall=bt709,setparams=range=tv,sidedata=mode=delete:type=A53_CC",
            "format=yuva444p,premultiply=inplace=1,format=yuv420p",
            "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv,zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p",
        ] {
            chunks_are_exact(&studio, &film, filters, 3.0).await;
        }
        for filters in [
            "",
            "bwdif=mode=send_frame:deint=all",
            "yadif=mode=send_frame:deint=interlaced,scale=80:48",
        ] {
            chunks_are_exact(&studio, &mpeg2, filters, 2.0).await;
            chunks_are_exact(&studio, &h264, filters, 2.0).await;
        }
    }
}
