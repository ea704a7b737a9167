# Several stages: the last holds the executable and the libraries that it links, nothing that builds.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages.txt scripts/bootstrap scripts/
RUN scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY . .
RUN LOGGIA_CMAKE=-DLOGGIA_TESTS=OFF scripts/build release loggia && strip build/release/loggia

FROM debian:bookworm-slim
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends ca-certificates libargon2-1 libcurl4 libfmt9 libpq5 librdkafka1 libsqlite3-0 libssl3 libtomlplusplus3 libutf8proc2 tzdata zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/loggia --create-home loggia
COPY --from=build /src/build/release/loggia /usr/local/bin/loggia
USER 10001
VOLUME /var/lib/loggia
EXPOSE 8080 8081
ENV LOGGIA_STORAGE_DIR=/var/lib/loggia LOGGIA_HTTP_LISTEN=0.0.0.0:8080 LOGGIA_ADMIN_LISTEN=127.0.0.1:8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["loggia", "topics", "list"]
ENTRYPOINT ["loggia"]
CMD ["serve"]
