//! Schemas of the contract's text and number types for the OpenAPI document of the HTTP API. They are written here,
//! because serde converts these types.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::farm::hours::Hours;
use crate::farm::queue::{Priority, Queue};
use crate::farm::retention::Days;
use crate::farm::worker_name::WorkerName;
use crate::job::id::{BatchId, JobId};
use crate::names::token::Token;
use crate::recipe::encoder::Encoder;

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
    BatchId: "Identifies the jobs that were enqueued together", "01890a5d-ac96-774b-bcce-b302099a8057";
    Encoder: "ffmpeg's name of a video encoder", "hevc_nvenc";
    Hours: "When a worker takes jobs, by its own clock", "mon-fri 19:00-07:00; sat,sun 00:00-24:00";
    JobId: "Identifies a job", "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";
    Queue: "Who may run a job: an encoder, any_CODEC, on_WORKER or copy", "any_hevc";
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
}
