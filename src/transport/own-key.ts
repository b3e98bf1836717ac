import { hostname, userInfo } from 'node:os'
import type { Prompter } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { ScanOptions } from './host-keys.ts'
import { SshContext } from './ssh/context.ts'
import { readHostKeyPolicy } from './ssh/host-key-policy.ts'
import { type Identity, readIdentity } from './ssh/identity.ts'
import { type Keyring, openKeyring } from './ssh/keyring.ts'
import { login } from './ssh/login.ts'
import type { PatientPrompter } from './ssh/stopwatch.ts'
import { resolveTarget, type Target } from './ssh/target.ts'

/** The key that a person logs in to a host with. */
export interface OwnKey {
  /** Its file. */
  path: string
  fingerprint: string
  /** What authorized_keys has of it, without a comment. */
  publicKey: string
  comment: string
}

/** The host's identityFile, else the first of ssh's own that is there. Ends with CPN_ERR_IDENTITY without any. */
export async function ownKeyFor(host: Host, hosts: Host[], signal?: AbortSignal): Promise<OwnKey> {
  const { ownIdentityFile, identityFiles } = await targetOf(host, hosts, signal)
  const identity = ownIdentityFile ? await readIdentity(ownIdentityFile) : await firstReadable(identityFiles)
  if (!identity) throw noKey(host.name, ownIdentityFile)
  const { path, type, fingerprint, publicKey } = identity
  const comment = `${userInfo().username}@${hostname()}`
  return { path, fingerprint, publicKey: `${type} ${publicKey.toString('base64')}`, comment }
}

/**
 * Logs in with this key and nothing else, and hangs up. A passphrase is asked for, a password is not. Ends with
 * CPN_ERR_AUTH_FAILED when the server does not take the key.
 */
export async function logInWithKeyAlone(host: Host, { path }: OwnKey, options: ScanOptions): Promise<void> {
  await using context = new SshContext(options)
  const { signal, prompter } = options
  const target = { ...(await targetOf(host, options.hosts, signal)), ownIdentityFile: path, identitiesOnly: true }
  const { verify, algorithms } = await readHostKeyPolicy(target, options.knownHostsFile)
  const connection = await login({
    target,
    via: await context.wayTo(target, signal),
    host: host.name,
    pace: context.pace,
    prompter: { ...prompter, interactive: false },
    verifyHostKey: verify,
    hostKeyAlgorithms: algorithms,
    openKeyring: (patient) => keyringOf(target, patient, prompter),
    signal,
  })
  await connection.close()
}

/** For passphrases the person is there, whom the login itself may ask for nothing. */
function keyringOf(target: Target, patient: PatientPrompter, prompter: Prompter): Promise<Keyring> {
  const { interactive } = prompter
  const secret = (question: string): Promise<string> => patient.wait(() => prompter.secret(question))
  return openKeyring(target, { interactive, secret, confirm: prompter.confirm, wait: patient.wait })
}

function targetOf(host: Host, hosts: Host[], signal?: AbortSignal): Promise<Target> {
  return resolveTarget(host, new Map(hosts.map((other) => [other.name, other])), signal)
}

async function firstReadable(paths: string[]): Promise<Identity | undefined> {
  for (const path of paths) {
    const identity = await readIdentity(path).catch(() => undefined)
    if (identity) return identity
  }
  return undefined
}

function noKey(host: string, file: string | undefined): CpnError {
  const message = file ? `there is no key file ${file}` : 'there is no key of yours to copy'
  return new CpnError('CPN_ERR_IDENTITY', message, {
    host,
    suggestions: ['Make one with `ssh-keygen -t ed25519`, or name another with --identity-file.'],
  })
}
