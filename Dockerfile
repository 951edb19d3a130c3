# The gateway alone: no model in it, no compiler, no shell tools beyond those of the base. What it keeps is in /data.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/base.txt \
    && python -m venv /tools && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs docs
COPY src src
RUN /tools/bin/python -m pip wheel --no-index --no-build-isolation --no-deps --wheel-dir /dist . \
    && /venv/bin/pip install --no-cache-dir --no-index --no-deps /dist/*.whl

FROM python:3.11-slim
RUN useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin gateway \
    && install -d -o gateway -g gateway -m 0700 /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH HOME=/data OPENCLAW_STATE_DIR=/data PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
EXPOSE 18789
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["openclaw", "health"]
ENTRYPOINT ["openclaw"]
# In a container loopback is the container's own. Beyond it the gateway wants a token of at least 16 characters.
CMD ["gateway", "run", "--bind", "lan"]
