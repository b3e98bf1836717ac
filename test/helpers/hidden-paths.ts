import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { quote } from '../../src/transport/shell.ts'
import { cpnProgram } from './cli.ts'
import { repositoryRoot, shared } from './shared.ts'

const programs = /^(node|nodejs|npm|npx|corepack|yarn|pnpm|pyenv|python[\d.]*|pip[\d.]*|uv|conda)$/
const libraries = /^(node_modules|nodejs|npm|python[\d.]*)$/
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const libraryFolders = ['/usr/lib', '/usr/local/lib', '/usr/share', '/opt']
const homeFolders = ['.pyenv', '.nvm', '.npm', '.volta', '.local', '.cache']

/**
 * A shell script that hides the checkout, its data, Node, npm and Python from its own mount namespace and then becomes
 * the command it is given. Of the temporary folder only `keep` stays.
 */
export function hidingScript(keep: string): string {
  const [temporary, kept] = [quote(realpathSync(tmpdir())), quote(keep)]
  return [
    'set -e',
    `mount --bind ${kept} /mnt && mount -t tmpfs -o mode=1777 tmpfs ${temporary}`,
    `mkdir -p ${kept} && mount --bind /mnt ${kept} && umount /mnt`,
    ...hiddenFolders().map((path) => `mount -t tmpfs -o mode=755 tmpfs ${quote(path)}`),
    ...hiddenPrograms().map((path) => `mount --bind /dev/null ${quote(path)}`),
    'exec "$@"',
  ].join('\n')
}

/** Folders to put an empty one over; none of them is below another. */
function hiddenFolders(): string[] {
  const ours = [repositoryRoot, dirname(dirname(cpnProgram)), shared()]
  const theirs = libraryFolders.flatMap((folder) => entries(folder, libraries))
  const all = existing([...ours, ...theirs, ...homeFolders.map((name) => join(homedir(), name))])
  return all.filter((path) => !isBelow(path, [realpathSync(tmpdir()), ...all]))
}

function hiddenPrograms(): string[] {
  const inPath = (process.env.PATH ?? '').split(delimiter)
  const found = existing([...programFolders, ...inPath]).flatMap((folder) => entries(folder, programs))
  return existing(found).filter((path) => !isBelow(path, hiddenFolders()))
}

function entries(folder: string, names: RegExp): string[] {
  const found = existsSync(folder) ? readdirSync(folder).filter((name) => names.test(name)) : []
  return found.map((name) => join(folder, name))
}

/** Real paths of what exists, each once. */
function existing(paths: string[]): string[] {
  return [...new Set(paths.filter((path) => path !== '' && existsSync(path)).map((path) => realpathSync(path)))]
}

function isBelow(path: string, folders: string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`))
}
