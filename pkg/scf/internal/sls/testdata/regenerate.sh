#!/usr/bin/env bash
# Writes what `serverless print` 3.40.0 says of each fixture in golden/: want.json, or want.error where it refuses the
# file. A fixture is a service folder, with the environment in `env` (KEY=VALUE lines) and the command line in `args`.
# Needs node and npm; the Go tests need neither. SERVERLESS names an installed serverless.js, else npm installs one.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SLS_GEO_LOCATION=no-cn SLS_TELEMETRY_DISABLED=1 SLS_NOTIFICATIONS_MODE=off
if [ -z "${SERVERLESS:-}" ]; then
  npm install --silent --no-audit --no-fund --prefix "$work/npm" serverless@3.40.0 >&2
  SERVERLESS=$work/npm/node_modules/serverless/bin/serverless.js
fi
for fixture in golden/*/; do
  name=$(basename "$fixture")
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  rm -rf "$work/service" "$fixture"want.*
  cp -r "$fixture" "$work/service"
  cp -r plugin "$work/service/plugin"
  vars=() args=()
  [ ! -f "$fixture/env" ] || mapfile -t vars < "$fixture/env"
  [ ! -f "$fixture/args" ] || mapfile -t args < "$fixture/args"
  if (cd "$work/service" && env -i PATH="$PATH" HOME="$work" SLS_GEO_LOCATION=no-cn SLS_TELEMETRY_DISABLED=1 \
    SLS_NOTIFICATIONS_MODE=off "${vars[@]}" node "$SERVERLESS" print --format json "${args[@]}" >"$work/out" 2>"$work/err"); then
    cp "$work/out" "$fixture/want.json"
  else
    # Of the report only the message: what stands between the headline and the environment.
    sed -n '/^Error:/,/^Environment:/p' "$work/out" "$work/err" | sed "1d;/^Environment:/d;s#$work/service/##g" | sed '/^$/d' >"$fixture/want.error"
  fi
  echo "$name: $(ls "$fixture" | grep ^want)"
done
