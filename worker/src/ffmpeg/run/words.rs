//! Phrases in the messages of ffmpeg, its libraries and the system, grouped by the fault that they mean.

/// Phrases that mean a fault of the machine alone.
pub(super) const WORKER: &[&str] = &[
    // Disks.
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Too many open files",
    // The loader.
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
    // This ffmpeg lacks something that others have.
    "Unknown encoder",
    "Encoder not found",
];

/// Phrases that mean that there was no more memory.
pub(super) const MEMORY: &[&str] = &[
    "Cannot allocate memory",
    "malloc of size",
    "Memory allocation error",
    "Failed to allocate",
];

/// Phrases that mean a shortage. Either the machine has too little of a resource, or a broken input asks for too
/// much.
pub(super) const SCARCE: &[&str] = &[
    "Cannot allocate memory",
    "malloc of size",
    "Memory allocation error",
    "Failed to allocate",
    "Resource temporarily unavailable",
    "Input/output error",
];

/// Phrases that mean a fault of the network. They count for remote sources only.
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
    "Server returned 403", // An expired presigned URL.
    "HTTP error 5",
    "HTTP error 403",
    "Stream ends prematurely",
    "TLS",
    "Input/output error",
    "Error in the pull function",
];

/// Phrases that mean a fault of the input, or of a recipe that does not fit the input. A missing or unreadable file
/// is not among them, because it may be a file of the ffmpeg installation.
pub(super) const INPUT: &[&str] = &[
    // Inputs that are no media, or too damaged.
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
    // Limits of a container or an encoder.
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
    // Wrong arguments of the recipe.
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

/// Phrases of an ffmpeg that could not finish its file but exits with success, as 5.1 does on a full disk.
pub(super) const UNFINISHED: &[&str] = &["Error writing trailer", "Error closing file"];
