//! Schemas of the contract's text and number types for the OpenAPI document of the HTTP API. They are written here,
//! because serde converts these types.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::farm::hours::Hours;
use crate::farm::queue::{Priority, Queue};
use crate::farm::retention::Days;
use crate::farm::worker_name::WorkerName;
use crate::job::companion::Suffix;
use crate::job::id::{BatchId, JobId};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::names::nkey::{PublicKey, Signature};
use crate::names::token::Token;
use crate::notify::event::EventKind;
use crate::recipe::encoder::Encoder;
use crate::recipe::{
    Argument, BitDepth, Bitrate, BurnIn, Channels, Crop, Denoise, Filters, FrameRate, Language,
    Loudness, NameTemplate, Pad, Quality, Recipe, RecipeDraft, Rendition, Rotate, Scale, Score,
    Segment, Size, Trim,
};

/// Types that are text in JSON, each with a description and an example.
macro_rules! texts {
    ($($type:ty: $description:literal, $example:literal;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $type {}
    )+};
}

texts! {
    Argument: "An argument of ffmpeg: OPTION=VALUE", "aq-mode=3";
    BatchId: "Identifies the jobs that were enqueued together", "01890a5d-ac96-774b-bcce-b302099a8057";
    Bitrate: "Bits per second; k and M are 1000 and 1,000,000", "4500k";
    BurnIn: "The subtitle track to draw into the picture: forced, foreign, a number from 1, or a language", "forced";
    Channels: "Numbers of channels: 2, 6+ or 1-2", "6+";
    Crop: "Borders to cut off: auto, loose, none or TOP:BOTTOM:LEFT:RIGHT", "140:140:0:0";
    Denoise: "Removal of noise: [FILTER:]STRENGTH, with hqdn3d or nlmeans, ultralight to strong", "nlmeans:light";
    Digest: "SHA-256 in hexadecimal digits", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Encoder: "ffmpeg's name of a video encoder", "hevc_nvenc";
    EventKind: "What a hook is told of", "batch-done";
    Filters: "Filters of ffmpeg, comma-separated", "hqdn3d,unsharp";
    FrameRate: "keep, half, a rate, or peak:RATE", "peak:30";
    Hours: "When a worker takes jobs, by its own clock", "mon-fri 19:00-07:00; sat,sun 00:00-24:00";
    JobId: "Identifies a job", "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";
    Language: "A language of ISO 639 or BCP 47, or und, any or original", "eng";
    Location: "A file, or an object of a bucket", "s3://media/in/film.mkv";
    Loudness: "Integrated loudness in LUFS, range in LU, peak in dBTP", "-23/7/-2";
    NameTemplate: "The name of an output, without its extension: text with {stem}, {height}, {width}, {codec}, {encoder}, {quality}, {bitrate}, {container}, {preset}", "{stem}-{height}p";
    Pad: "A canvas: WIDTHxHEIGHT, or a shape such as 16:9", "1920x1080";
    PublicKey: "The public half of a user's nkey", "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    Signature: "An Ed25519 signature in base64 for URLs", "3q2-7w";
    Queue: "Who may run a job: an encoder, any_CODEC, on_WORKER or copy", "any_hevc";
    Rendition: "A size, and the bits per second for it", "720p:3M";
    Rotate: "A turn clockwise: 90, 180, 270, hflip, or both: 90:hflip", "90";
    Scale: "The picture's size: 1080p, 1280x720, or -2 for a side that follows the other", "1280x-2";
    Score: "A metric with its value", "vmaf=95";
    Size: "Bytes; k, M and G are 1000, 1,000,000 and 1,000,000,000", "700M";
    Suffix: "The end of a file's name beside an output", "contact.jpg";
    Token: "A name of letters, digits, '-' and '_'", "small-av1";
    Trim: "From and to in seconds of the input, one of which may be left out", "90-165.5";
    WorkerName: "The name of a worker", "mini-pc";
}

/// Types that are numbers in JSON, each with a description, the least and the most value.
macro_rules! numbers {
    ($($type:ty: $description:literal, $least:literal, $most:literal;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .description(Some($description))
                    .minimum(Some($least))
                    .maximum(Some($most))
                    .into()
            }
        }

        impl ToSchema for $type {}
    )+};
}

numbers! {
    Days: "Days that history is kept", 1, 3650;
    Priority: "How urgent a job is: 1 is low, 10 is high", 1, 10;
    Quality: "Quality on one scale for all encoders: 1 is the smallest file, 100 the best picture", 1, 100;
    Segment: "Seconds of a segment for HLS and DASH", 1, 60;
}

impl PartialSchema for BitDepth {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("Bits per sample"))
            .enum_values(Some([8, 10]))
            .into()
    }
}

impl ToSchema for BitDepth {}

/// A recipe is written as its parts.
impl PartialSchema for Recipe {
    fn schema() -> RefOr<Schema> {
        RecipeDraft::schema()
    }
}

impl ToSchema for Recipe {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RecipeDraft::schemas(schemas);
    }
}
