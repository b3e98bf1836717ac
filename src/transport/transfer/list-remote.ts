import { quote, quotePath } from '../shell.ts'
import type { Transport } from '../transport.ts'
import type { Entry } from './entries.ts'
import { scriptFailure, transferError } from './failure.ts'
import { runScript } from './run-script.ts'
import { folderAbove, hostPath, transferExit } from './scripts.ts'

export interface RemoteTree {
  /** Folder on the host that the paths are relative to. */
  root: string
  /** Folders come before what is in them. */
  entries: Entry[]
  /** What the host said about things that it left out: a line each. */
  skipped: string[]
}

/** Everything at and below a path of the host. Links are followed, loops are not. Rejects with CPN_ERR_TRANSFER. */
export async function listRemote(transport: Transport, path: string, signal: AbortSignal): Promise<RemoteTree> {
  const { root, name } = splitPath(hostPath(path))
  const result = await runScript(transport, listScript(root, name === '.' ? '.' : `./${name}`), { signal })
  if (result.exitCode !== 0) throw scriptFailure(transport.host, `cannot fetch ${path}`, result)
  const entries = parseList(result.stdout, transport.host)
  return { root, entries, skipped: result.stderr.split('\n').filter((line) => line !== '') }
}

/** A path as the folder above it and its name. What has no name of its own is fetched as what is in it. */
export function splitPath(path: string): { root: string; name: string } {
  const plain = path.replace(/(?<=.)\/+$/, '')
  const name = plain.slice(plain.lastIndexOf('/') + 1)
  if (['', '~', '.', '..'].includes(name)) return { root: plain, name: '.' }
  return { root: folderAbove(plain), name }
}

function listScript(root: string, top: string): string {
  const find = `find -L ${quote(top)} \\( -type f -o -type d \\)`
  return [
    `LC_ALL=C; export LC_ALL; cd ${quotePath(root)} || exit ${transferExit.missing}`,
    `[ -e ${quote(top)} ] || { echo 'it does not exist' >&2; exit ${transferExit.missing}; }`,
    // GNU and busybox know -c, BSD -f; the first says modes in base 16, the second in base 8.
    `if stat -c %f / >/dev/null 2>&1; then echo 16; set -- -c '%f %s %Y'; else echo 8; set -- -f '%p %z %m'; fi`,
    `${find} -exec stat -L "$@" {} + 2>/dev/null`,
    `printf '\\0'`,
    `${find} -print0`,
    'exit 0',
  ].join('\n')
}

/** The output of the script above. */
export function parseList(stdout: string, host: string): Entry[] {
  const end = stdout.indexOf('\0')
  const [base, ...about] = stdout.slice(0, Math.max(end, 0)).split('\n')
  const names = stdout
    .slice(end + 1)
    .split('\0')
    .slice(0, -1)
  if (end < 0 || about.length - 1 !== names.length)
    throw transferError(host, 'its files changed while they were listed')
  const entries = names.map((name, index) => entryOf(name, about[index]!, Number(base)))
  return checkNames(entries, host)
}

/** The entries without the folder itself that they are in; nothing a host says may lead out of that folder here. */
export function checkNames(entries: Entry[], host: string): Entry[] {
  const wrong = entries.find(({ path }) =>
    path.split('/').some((part) => ['', '.', '..'].includes(part) && path !== '.'),
  )
  if (wrong) throw transferError(host, `it lists an impossible name: ${JSON.stringify(wrong.path)}`)
  return entries.filter(({ path }) => path !== '.')
}

function entryOf(name: string, about: string, base: number): Entry {
  const [mode = '', bytes, mtime] = about.split(' ')
  const bits = Number.parseInt(mode, base)
  const kind = (bits & 0o170000) === 0o040000 ? 'folder' : 'file'
  return {
    kind,
    path: name.replace(/^\.\//, ''),
    bytes: kind === 'file' ? Number(bytes) : 0,
    mode: bits & 0o777,
    mtime: Number(mtime),
  }
}
