import { createHash } from 'node:crypto'
import { quote, quotePath } from '../shell.ts'
import type { Entry } from './entries.ts'
import { setTimeAndMode, transferExit, withDigest } from './scripts.ts'

/** The name under which a file waits for the rest of its bytes: the same whenever this version of the file is copied. */
export function partOf({ path, bytes, mtime }: Entry): string {
  const slash = path.lastIndexOf('/') + 1
  const key = createHash('sha256').update(`${path}\0${bytes}\0${mtime}`).digest('hex').slice(0, 16)
  return `${path.slice(0, slash)}.cpn-${key}.part`
}

/** What a host has of a large file. */
export interface Present {
  what: 'whole' | 'part'
  bytes: number
  sha256: string
}

/** Prints what is there of large files, a line each: number, whole or part, bytes, digest. */
export function presentScript(root: string, files: Entry[]): string {
  return [
    withDigest,
    `cd ${quotePath(root)} || exit ${transferExit.missing}`,
    'size() { echo $(($(wc -c < "$1"))); }',
    'look() {',
    'if [ -f "$3" ] && [ "$(size "$3")" -eq "$2" ]; then echo "$1 whole $2 $(digest < "$3")"',
    'elif [ -f "$4" ] && [ ! -L "$4" ]; then echo "$1 part $(size "$4") $(digest < "$4")"; fi; }',
    ...files.map((file, index) => {
      const { bytes, path } = file
      return `look ${index} ${bytes} ${quote(`./${path}`)} ${quote(`./${partOf(file)}`)}`
    }),
  ].join('\n')
}

export function parsePresent(stdout: string): Map<number, Present> {
  const lines = stdout.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [index, what, bytes, sha256 = ''] = line.split(' ')
      return [Number(index), { what: what as Present['what'], bytes: Number(bytes), sha256 }]
    }),
  )
}

/**
 * Puts stdin behind what is there already and prints the digest of the whole. Meanwhile the file has the name `mine`,
 * so that two copies at once cannot mix their bytes; what is not complete gets the name of a part back.
 */
export function receiveScript(root: string, file: Entry, mine: string, start: number): string {
  return [
    withDigest,
    `umask 077; cd ${quotePath(root)} || exit ${transferExit.missing}`,
    `part=${quote(`./${partOf(file)}`)}; mine=${quote(`./${mine}`)}`,
    // A second signal, or one that comes while the first failure is dealt with, must not end the mv.
    'keep() { trap "" HUP INT TERM PIPE; [ ! -e "$mine" ] || mv -f "$mine" "$part"; exit "$1"; }',
    `trap 'keep ${transferExit.write}' HUP INT TERM PIPE`,
    `[ ! -d ${quote(`./${file.path}`)} ] || { echo "it is a folder there" >&2; exit ${transferExit.name}; }`,
    start > 0 ? `mv -f "$part" "$mine" || exit ${transferExit.write}` : 'rm -f "$part"',
    `cat >> "$mine" || keep ${transferExit.write}`,
    // A signal may end wc without a word, and a shell that calculates with nothing ends without its traps.
    `size=$(wc -c < "$mine") && [ $((size)) -eq ${file.bytes} ] || keep ${transferExit.size}`,
    'digest < "$mine"',
  ].join('\n')
}

/** Gives a verified file its name; one with a wrong digest is removed. */
export function nameScript(root: string, file: Entry, mine: string, isRight: boolean): string {
  const cd = `cd ${quotePath(root)} || exit ${transferExit.missing}`
  if (!isRight) return `${cd}; rm -f ${quote(`./${mine}`)}; exit ${transferExit.digest}`
  return [
    cd,
    `{ ${setTimeAndMode(`./${mine}`, file)} &&`,
    `mv -f ${quote(`./${mine}`)} ${quote(`./${file.path}`)}; } || { rm -f ${quote(`./${mine}`)}; exit ${transferExit.name}; }`,
  ].join('\n')
}
