import { readFile } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import type { Prompter } from '../../common/context.ts'
import { CpnError, systemErrorCode } from '../../common/errors.ts'
import { fingerprint, keyType } from './known-hosts.ts'

/** A key that may be offered to a server. */
export interface Identity {
  path: string
  type: string
  fingerprint: string
  /** Public part in SSH's wire format. */
  publicKey: Buffer
  encrypted: boolean
  /** False for a file that has the public part only: ssh-agent has to sign. */
  hasPrivate: boolean
}

// Passphrases are asked once per key and process; what came of it stays, good or bad.
const unlocked = new Map<string, Promise<ParsedKey>>()

/**
 * Reads a key file. Undefined when there is none.
 * @throws CPN_ERR_IDENTITY when the file is no key that can be used
 */
export async function readIdentity(path: string): Promise<Identity | undefined> {
  const text = await readKeyFile(path)
  if (text === undefined) return undefined
  const parsed = ssh2.utils.parseKey(text)
  const publicKey = parsed instanceof Error ? await publicPart(path, text) : parsed.getPublicSSH()
  if (publicKey === undefined) throw unusable(path, parsed as Error)
  const encrypted = parsed instanceof Error
  const hasPrivate = encrypted || parsed.isPrivateKey()
  return { path, type: keyType(publicKey), fingerprint: fingerprint(publicKey), publicKey, encrypted, hasPrivate }
}

/** The private key of a file; asks for its passphrase when it has one. */
export function unlockIdentity(identity: Identity, prompter: Prompter): Promise<ParsedKey> {
  const id = `${identity.path} ${identity.fingerprint}`
  const key = unlocked.get(id) ?? unlock(identity, prompter)
  unlocked.set(id, key)
  return key
}

async function unlock({ path, encrypted }: Identity, prompter: Prompter): Promise<ParsedKey> {
  const text = await readFile(path, 'utf8')
  if (!encrypted) return asKey(ssh2.utils.parseKey(text), path)
  if (!prompter.interactive) throw lockedError(path)
  for (const again of ['', 'wrong, once more: ', 'wrong, once more: ']) {
    const passphrase = await prompter.secret(`${again}Passphrase of ${path}: `)
    const key = ssh2.utils.parseKey(text, passphrase)
    if (!(key instanceof Error)) return asKey(key, path)
  }
  throw new CpnError('CPN_ERR_IDENTITY', `none of three passphrases opens ${path}`, {
    suggestions: [`Load it into ssh-agent: ssh-add ${path}`],
  })
}

/** The error of an encrypted key without anybody to ask. */
export function lockedError(path: string): CpnError {
  return new CpnError('CPN_ERR_IDENTITY', `${path} has a passphrase, and there is no terminal to ask for it`, {
    suggestions: [`Load it into ssh-agent first: ssh-add ${path}`],
  })
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw unusable(path, error as Error)
  }
}

/** OpenSSH's format has the public part in clear; for others there may be a .pub file. */
async function publicPart(path: string, text: string): Promise<Buffer | undefined> {
  const body = /BEGIN OPENSSH PRIVATE KEY-+([^-]+)-+END/.exec(text)?.[1]
  if (body !== undefined) return openSshPublicPart(Buffer.from(body, 'base64'))
  const beside = await readKeyFile(`${path}.pub`)
  const parsed = beside === undefined ? undefined : ssh2.utils.parseKey(beside)
  return parsed === undefined || parsed instanceof Error ? undefined : parsed.getPublicSSH()
}

/** openssh-key-v1: magic, cipher, kdf, kdf options, number of keys, public key, … (PROTOCOL.key of OpenSSH). */
function openSshPublicPart(data: Buffer): Buffer | undefined {
  const magic = 'openssh-key-v1\0'
  if (data.toString('latin1', 0, magic.length) !== magic) return undefined
  let offset = magic.length
  const field = (): Buffer => {
    const start = offset + 4
    offset = start + data.readUInt32BE(offset)
    return data.subarray(start, offset)
  }
  try {
    field()
    field()
    field()
    offset += 4
    return Buffer.from(field())
  } catch {
    return undefined
  }
}

function asKey(key: ParsedKey | Error, path: string): ParsedKey {
  if (key instanceof Error) throw unusable(path, key)
  return key
}

function unusable(path: string, cause: Error): CpnError {
  return new CpnError('CPN_ERR_IDENTITY', `${path} is no key that can be used: ${cause.message}`, {
    cause,
    suggestions: [
      'Name a private key in OpenSSH format (ed25519, ecdsa or rsa), or load it into ssh-agent.',
      `For an encrypted key in an older format put its public part beside it: ssh-keygen -y -f ${path} > ${path}.pub`,
    ],
  })
}
