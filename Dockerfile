# Keyturn alone: one static file, the certificates of public authorities, no
# shell. The state is in /data, the configuration is mounted.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t keyturn .
#   docker run -p 8364:8364 -v keyturn:/data -v ./keyturn.yaml:/etc/keyturn/keyturn.yaml:ro --env-file keyturn.env keyturn
#
# In the container the configuration says listen: 0.0.0.0:8364 and
# data: /data/keyturn.db.

FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION="$VERSION" && mkdir -p /out/data && mv keyturn /out/keyturn

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/keyturn /keyturn
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
EXPOSE 8364
VOLUME /data
ENTRYPOINT ["/keyturn"]
CMD ["serve", "--config", "/etc/keyturn/keyturn.yaml"]
