#!/bin/sh
# Builds both libraries anew; needs gcc and aarch64-linux-gnu-gcc (Debian: gcc, gcc-aarch64-linux-gnu) on an x86-64 machine.
set -e
cd "$(dirname "$0")"
flags='-O2 -shared -fPIC -nostdlib -Wl,-soname,libatomic.so.1 -Wl,--version-script,libatomic.map -Wl,--build-id=none -s'
gcc -mcx16 $flags -o linux-x64/libatomic.so.1 libatomic.c
aarch64-linux-gnu-gcc -mno-outline-atomics $flags -o linux-arm64/libatomic.so.1 libatomic.c
