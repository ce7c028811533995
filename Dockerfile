# All three programs, one target each: `docker build --target worker --tag ffmpeg-easy/worker .`
ARG RUST_IMAGE=rust:1-slim-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS builder
WORKDIR /src

# Dependencies first, built for empty crates: a layer that only a change of a manifest makes anew. Cache mounts would be
# shorter, but need BuildKit.
COPY Cargo.toml Cargo.lock ./
COPY common/Cargo.toml common/
COPY producer/Cargo.toml producer/
COPY worker/Cargo.toml worker/
COPY monitor/Cargo.toml monitor/
COPY tests/Cargo.toml tests/
# Its manifest names programs, and cargo asks for their files.
COPY tests/fuzz tests/fuzz/
RUN for crate in common producer worker monitor tests; do mkdir $crate/src && touch $crate/src/lib.rs; done \
    && for program in producer worker monitor; do echo 'fn main() {}' >$program/src/main.rs; done
ENV PACKAGES="-p ffmpeg-easy-producer -p ffmpeg-easy-worker -p ffmpeg-easy-monitor"
RUN cargo build --release --locked $PACKAGES

# The empty crates were built after these files were written: without the touch they would pass for up to date.
COPY . .
RUN touch */src/lib.rs */src/main.rs && cargo build --release --locked $PACKAGES


FROM ${RUNTIME_IMAGE} AS runtime
# Root certificates, for stores and brokers that speak TLS.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin farm
STOPSIGNAL SIGTERM


FROM runtime AS producer
COPY --from=builder /src/target/release/producer /usr/local/bin/
USER farm
ENTRYPOINT ["/usr/local/bin/producer"]


FROM runtime AS monitor
COPY --from=builder /src/target/release/monitor /usr/local/bin/
USER farm
ENV MONITOR_LISTEN=0.0.0.0:8080
EXPOSE 8080
# Debian's slim image has bash, but neither curl nor wget.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/local/bin/monitor"]


FROM runtime AS worker
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner farm /scratch
COPY --from=builder /src/target/release/worker /usr/local/bin/
USER farm
# Media come from a bucket. A folder that is mounted has to be named: `--root /media`, or WORKER_ROOT.
# Encodes in progress: large and worth nothing to anyone else, so a volume of each container's own.
ENV WORKER_SCRATCH=/scratch XDG_CACHE_HOME=/scratch
VOLUME /scratch
ENTRYPOINT ["/usr/local/bin/worker"]
