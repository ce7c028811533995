//! The keys that a recipe may set in an encoder's own list (`x265-params=aq-mode=3:psy-rd=2.0`).
//!
//! Keys are allowed one by one, as encoders keep getting keys that name files. A key is allowed if it takes numbers or
//! fixed words, and makes the encoder neither read nor write a file.

/// The list of one encoder.
struct List {
    /// The option of ffmpeg that holds the list.
    option: &'static str,
    /// Its keys, with spaces between.
    keys: &'static str,
    /// Beginnings of further keys; all keys that begin so are switches.
    switches: &'static [&'static str],
    /// Whether `no-` before a key turns it off.
    is_negated: bool,
}

/// Keys in whose value zones of a film have keys of their own: `zones=0,240,q=20/241,400,bitrate=2`.
const ZONES: &str = "zones";
/// The keys of a zone that have no meaning for the whole film.
const OF_ZONES: &[&str] = &["q", "b"];

const LISTS: &[List] = &[
    List {
        option: "x264-params",
        keys: "8x8dct alternative-transfer aq-mode aq-strength asm aud avcintra-class b-adapt b-bias b-pyramid bff \
            bframes bitrate bluray-compat cabac chroma-me chroma-qp-offset chromaloc cll colormatrix colorprim \
            constrained-intra cplxblur cpu-independent crf crf-max crop-rect dct-decimate deadzone-inter \
            deadzone-intra deblock direct fake-interlaced fast-pskip filler force-cfr fps frame-packing \
            fullrange interlaced intra-refresh ipratio keyint level log lookahead-threads mastering-display \
            mbtree me merange min-keyint mixed-refs mvrange mvrange-thread nal-hrd non-deterministic nr open-gop \
            overscan partitions pbratio pic-struct psnr psy psy-rd pulldown qblur qcomp qp qpmax qpmin qpstep \
            range ratetol rc-lookahead ref sar scenecut slice-max-mbs slice-max-size slice-min-mbs \
            sliced-threads slices slices-max ssim stitchable subme sync-lookahead tff threads transfer trellis \
            vbv-bufsize vbv-init vbv-maxrate videoformat weightb weightp zones",
        switches: &[],
        is_negated: true,
    },
    List {
        option: "x265-params",
        keys: "amp analysis-reuse-level annexb aq-auto aq-bias-strength aq-mode aq-motion aq-strength asm atc-sei \
            aud b-adapt b-intra b-pyramid bframe-bias bframes bitrate cbqpoffs chromaloc chunk-end chunk-start \
            cll colormatrix colorprim const-vbv constrained-intra copy-pic cplxblur crf crf-max crf-min crqpoffs \
            ctu cu-lossless cu-stats cutree deblock dhdr10-opt display-window dynamic-rd dynamic-refine \
            early-skip eob eos fades fast-intra field force-flush frame-dup frame-threads fullrange \
            gop-lookahead hash hdr hdr10 hdr10-opt hevc-aq high-tier hist-scenecut hist-threshold hme hme-range \
            hme-search hrd hrd-concat idr-recovery-sei info interlace intra-refresh ipratio keyint lambda-adjust \
            level-idc limit-modes limit-refs limit-sao limit-tu log-level lookahead-slices lookahead-threads \
            lossless lowpass-dct master-display max-ausize-factor max-cll max-luma max-merge max-qp-delta \
            max-tu-size max-vbv-fullness mcstf me merange min-cu-size min-keyint min-luma min-vbv-fullness \
            multi-pass-opt-rps nr-inter nr-intra numa-pools open-gop opt-cu-delta-qp opt-qp-pps \
            opt-ref-list-length-pps overscan pbratio pic-struct pme pmode pools profile psnr psy-rd psy-rdoq \
            qblur qcomp qg-size qp qp-adaptation-range qpmax qpmin qpstep radl range ratetol rc-grain \
            rc-lookahead rd rd-refine rdoq-level rdpenalty rect ref refine-ctu-distortion refine-inter \
            refine-intra refine-mv repeat-headers rskip rskip-edge-threshold sao sao-non-deblock sar sbrc \
            scenecut scenecut-aware-qp scenecut-bias scenecut-window selective-sao signhide single-sei slices \
            slow-firstpass splitrd-skip ssim ssim-rd ssim-rdo strict-cbr strong-intra-smoothing subme svt \
            temporal-layers temporal-mvp threaded-me tier transfer tskip tskip-fast tu-inter-depth \
            tu-intra-depth uhd-bd vbv-bufsize vbv-end vbv-end-fr-adj vbv-init vbv-live-multi-pass vbv-maxrate \
            video-signal-type-preset videoformat vui-hrd-info vui-timing-info weightb weightp wpp zones",
        switches: &[],
        is_negated: true,
    },
    List {
        option: "svtav1-params",
        keys: "ac-bias adaptive-film-grain aq-mode avif bias-pct buf-initial-sz buf-optimal-sz buf-sz chroma-qm-max \
            chroma-qm-min chroma-sample-position color-primaries color-range content-light crf fast-decode \
            film-grain film-grain-denoise force-key-frames forced-max-frame-height forced-max-frame-width \
            frame-luma-bias gop-constraint-rc hierarchical-levels irefresh-type keyint kf-tf-strength level \
            lookahead lossless lp luminance-qp-bias mastering-display matrix-coefficients max-32-tx-size max-qp \
            max-tx-size maxsection-pct mbr mbr-overshoot-pct min-qp minsection-pct noise-norm-strength \
            overshoot-pct pin pred-struct preset profile psy-rd qm-max qm-min qp qp-scale-compress-strength rc \
            recode-loop resize-denom resize-kf-denom resize-mode rtc scd scm sframe-dist sframe-mode sharp-tx \
            sharpness spy-rd startup-mg-size startup-qp-offset superres-denom superres-kf-denom \
            superres-kf-qthres superres-mode superres-qthres tbr tf-strength tier tile-columns tile-rows \
            transfer-characteristics tune undershoot-pct use-fixed-qindex-offsets variance-boost-curve \
            variance-boost-strength variance-octile",
        switches: &["enable-"],
        is_negated: false,
    },
    List {
        option: "aom-params",
        keys: "aq-mode arnr-maxframes arnr-strength auto-alt-ref bias-pct cdf-update-mode chroma-sample-position \
            coeff-cost-upd-freq color-primaries cpu-used cq-level deltaq-mode deltaq-strength denoise-block-size \
            denoise-noise-level disable-trellis-quant dv-cost-upd-freq error-resilient-mode film-grain-test \
            frame-parallel gf-cbr-boost gf-max-pyr-height gf-min-pyr-height kf-max-dist kf-min-dist \
            lag-in-frames loopfilter-control lossless matrix-coefficients max-gf-interval max-inter-rate \
            max-intra-rate max-reference-frames min-cr min-gf-interval mode-cost-upd-freq mtu-size \
            mv-cost-upd-freq noise-sensitivity num-tile-groups qm-max qm-min quant-b-adapt reduced-reference-set \
            reduced-tx-type-set row-mt sb-qp-sweep sb-size screen-detection-mode set-tier-mask sharpness \
            skip-postproc-filtering static-thresh superres-denominator superres-kf-denominator \
            superres-kf-qthresh superres-mode superres-qthresh target-seq-level-idx tile-columns tile-rows \
            timing-info transfer-characteristics tune tune-content use-inter-dct-only use-intra-dct-only \
            use-intra-default-tx-only vbr-corpus-complexity-lap",
        switches: &["enable-"],
        is_negated: false,
    },
    List {
        option: "rav1e-params",
        keys: "bitrate chroma-sample-position content-light error-resilient key-frame-interval low-latency \
            mastering-display matrix min-key-frame-interval min-quantizer photon-noise pixel-range primaries \
            quantizer rdo-lookahead-frames reservoir-frame-delay scene-change-detection speed still-picture \
            switch-frame-interval threads tile-cols tile-rows tiles transfer tune",
        switches: &["enable-"],
        is_negated: false,
    },
    List {
        option: "vvenc-params",
        keys: "affine alf amaxbt asr aud bdof bdpcm bim bitrate ccalf ccalfqp cclm ciip colourprimaries cpr ctusize \
            deblockbetaoffset deblocktcoffset decodingrefreshtype depquant dmvr drt edo ensurewppbitequal \
            fastinferencemerge fastlocaldualtreemode fastmerge fga framerate geo gop gopsize had hdr hrd ibc ifp \
            ifplines internalbitdepth intraperiod ip isp jointcbcr la leadingframes level lfnst lmcs lmcsenable \
            lmcsopt lookahead loopfilterdisable masteringdisplay matrixcoefficients maxbitrate \
            maxcontentlightlevel maxparallelframes maxrate mctf mctffutureref mctfspeed mip mmvd mts mtsimplicit \
            numwppthreads perceptqpa poc0idr prof profile qp qpa range rdoq refreshsec rs sao sbt sdr sei \
            selectiverdoq signdatahidingenabledflag stacks threads tickspersec tier tiles trailingframes \
            transferchar transfercharacteristics transformskip ts vui wavefrontsynchro wppbitequal",
        switches: &[],
        is_negated: false,
    },
];

/// The options of ffmpeg that hold such lists.
pub(super) fn options() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|list| list.option)
}

/// The first key of a list (`key=value:key=value`) that is not allowed. `None` if all are.
pub(super) fn refused(option: &str, value: &str) -> Option<String> {
    let list = LISTS.iter().find(|list| list.option == option)?;
    let keys = value.split(':').flat_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let of_zones = value
            .split([',', '/'])
            .filter_map(|part| Some((true, part.split_once('=')?.0)));
        let is_zones = list.normal(key) == ZONES;
        std::iter::once((false, key)).chain(of_zones.filter(move |_| is_zones))
    });
    let mut keys = keys.map(|(is_of_zone, key)| (is_of_zone, list.normal(key)));
    let refused = keys.find(|(is_of_zone, key)| {
        let is_known = match is_of_zone {
            true => OF_ZONES.contains(&key.as_str()) || (key != ZONES && list.allows(key)),
            false => list.allows(key),
        };
        !is_known
    });
    refused.map(|(_, key)| key)
}

impl List {
    /// A key in one spelling: encoders take `_` for `-`, and some take `no-` before a key.
    fn normal(&self, key: &str) -> String {
        let key = key.trim().to_ascii_lowercase().replace('_', "-");
        let turned_off = key.strip_prefix("no-").or(key.strip_prefix("no"));
        match turned_off.filter(|key| self.is_negated && self.holds(key)) {
            Some(key) => key.to_owned(),
            None => key,
        }
    }

    fn holds(&self, key: &str) -> bool {
        self.keys.split(' ').any(|known| known == key)
    }

    fn allows(&self, key: &str) -> bool {
        self.holds(key) || self.switches.iter().any(|begin| key.starts_with(begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_switches_of_encoders_are_allowed() {
        for (option, value) in [
            (
                "x264-params",
                "keyint=240:min_keyint=24:no-mbtree=1:deblock=-1,-1:nopsy",
            ),
            ("x264-params", "zones=0,240,q=20/241,400,crf=30"),
            (
                "x265-params",
                "aq-mode=3:psy-rd=2.0:no-sao=1:hdr10-opt=1:master-display=G1",
            ),
            (
                "svtav1-params",
                "tune=0:film-grain=8:film-grain-denoise=1:enable-overlays=1",
            ),
            ("aom-params", "enable-chroma-deltaq=1:sb-size=64"),
            ("rav1e-params", "tiles=4:low_latency=false"),
            ("vvenc-params", "QPA=1:IntraPeriod=64"),
        ] {
            assert_eq!(refused(option, value), None, "{option}={value}");
        }
    }

    #[test]
    fn a_key_that_nobody_has_looked_at_is_refused() {
        for (option, value, key) in [
            ("x264-params", "crf=20:cqm=list", "cqm"),
            ("x264-params", "zones=0,9,cqm=list", "cqm"),
            ("x264-params", "zones=0,9,zones=1", "zones"),
            ("x265-params", "film-grain=model.bin", "film-grain"),
            ("x265-params", "aom-film-grain=model.bin", "aom-film-grain"),
            ("x265-params", "analysis_save=x", "analysis-save"),
            ("svtav1-params", "film-grain=8:fgs-table=x", "fgs-table"),
            ("aom-params", "partition-info-path=x", "partition-info-path"),
            ("aom-params", "two-pass-output=x", "two-pass-output"),
            ("aom-params", "second-pass-log=x", "second-pass-log"),
            (
                "aom-params",
                "rate-distribution-info=x",
                "rate-distribution-info",
            ),
            ("vvenc-params", "SummaryOutFilename=x", "summaryoutfilename"),
            ("rav1e-params", "first_pass=x", "first-pass"),
            ("x264-params", "a-key-of-next-year=1", "a-key-of-next-year"),
        ] {
            assert_eq!(
                refused(option, value).as_deref(),
                Some(key),
                "{option}={value}"
            );
        }
    }
}
