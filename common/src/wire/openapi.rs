//! Schemas of the contract's text and number types for the OpenAPI document of the HTTP API. They are written here,
//! because serde converts these types.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::farm::hours::Hours;
use crate::farm::queue::{Priority, Queue};
use crate::farm::retention::Days;
use crate::farm::worker_name::WorkerName;
use crate::job::id::{BatchId, JobId};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::encoder::Encoder;
use crate::recipe::{Argument, BitDepth, Bitrate, Filters, Quality, Recipe, RecipeDraft, Scale};

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
    Digest: "SHA-256 in hexadecimal digits", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Encoder: "ffmpeg's name of a video encoder", "hevc_nvenc";
    Filters: "Filters of ffmpeg, comma-separated", "hqdn3d,unsharp";
    Hours: "When a worker takes jobs, by its own clock", "mon-fri 19:00-07:00; sat,sun 00:00-24:00";
    JobId: "Identifies a job", "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";
    Location: "A file, or an object of a bucket", "s3://media/in/film.mkv";
    Queue: "Who may run a job: an encoder, any_CODEC, on_WORKER or copy", "any_hevc";
    Scale: "The picture's size: 1080p, 1280x720, or -2 for a side that follows the other", "1280x-2";
    Token: "A name of letters, digits, '-' and '_'", "small-av1";
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
