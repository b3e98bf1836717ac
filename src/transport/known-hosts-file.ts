import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { entryMatches, fingerprint, keyType, parseEntry, parseKnownHosts } from './ssh/known-hosts.ts'

/** A host key as a server shows it or a file holds it. */
export interface ScannedKey {
  /** `ssh-ed25519`, … */
  type: string
  /** SHA256:… */
  fingerprint: string
  /** SSH's wire format. */
  key: Buffer
}

/** A key in SSH's wire format with its names. */
export function describeKey(key: Buffer): ScannedKey {
  return { type: keyType(key), fingerprint: fingerprint(key), key }
}

/** The text of a known_hosts file; empty where there is none. */
export async function readKnownHosts(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return ''
    throw new CpnError('CPN_ERR_STATE_DIR', `cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Keys recorded under an inventory name. */
export async function knownHostKeys(knownHostsFile: string, name: string): Promise<ScannedKey[]> {
  const entries = parseKnownHosts(await readKnownHosts(knownHostsFile))
  return entries.filter((entry) => !entry.marker && entryMatches(entry, name)).map(({ key }) => describeKey(key))
}

/** Adds a key under an inventory name; one that is there already stays as it is. */
export async function recordHostKey(knownHostsFile: string, name: string, key: Buffer): Promise<void> {
  await edit(knownHostsFile, (lines) => {
    const isThere = (line: string): boolean => isAbout(line, name) && parseEntry(line)!.key.equals(key)
    return lines.some(isThere) ? lines : [...lines, `${name} ${keyType(key)} ${key.toString('base64')}`]
  })
}

/** Removes every key recorded under an inventory name. Revocations stay. */
export async function forgetHostKey(knownHostsFile: string, name: string): Promise<void> {
  await edit(knownHostsFile, (lines) => lines.filter((line) => !isAbout(line, name)))
}

function isAbout(line: string, name: string): boolean {
  const entry = parseEntry(line)
  return entry !== undefined && entry.marker === undefined && entry.hosts === name
}

const edits = new Map<string, Promise<void>>()

/** Edits of one file come one after another, so that none of them undoes another. */
function edit(file: string, change: (lines: string[]) => string[]): Promise<void> {
  const before = edits.get(file) ?? Promise.resolve()
  const now = before.catch(() => undefined).then(() => rewrite(file, change))
  edits.set(file, now)
  return now
}

async function rewrite(file: string, change: (lines: string[]) => string[]): Promise<void> {
  const before = (await readKnownHosts(file)).split('\n').filter((line) => line !== '')
  const after = change(before)
  if (after.length === before.length) return
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeDurably(temporary, after.map((line) => `${line}\n`).join(''))
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new CpnError('CPN_ERR_STATE_DIR', `cannot write ${file}: ${(error as Error).message}`, {
      cause: error,
      suggestions: ['Check that the folder exists, is yours and has space left.'],
    })
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}
