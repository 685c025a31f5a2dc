# One image for every role: `docker run cleeng-connector run --role worker`. Needs BuildKit (the default builder).

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Without the debugger's tables the program is a fifth as large; a panic's trace still names its functions.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked \
    && strip --strip-debug -o /cleeng-connector target/release/cleeng-connector

FROM debian:12-slim
LABEL org.opencontainers.image.title="cleeng-connector" \
    org.opencontainers.image.description="Payment connector for publishers on Cleeng" \
    org.opencontainers.image.licenses="MIT"
# The root certificates by which gateways, Cleeng, the broker and the database are trusted: the newest, whatever their version.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /cleeng-connector /usr/local/bin/cleeng-connector
# By number, so that an orchestrator can see that it is not root. Nothing is written below the root file system, so it may
# be mounted read-only; the embedded stores, if they are used, need a writable working directory.
USER 10001:10001
WORKDIR /var/lib/cleeng-connector
EXPOSE 8080 9090
# The process itself is process 1 and takes SIGTERM; it drains for CONNECTOR_SHUTDOWN__GRACE.
STOPSIGNAL SIGTERM
ENTRYPOINT ["cleeng-connector"]
CMD ["run"]
