//! Hands jobs to the farm.

fn main() -> std::process::ExitCode {
    producer::main()
}
