import { quote, quotePath } from '../shell.ts'
import type { Entry } from './entries.ts'
import { chunksOf, transferExit, withDigest } from './scripts.ts'

/** Prints the bytes of all files one after another, then their digest on stderr. */
export function fetchSmallScript(root: string, files: Entry[]): string {
  const paths = files.map(({ path }) => `./${path}`)
  return [
    withDigest,
    `cd ${quotePath(root)} || exit ${transferExit.missing}`,
    'contents() {',
    ...chunksOf(paths).map((chunk) => `cat ${chunk.map(quote).join(' ')} || exit ${transferExit.write}`),
    '}',
    'contents',
    'contents | digest >&2',
    '',
  ].join('\n')
}

/** Prints where it begins in a line, the bytes from there on, and the digest of the whole on stderr. */
export function fetchLargeScript(root: string, file: Entry, has?: { bytes: number; sha256: string }): string {
  const path = quote(`./${file.path}`)
  return [
    withDigest,
    `cd ${quotePath(root)} || exit ${transferExit.missing}`,
    'start=0',
    ...(has ? [`[ "$(head -c ${has.bytes} ${path} | digest)" = ${has.sha256} ] && start=${has.bytes}`] : []),
    'echo $start',
    `tail -c +$((start + 1)) ${path} || exit ${transferExit.write}`,
    `digest < ${path} >&2`,
    '',
  ].join('\n')
}
