import { defineDigest } from './digest-script.ts'
import { quote, quotePath } from './shell.ts'

/** What the script's exit code says. */
export const uploadExit = {
  done: 0,
  write: 41,
  size: 42,
  noDigestProgram: 43,
  digest: 44,
  name: 45,
  noCat: 46,
} as const

export interface UploadTarget {
  temporary: string
  path: string
  bytes: number
  sha256: string
  mode: number
}

/** Writes stdin to the temporary name, then does what finishUpload does. Leaves nothing behind when it fails. */
export function receiveUpload(target: UploadTarget): string {
  return [
    ...prologue(target),
    `cat > "$tmp" || fail $(($? == 127 ? ${uploadExit.noCat} : ${uploadExit.write}))`,
    ...finish(target),
  ].join('\n')
}

/** Compares size and digest of the temporary file, sets its mode and gives it its name. */
export function finishUpload(target: UploadTarget): string {
  return [...prologue(target), ...finish(target)].join('\n')
}

function prologue({ temporary, path }: UploadTarget): string[] {
  return [
    'LC_ALL=C; export LC_ALL; umask 077',
    `tmp=${quotePath(temporary)}; path=${quotePath(path)}`,
    'fail() { rm -f "$tmp"; exit "$1"; }',
    "trap 'fail 41' HUP INT TERM PIPE",
  ]
}

function finish({ bytes, sha256, mode }: UploadTarget): string[] {
  return [
    // In two steps: a shell that calculates with nothing, as when a signal ends wc, ends without its traps.
    `size=$(wc -c < "$tmp") && size=$((size)) || fail ${uploadExit.write}`,
    `[ "$size" -eq ${bytes} ] || { echo "$size" >&2; fail ${uploadExit.size}; }`,
    defineDigest(`fail ${uploadExit.noDigestProgram}`),
    `[ "$(digest < "$tmp")" = ${quote(sha256)} ] || fail ${uploadExit.digest}`,
    `chmod ${mode.toString(8)} "$tmp" && mv -f "$tmp" "$path" || fail ${uploadExit.name}`,
  ]
}
