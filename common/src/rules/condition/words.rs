//! The words that a condition may compare with: ffmpeg's names of codecs and containers, and what people call them.

/// Names of one kind. The first of each entry is ffmpeg's name, the others mean the same.
pub(super) struct Vocabulary {
    /// What the names are, for errors.
    pub(super) of: &'static str,
    names: &'static [(&'static str, &'static [&'static str])],
}

impl Vocabulary {
    /// ffmpeg's name for a word, in any case; `None` if the word is not in the list.
    pub(super) fn find(&self, word: &str) -> Option<&'static str> {
        let word = word.to_ascii_lowercase();
        let is_meant =
            |(name, others): &&(&str, &[&str])| *name == word || others.contains(&word.as_str());
        self.names.iter().find(is_meant).map(|(name, _)| *name)
    }

    /// The name under which a word is compared. Words that are not in the list are compared as they are.
    pub(super) fn normal(&self, word: &str) -> String {
        let word = word.to_ascii_lowercase();
        let of_family = word.split_once('_').filter(|(family, _)| *family == "pcm");
        let asked = of_family.map_or(word.as_str(), |(family, _)| family);
        self.find(asked)
            .map_or_else(|| asked.to_owned(), str::to_owned)
    }

    /// A name, for examples.
    pub(super) fn first(&self) -> &'static str {
        self.names.first().map_or("", |(name, _)| name)
    }

    /// Every name and every other word, for suggestions.
    pub(super) fn all(&self) -> Vec<&'static str> {
        let names = self.names.iter();
        names
            .flat_map(|(name, others)| [*name].into_iter().chain(others.iter().copied()))
            .collect()
    }
}

/// Video codecs.
pub(super) const VIDEO: Vocabulary = Vocabulary {
    of: "video codec",
    names: &[
        ("h264", &["avc", "avc1", "x264", "h.264"]),
        ("hevc", &["h265", "x265", "h.265", "hvc1", "hev1"]),
        ("av1", &["av01"]),
        ("vp8", &[]),
        ("vp9", &["vp09"]),
        ("vvc", &["h266", "h.266"]),
        ("mpeg1video", &["mpeg1"]),
        ("mpeg2video", &["mpeg2", "mpeg-2"]),
        ("mpeg4", &["mpeg-4", "divx", "xvid"]),
        ("msmpeg4v3", &["divx3"]),
        ("vc1", &["vc-1"]),
        ("wmv1", &[]),
        ("wmv2", &[]),
        ("wmv3", &["wmv9"]),
        ("theora", &[]),
        ("prores", &[]),
        ("dnxhd", &["dnxhr"]),
        ("ffv1", &[]),
        ("ffvhuff", &[]),
        ("huffyuv", &[]),
        ("utvideo", &[]),
        ("cfhd", &["cineform"]),
        ("mjpeg", &["jpeg"]),
        ("jpeg2000", &[]),
        ("dvvideo", &["dv"]),
        ("rawvideo", &["raw"]),
        ("h261", &[]),
        ("h263", &[]),
        ("flv1", &[]),
        ("rv30", &[]),
        ("rv40", &[]),
        ("svq3", &[]),
        ("cinepak", &[]),
        ("qtrle", &[]),
        ("png", &[]),
        ("gif", &[]),
    ],
};

/// Audio codecs.
pub(super) const AUDIO: Vocabulary = Vocabulary {
    of: "audio codec",
    names: &[
        ("aac", &[]),
        ("ac3", &["ac-3"]),
        ("eac3", &["e-ac-3", "ddp", "dd+"]),
        ("ac4", &["ac-4"]),
        ("dts", &["dca"]),
        ("truehd", &[]),
        ("mlp", &[]),
        ("flac", &[]),
        ("alac", &[]),
        ("opus", &[]),
        ("vorbis", &[]),
        ("mp3", &[]),
        ("mp2", &[]),
        ("mp1", &[]),
        ("pcm", &["lpcm", "wav"]),
        ("wmav1", &[]),
        ("wmav2", &["wma"]),
        ("wmapro", &[]),
        ("wavpack", &["wv"]),
        ("ape", &[]),
        ("tta", &[]),
        ("speex", &[]),
        ("cook", &[]),
        ("amr_nb", &["amr"]),
        ("amr_wb", &[]),
    ],
};

/// Formats of subtitles.
pub(super) const SUBTITLES: Vocabulary = Vocabulary {
    of: "subtitle format",
    names: &[
        ("subrip", &["srt"]),
        ("ass", &["ssa"]),
        ("mov_text", &["tx3g"]),
        ("webvtt", &["vtt"]),
        ("text", &[]),
        ("ttml", &[]),
        ("dvd_subtitle", &["vobsub", "dvdsub"]),
        ("hdmv_pgs_subtitle", &["pgs", "sup", "pgssub"]),
        ("dvb_subtitle", &["dvbsub"]),
        ("dvb_teletext", &["teletext"]),
        ("eia_608", &["cc"]),
        ("xsub", &[]),
    ],
};

/// Containers. ffmpeg's demuxers have several names; the fact has one of these.
pub(super) const CONTAINERS: Vocabulary = Vocabulary {
    of: "container",
    names: &[
        ("matroska", &["mkv", "mka"]),
        ("webm", &[]),
        (
            "mp4",
            &["mov", "m4v", "m4a", "qt", "quicktime", "3gp", "3g2"],
        ),
        ("mpegts", &["ts", "m2ts", "mts"]),
        ("mpeg", &["mpg", "ps", "vob"]),
        ("avi", &["divx"]),
        ("asf", &["wmv", "wma"]),
        ("flv", &[]),
        ("ogg", &["ogv", "oga", "ogm"]),
        ("mxf", &[]),
        ("rm", &["rmvb"]),
        ("gif", &[]),
        ("wav", &[]),
        ("flac", &[]),
        ("mp3", &[]),
        ("aac", &["adts"]),
        ("h264", &[]),
        ("hevc", &[]),
        ("mpegvideo", &["m2v", "m1v"]),
        ("ivf", &[]),
        ("dv", &[]),
        ("wtv", &[]),
        ("nut", &[]),
        ("yuv4mpegpipe", &["y4m"]),
    ],
};

/// Kinds of high dynamic range.
pub(super) const HDR: Vocabulary = Vocabulary {
    of: "kind of HDR",
    names: &[
        ("hdr10", &[]),
        ("hdr10plus", &["hdr10+"]),
        (
            "dolby_vision",
            &["dolbyvision", "dolby-vision", "dovi", "dv"],
        ),
        ("hlg", &[]),
        ("pq", &[]),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_name() {
        for vocabulary in [&VIDEO, &AUDIO, &SUBTITLES, &CONTAINERS, &HDR] {
            let mut all = vocabulary.all();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{}", vocabulary.of);
        }
        assert_eq!(VIDEO.find("H265"), Some("hevc"));
        assert_eq!(AUDIO.normal("pcm_s24le"), "pcm");
        assert_eq!(AUDIO.normal("unheard_of"), "unheard_of");
    }
}
