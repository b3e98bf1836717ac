import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'
import { CpnError } from '../../common/errors.ts'
import { deadline } from './deadlines.ts'
import { type Identity, readIdentity, unlockIdentity } from './identity.ts'
import { fingerprint } from './known-hosts.ts'
import type { PatientPrompter } from './stopwatch.ts'
import type { Target } from './target.ts'

interface Candidate {
  publicKey: Buffer
  /** What messages call it. */
  label: string
  sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>
}

/**
 * All keys for one login, from ssh-agent and from files, behind ssh2's agent interface: a key is offered by its public
 * part, and only when the server wants it is somebody asked for a passphrase.
 */
export class Keyring extends ssh2.BaseAgent<ParsedKey> {
  /** Keys in the order in which they are offered. */
  readonly labels: string[]
  /** What went wrong while a key should have signed. */
  readonly problems: CpnError[] = []
  /** True once a signature was made: the server wanted a key. */
  hasSigned = false
  readonly #candidates: Candidate[]

  constructor(candidates: Candidate[]) {
    super()
    this.#candidates = candidates
    this.labels = candidates.map(({ label }) => label)
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    const keys = this.#candidates.map(({ publicKey }) => parsePublic(publicKey))
    callback(
      undefined,
      keys.filter((key) => key !== undefined),
    )
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options?: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback!
    const wanted = key.getPublicSSH()
    const candidate = this.#candidates.find(({ publicKey }) => publicKey.equals(wanted))!
    candidate.sign(data, typeof options === 'object' ? options : {}).then(
      (signature) => {
        this.hasSigned = true
        done(null, signature)
      },
      (error: Error) => {
        if (error instanceof CpnError) this.problems.push(error)
        done(error)
      },
    )
  }
}

/** Collects the keys for one login: the inventory's first, then ssh-agent's that a file names, its others, then files. */
export async function openKeyring(target: Target, prompter: PatientPrompter): Promise<Keyring> {
  const identities = await readIdentities(target)
  const fromAgent = await agentCandidates(target.sshAgent)
  const named = identities.map((identity) => {
    const held = fromAgent.find(({ publicKey }) => publicKey.equals(identity.publicKey))
    return held ?? (identity.hasPrivate ? fileCandidate(identity, prompter) : undefined)
  })
  const configured = named.filter((candidate) => candidate !== undefined)
  const unnamed = target.identitiesOnly ? [] : fromAgent.filter((candidate) => !configured.includes(candidate))
  const own = target.ownIdentityFile === undefined ? 0 : 1
  const held = configured.slice(own).filter((candidate) => fromAgent.includes(candidate))
  return new Keyring([...new Set([...configured.slice(0, own), ...held, ...unnamed, ...configured])])
}

async function readIdentities({ ownIdentityFile, identityFiles, name }: Target): Promise<Identity[]> {
  if (ownIdentityFile === undefined) {
    const found = await Promise.all(identityFiles.map((path) => readIdentity(path).catch(() => undefined)))
    return found.filter((identity) => identity !== undefined)
  }
  const identity = await readIdentity(ownIdentityFile)
  if (identity) return [identity]
  throw new CpnError('CPN_ERR_IDENTITY', `there is no key file ${ownIdentityFile}`, {
    host: name,
    suggestions: ['Correct identityFile in the inventory, or make the key with ssh-keygen.'],
  })
}

function fileCandidate(identity: Identity, prompter: PatientPrompter): Candidate {
  const sign = async (data: Buffer, { hash }: SigningRequestOptions): Promise<Buffer> => {
    const key = await prompter.wait(() => unlockIdentity(identity, prompter))
    const signature: Buffer | Error = key.sign(data, hash)
    if (signature instanceof Error) throw signature
    return signature
  }
  return { publicKey: identity.publicKey, label: identity.path, sign }
}

/** Keys of the ssh-agent; none when it cannot be reached, as a login may go on without. */
async function agentCandidates(socket: string | undefined): Promise<Candidate[]> {
  if (socket === undefined) return []
  const sshAgent = ssh2.createAgent(socket)
  const { promise, resolve } = Promise.withResolvers<Candidate[]>()
  const timer = setTimeout(() => resolve([]), deadline('sshAgent'))
  sshAgent.getIdentities((error, keys) => {
    clearTimeout(timer)
    resolve(error ? [] : (keys ?? []).flatMap((key) => agentCandidate(sshAgent, key) ?? []))
  })
  return promise
}

function agentCandidate(sshAgent: ReturnType<typeof ssh2.createAgent>, key: unknown): Candidate | undefined {
  const parsed = ssh2.utils.parseKey(key as ParsedKey)
  if (parsed instanceof Error) return undefined
  const publicKey = parsed.getPublicSSH()
  const sign = (data: Buffer, options: SigningRequestOptions): Promise<Buffer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    sshAgent.sign(parsed, data, options, (error, signature) => {
      error || !signature ? reject(error ?? new Error('no signature')) : resolve(signature)
    })
    return promise
  }
  return { publicKey, label: `ssh-agent ${parsed.comment || fingerprint(publicKey)}`, sign }
}

function parsePublic(publicKey: Buffer): ParsedKey | undefined {
  const type = publicKey.toString('latin1', 4, 4 + publicKey.readUInt32BE(0))
  const key = ssh2.utils.parseKey(`${type} ${publicKey.toString('base64')}`)
  return key instanceof Error ? undefined : key
}
