//! Prints the OpenAPI document of the monitor's API: `cargo run -p ffmpeg-easy-monitor --example openapi`.

fn main() {
    println!(
        "{}",
        monitor::openapi()
            .to_json()
            .expect("plain data with string keys")
    );
}
