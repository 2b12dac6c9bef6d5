# The server in one binary: SQLite, libpq and OpenSSL are built from source and linked in.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin mintmark && install -D target/release/mintmark /out/mintmark

FROM debian:bookworm-slim
RUN groupadd --system --gid 10001 mintmark \
    && useradd --system --uid 10001 --gid mintmark --home-dir /data --no-create-home --shell /usr/sbin/nologin mintmark \
    && install -d -o mintmark -g mintmark -m 0700 /data /keys
COPY --from=build /out/mintmark /usr/local/bin/mintmark
USER 10001:10001
# The defaults are relative: data/mintmark.db and keys/master.key are found in the two volumes.
WORKDIR /
VOLUME ["/data", "/keys"]
# Both listen on loopback by default; compose.yaml shows what it takes to listen on the container's address.
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["mintmark", "health"]
ENTRYPOINT ["mintmark"]
CMD ["serve"]
