# The serving image: no scikit-learn, no training code, no root, nothing written outside /tmp and /dev/shm.
#   docker build -t surgical-risk .
#   docker run --read-only --tmpfs /tmp -p 8000:8000 -v ./tenants:/etc/surgical-risk/tenants:ro \
#     -e DATABASE_URL=postgresql+psycopg://… surgical-risk
# A release names the base by its digest: --build-arg BASE=python:3.11-slim-bookworm@sha256:… (docs/supply-chain.md)
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/surgical-risk \
 && /opt/surgical-risk/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY cds_service cds_service
COPY fhir_mappings fhir_mappings
COPY models_onnx models_onnx
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
 && /opt/surgical-risk/bin/pip install --no-cache-dir --no-deps --no-index /opt/wheel/*.whl

FROM ${BASE}
COPY --from=build /opt/surgical-risk /opt/surgical-risk
ENV PATH=/opt/surgical-risk/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CDS_TENANTS=/etc/surgical-risk/tenants \
    CDS_BIND=0.0.0.0:8000
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin surgical-risk
USER 10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["cds-service", "serve"]
