//! Words of ffmpeg, of what it is built with, and of the system, by whose fault they stand for.

/// Words of ffmpeg, of the encoders in it and of the system's loader when nothing but the machine is at fault.
pub(super) const WORKER: &[&str] = &[
    // Disks.
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Too many open files",
    // Loader.
    "error while loading shared libraries",
    "cannot open shared object file",
    "symbol lookup error",
    "Exec format error",
    "Library not loaded",
    // Devices and their sessions.
    "OpenEncodeSessionEx failed",
    "No capable devices found",
    "No NVENC capable devices found",
    "Driver does not support the required nvenc API version",
    "Cannot load libcuda",
    "Cannot load nvcuda",
    "Cannot load libnvidia-encode",
    "CUDA_ERROR",
    "Failed to initialise VAAPI",
    "No VA display found",
    "Device creation failed",
    "Error creating a MFX session",
    "Error initializing an internal MFX session",
    "No usable encoding",
    "DLL amfrt64.dll failed to open",
    "AMF failed",
    "Could not find a valid device",
    "can't configure encoder",
    "Cannot create compression session",
    "No device available for encoder",
    "No such device",
    "Device or resource busy",
    // An ffmpeg that lacks what others have.
    "Unknown encoder",
    "Encoder not found",
];

/// Words when something ran short that a machine has little of, or that a broken input asks too much of.
pub(super) const SCARCE: &[&str] = &[
    "Cannot allocate memory",
    "malloc of size",
    "Memory allocation error",
    "Failed to allocate",
    "Resource temporarily unavailable",
    "Input/output error",
];

/// Words of ffmpeg when the network is at fault, and for a remote source only.
pub(super) const PASSING: &[&str] = &[
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Operation timed out",
    "Network is unreachable",
    "No route to host",
    "Broken pipe",
    "Failed to resolve hostname",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Server returned 5",
    "Server returned 403", // A presigned address that ran out.
    "HTTP error 5",
    "HTTP error 403",
    "Stream ends prematurely",
    "TLS",
    "Input/output error",
    "Error in the pull function",
];

/// Words when the input, or what the recipe asks of it, is at fault. That a file is missing or may not
/// be read is none of them: the file may be one of the ffmpeg that is installed.
pub(super) const INPUT: &[&str] = &[
    // Inputs that are no media, or broken beyond use.
    "moov atom not found",
    "Invalid data found when processing input",
    "EBML header parsing failed",
    "Invalid NAL unit",
    "could not find codec parameters",
    "Could not find codec parameters",
    "not on whitelist",
    "Decoder (codec",
    "No decoder could be found",
    "corrupt decoded frame",
    "rate exceeds maximum",
    "is not implemented",
    "does not contain any stream",
    "End of file",
    "Server returned 404",
    "HTTP error 404",
    // What a container or an encoder does not take.
    "Could not find tag for codec",
    "not currently supported in container",
    "are supported for WebM",
    "Could not write header",
    "only possible from text to text or bitmap to bitmap",
    "doesn't support",
    "not divisible by",
    "must be at least",
    "must be less than or equal to",
    "Image size is too small",
    "TU size > 8 raw frame size",
    "invalid width x height",
    "dimensions too large",
    "Unsupported channel layout",
    "Opus mapping family undefined",
    "Specified sample rate",
    "Specified pixel format",
    "Invalid or incompatible profile",
    "incompatible with",
    // What a recipe's own arguments bring about.
    "Unable to parse",
    "Undefined constant",
    "Error setting option",
    "Error setting preset/tune",
    "Error setting profile",
    "Error setting encoder parameters: bad parameter",
    "Error applying option",
    "Error parsing option",
    "Unrecognized option",
    "Option not found",
    "out of range",
    "No such filter",
    "Error initializing filter",
    "Impossible to convert between the formats",
    "invalid level_idc",
    "Invalid too big or non positive size",
    "Picture size",
    "Padded dimensions cannot be smaller",
    "Failed to configure input pad",
    "Failed to configure output pad",
];

/// Words of an ffmpeg that could not finish its file and yet ends well, as 5.1 does on a full disk.
pub(super) const UNFINISHED: &[&str] = &["Error writing trailer", "Error closing file"];
