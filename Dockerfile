# `dynamix serve` in a container. The data is in /data; clients come by any name.
#
#   docker build --tag dynamix .
#   docker run --rm --publish 127.0.0.1:8000:8000 dynamix

FROM python:3.13-slim AS built
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN ["python", "-m", "venv", "/opt/dynamix"]
# the mapper alone looks up credentials with botocore; the server does without its 25 MB
RUN ["/opt/dynamix/bin/pip", "install", "--no-cache-dir", "msgspec>=0.19", "httptools>=0.6.3"]
RUN ["/opt/dynamix/bin/pip", "install", "--no-cache-dir", "--no-deps", "."]

FROM python:3.13-slim
COPY --from=built /opt/dynamix /opt/dynamix
RUN ["install", "--directory", "--owner=10001", "--group=10001", "/data"]
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/opt/dynamix/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/', timeout=2)"]
ENTRYPOINT ["/opt/dynamix/bin/dynamix", "serve", "--host", "0.0.0.0"]
CMD ["--db", "/data/dynamix.db"]
