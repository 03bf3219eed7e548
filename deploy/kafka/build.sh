#!/usr/bin/env bash
# Builds the image of Apache Kafka without any image registry: Debian packages by debootstrap, jars by Maven.
#
#   deploy/kafka/build.sh [VERSION]      the image is scf-etl/kafka:VERSION (4.2.0)
#
# VERSION is a release from 0.10.2 on; before 3.0 the image brings its own ZooKeeper.
# Needs: docker with a running engine, mvn, debootstrap, and root (or sudo) for debootstrap.
# An image made of the same files is kept; FORCE=1 builds it again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=${1:-4.2.0}
suite=bookworm
packages=openjdk-17-jre-headless
image=scf-etl/kafka:$version
base=scf-etl/debian-java:$suite-17
case $version in
  0.* | 1.*) scala=2.12 ;; # there is none for 2.13
  *) scala=2.13 ;;
esac

say() { printf 'kafka image: %s\n' "$*" >&2; }

for tool in docker mvn debootstrap; do
  command -v "$tool" >/dev/null || { say "$tool is missing: install Debian's docker.io, maven and debootstrap"; exit 1; }
done
docker version >/dev/null 2>&1 || { say "no Docker engine answers: start one, or set DOCKER_HOST"; exit 1; }

inputs=$({ echo "$version"; find . -type f ! -name README.md -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16)
have=$(docker image inspect --format '{{index .Config.Labels "inputs"}}' "$image" 2>/dev/null || true)
if [[ $have == "$inputs" && -z ${FORCE-} ]]; then
  say "$image is up to date"
  exit 0
fi

work=$(mktemp -d)
as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi; }
trap 'as_root rm -rf "$work"' EXIT

if ! docker image inspect "$base" >/dev/null 2>&1 || [[ -n ${FORCE-} ]]; then
  say "Debian $suite with $packages"
  as_root debootstrap --variant=minbase --include="$packages" "$suite" "$work/base" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
  as_root tar -C "$work/base" -c \
    --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' --exclude='./dev/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/doc/*/*.gz' . |
    docker import - "$base" >/dev/null
  as_root rm -rf "$work/base"
fi

say "jars of Kafka $version"
mvn --quiet --batch-mode -Dstyle.color=never --strict-checksums --file pom.xml dependency:copy-dependencies \
  -Dkafka.version="$version" -Dscala.version="$scala" -DincludeScope=runtime -DoutputDirectory="$work/libs"

say "$image"
cp -r Dockerfile rootfs "$work/"
docker build --quiet --build-arg BASE="$base" --build-arg KAFKA_VERSION="$version" --label inputs="$inputs" \
  --tag "$image" "$work" >/dev/null
say "$image is built: $(docker image inspect --format '{{.Size}}' "$image" | awk '{printf "%.0f MB", $1 / 1e6}')"
