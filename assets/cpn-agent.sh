#!/bin/sh
# Starts the agent program of the release this file lies in. Called through fleets/<id>/current it names that fleet.
unset NODE_OPTIONS NODE_PATH
# A core dump would put images on the disk.
ulimit -c 0 2>/dev/null
case $0 in
  */*) bin=${0%/*} ;;
  *) bin=. ;;
esac
# A logical path keeps `current`; the real one is what runs, so that a switch meanwhile mixes nothing.
here=$(CDPATH='' cd -L -- "$bin/.." && pwd -L) || exit 1
release=$(CDPATH='' cd -P -- "$here" && pwd -P) || exit 1
# Where the host lacks libatomic the release brings what the runtime needs of it.
if [ -d "$release/lib" ] && ! "$release/bin/node" --version >/dev/null 2>&1; then
  LD_LIBRARY_PATH=$release/lib
  export LD_LIBRARY_PATH
fi
if [ "${here##*/}" = current ]; then
  exec "$release/bin/node" "$release/agent/agent.mjs" --fleet-dir "${here%/*}" "$@"
fi
exec "$release/bin/node" "$release/agent/agent.mjs" "$@"
