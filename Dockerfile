# Several stages: the last holds the executable and the libraries that it links, nothing that builds. One image for all modules: which of them a
# container runs, its settings say. BuildKit (Docker 23 has it as default) keeps what was compiled for the next build.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages.txt scripts/bootstrap scripts/
RUN scripts/bootstrap build && rm -rf /var/lib/apt/lists/*
COPY web/package.json web/package-lock.json web/
RUN --mount=type=cache,target=/root/.npm npm ci --prefix web --no-audit --no-fund --loglevel=error
COPY . .
# What `loggia version` says: docker compose build --build-arg COMMIT=$(git rev-parse --short=12 HEAD)
ARG COMMIT=unknown
RUN --mount=type=cache,target=/root/.cache/ccache LOGGIA_CMAKE=-DLOGGIA_TESTS=OFF COMMIT=$COMMIT scripts/build release loggia \
 && strip build/release/loggia

FROM debian:bookworm-slim
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends ca-certificates libargon2-1 libcurl4 libfmt9 libpq5 librdkafka1 libsqlite3-0 libssl3 libtomlplusplus3 libutf8proc2 tzdata zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
 && useradd --system --no-log-init --uid 10001 --home-dir /var/lib/loggia --create-home --shell /usr/sbin/nologin loggia \
 && chmod 700 /var/lib/loggia \
 # Where the certs service of compose.yaml writes: volumes that are mounted here are this user's own.
 && install -d -o loggia -g loggia -m 700 /tls /tls/ca /tls/user /tls/auth /tls/chat /tls/notification /tls/realtime /tls/gateway
COPY deploy/docker/loggia-healthy /usr/local/bin/
COPY --from=build /src/build/release/loggia /usr/local/bin/loggia
USER 10001
WORKDIR /var/lib/loggia
VOLUME /var/lib/loggia
EXPOSE 8080 8081
ENV LOGGIA_STORAGE_DIR=/var/lib/loggia LOGGIA_HTTP_LISTEN=0.0.0.0:8080 LOGGIA_ADMIN_LISTEN=127.0.0.1:8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["loggia-healthy"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["loggia"]
CMD ["serve"]
