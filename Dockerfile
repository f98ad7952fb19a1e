# One image for every command of the program. A release pins its base and says what it was made from:
#   docker build --build-arg BASE_DIGEST=sha256:... --build-arg VERSION=... --build-arg REVISION="$(git rev-parse HEAD)" .
ARG BASE_IMAGE=python:3.12-slim
ARG BASE_DIGEST=

FROM ${BASE_IMAGE}${BASE_DIGEST:+@$BASE_DIGEST} AS base


FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/producer
COPY requirements/ requirements/
# The wheel's build backend, at the versions and hashes that development uses; beside the venv, not in it.
RUN sed -nE '/^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/,/[^\]$/p' requirements/dev.txt > build.txt \
    && pip install --require-hashes --only-binary :all: -r build.txt \
    && pip --python /opt/producer install --require-hashes --only-binary :all: -r requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas/ schemas/
COPY producer/ producer/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/producer install --no-deps --no-index dist/*.whl


FROM base
ARG BASE_IMAGE
ARG BASE_DIGEST
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tiktok-live-producer" \
      org.opencontainers.image.description="TikTok LIVE events to Apache Kafka: one Avro record per event, one topic per kind of event" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"
# Nothing is installed into a running container.
RUN pip uninstall --yes --root-user-action=ignore pip
COPY --from=build /opt/producer /opt/producer
# The venv holds its bytecode already, and the root file system may be read-only. The port is set, so that on a host's own
# network a worker refuses to start where another has it, instead of taking one that HEALTHCHECK does not ask.
ENV PATH="/opt/producer/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PRODUCER_HTTP_PORT=9464
# A number, so that Kubernetes can see that it is not root; no user of that name is needed.
USER 65532:65532
EXPOSE 9464
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["producer", "health"]
ENTRYPOINT ["producer"]
CMD ["run"]
