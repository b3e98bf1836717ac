import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import type { FleetFolder } from '../fleet-folder.ts'

/**
 * Restricts a key of this user's authorized_keys to the agent's program, or takes that back. Nothing but what cpn wrote is
 * replaced: other options in front of the key end it with CPN_ERR_PROVISION_FAILED.
 * @param key type and base64
 */
export function lockKey(fleet: FleetFolder, key: string, lock: boolean, home = homedir()): { changed: boolean } {
  const path = authorizedKeys(home, key)
  const options = lockOptions(fleet)
  const before = readFileSync(path, 'utf8')
  const lines = before.split('\n').map((line) => setOptions(line, key, lock ? options : '', options))
  if (lines.every((line) => line === undefined)) throw notThere(key)
  const after = lines.map((line, index) => line ?? before.split('\n')[index]).join('\n')
  if (after !== before) replace(path, after)
  return { changed: after !== before }
}

/** What stands before a locked key. The login shell reads the command, sshd what is in quotes. */
function lockOptions({ current }: FleetFolder): string {
  const program = join(current, 'bin', 'cpn-agent')
  const quoted = /^[\w/.-]+$/.test(program) ? program : `'${program.replaceAll("'", "'\\''")}'`
  return `restrict,command="${`${quoted} bridge --only`.replaceAll('"', '\\"')}"`
}

/** The line with other options; undefined when it is about another key. */
function setOptions(line: string, key: string, wanted: string, ours: string): string | undefined {
  const at = line.startsWith('#') ? -1 : ` ${line} `.indexOf(` ${key} `)
  if (at < 0) return undefined
  const has = line.slice(0, at).trim()
  if (has !== '' && has !== ours) throw otherOptions(has, wanted)
  return `${wanted}${wanted && ' '}${line.slice(at)}`
}

function authorizedKeys(home: string, key: string): string {
  try {
    return realpathSync(join(home, '.ssh', 'authorized_keys'))
  } catch {
    throw notThere(key)
  }
}

function replace(path: string, text: string): void {
  const next = `${path}.cpn-${process.pid}`
  try {
    writeFileSync(next, text, { mode: statSync(path).mode & 0o777, flag: 'wx', flush: true })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function notThere(key: string): CpnError {
  return new CpnError('CPN_ERR_PROVISION_FAILED', `~/.ssh/authorized_keys there has no key ${key}`, {
    suggestions: ['Put it there first: cpn hosts add NAME --copy-key'],
  })
}

function otherOptions(has: string, wanted: string): CpnError {
  return new CpnError('CPN_ERR_PROVISION_FAILED', `the key has other options in authorized_keys: ${has}`, {
    suggestions: [`Change the line by hand; what cpn would put there is: ${wanted || 'nothing'}`],
  })
}
