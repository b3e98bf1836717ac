import { defineDigest } from '../digest-script.ts'
import { quote, quotePath } from '../shell.ts'
import type { Entry } from './entries.ts'

/** What the scripts' exit codes say. */
export const transferExit = {
  done: 0,
  write: 41,
  size: 42,
  noDigestProgram: 43,
  digest: 44,
  name: 45,
  missing: 46,
} as const

/** Characters of names that one command of a script gets; the kernel allows 128 KiB and more. */
const maxArgumentChars = 64 * 1024

/** A path as a person names it on a host, safe from being read as an option; relative ones belong to the home. */
export function hostPath(path: string): string {
  if (path === '' || path === '.') return '~'
  return /^(\/|~$|~\/)/.test(path) ? path : `./${path}`
}

/** The folder that a path of hostPath stands in. */
export function folderAbove(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** A path below a folder of the host. */
export function below(folder: string, path: string): string {
  return folder.endsWith('/') ? folder + path : `${folder}/${path}`
}

/** How a script begins that computes digests. */
export const withDigest = ['LC_ALL=C; export LC_ALL', defineDigest(`exit ${transferExit.noDigestProgram}`)].join('\n')

/** What is at a place of the host (folder, file, none), whether its folder is there, and whether there is a tar. */
export function lookScript(path: string): string {
  return [
    `path=${quotePath(path)}`,
    'if [ -d "$path" ]; then echo folder; elif [ -e "$path" ]; then echo file; else echo none; fi',
    `if [ -d ${quotePath(folderAbove(path))} ]; then echo yes; else echo no; fi`,
    'if command -v tar >/dev/null 2>&1; then echo yes; else echo no; fi',
  ].join('\n')
}

/** Makes folders that are missing, in order, and prints the numbers of those it made. */
export function foldersScript(root: string, folders: Entry[]): string {
  return [
    `umask 077; cd ${quotePath(root)} || exit ${transferExit.missing}`,
    `make() { [ -d "$2" ] || { mkdir "$2" && echo "$1"; } || exit ${transferExit.name}; }`,
    ...folders.map(({ path }, index) => `make ${index} ${quote(`./${path}`)}`),
  ].join('\n')
}

/** Gives folders their modes and times: the innermost first, because a change inside is a change of the folder. */
export function finishFoldersScript(root: string, folders: Entry[]): string {
  const finish = folders
    .toReversed()
    .map((folder) => `${setTimeAndMode(`./${folder.path}`, folder)} || exit ${transferExit.name}`)
  return [`cd ${quotePath(root)} || exit ${transferExit.missing}`, ...finish].join('\n')
}

/** Every POSIX touch reads this form of a time. */
export function setTimeAndMode(path: string, { mode, mtime }: Pick<Entry, 'mode' | 'mtime'>): string {
  const stamp = new Date(mtime * 1000).toISOString().replace(/[-T:]/g, '').slice(0, 14)
  const time = `${stamp.slice(0, 12)}.${stamp.slice(12)}`
  return `TZ=UTC0 touch -m -t ${time} ${quote(path)} && chmod ${mode.toString(8)} ${quote(path)}`
}

/** Unpacks the tar stream on stdin beside the target and does what its last file, `finish`, says. */
export function unpackScript(root: string, stage: string): string {
  return [
    withDigest,
    `umask 077; cd ${quotePath(root)} || exit ${transferExit.missing}`,
    'root=$PWD',
    'clean() { cd "$root" && rm -rf "$stage"; }',
    `stage=${quote(stage)}; trap 'clean; exit ${transferExit.write}' HUP INT TERM PIPE`,
    `fail() { clean; exit "$1"; }`,
    `mkdir "$stage" && cd "$stage" || exit ${transferExit.write}`,
    `tar -xopf - && [ -f finish ] || fail ${transferExit.write}`,
    '. ./finish',
    'clean',
  ].join('\n')
}

/** The last file of a tar stream: compares the digest of all files one after another, then gives them their names. */
export function finishScript(files: Entry[], sha256: string): string {
  const paths = files.map(({ path }) => `./${path}`)
  return [
    `cd files || fail ${transferExit.write}`,
    'contents() {',
    ...chunksOf(paths).map((chunk) => `cat ${chunk.map(quote).join(' ')}`),
    '}',
    `[ "$(contents | digest)" = ${sha256} ] || fail ${transferExit.digest}`,
    ...[...Map.groupBy(paths, folderOf)].flatMap(([folder, inFolder]) =>
      chunksOf(inFolder).map((chunk) => moveInto(chunk, folder)),
    ),
    '',
  ].join('\n')
}

function moveInto(paths: string[], folder: string): string {
  return `mv -f ${paths.map(quote).join(' ')} ${quote(`../../${folder}/`)} || fail ${transferExit.name}`
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** Names in as many parts as commands need. */
export function chunksOf(paths: string[]): string[][] {
  const chunks: string[][] = []
  let chars = Number.POSITIVE_INFINITY
  for (const path of paths) {
    const length = quote(path).length + 1
    if (chars + length > maxArgumentChars) {
      chunks.push([])
      chars = 0
    }
    chunks.at(-1)!.push(path)
    chars += length
  }
  return chunks
}
