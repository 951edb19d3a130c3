# The gateway alone: no model in it, no compiler, no pip, no shell tools beyond those of the base. It needs nothing of
# its root to be writable: what it keeps is in /data, what agents work at in /workspaces.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv --without-pip /venv && python -m venv /tools \
    && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && /tools/bin/pip --python /venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
       -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs docs
COPY src src
RUN /tools/bin/python -m pip wheel --no-index --no-build-isolation --no-deps --wheel-dir /dist . \
    && /tools/bin/pip --python /venv/bin/python install --no-cache-dir --no-index --no-deps /dist/*.whl

FROM python:3.11-slim
# A fresh volume takes over whom the folder in its place belongs to.
RUN groupadd --gid 10001 gateway \
    && useradd --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin gateway \
    && install -d -o gateway -g gateway -m 0700 /data /data/gateway /data/gateway/memory /workspaces
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH HOME=/data OPENCLAW_STATE_DIR=/data PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
EXPOSE 18789
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["openclaw", "health"]
ENTRYPOINT ["openclaw"]
# In a container loopback is the container's own. Beyond it the gateway wants a token of at least 16 characters.
CMD ["gateway", "run", "--bind", "lan"]
