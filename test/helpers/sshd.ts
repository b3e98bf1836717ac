import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onExit } from './exit-cleanup.ts'
import { fileTree, type TreeEntry } from './file-tree.ts'
import { leaveLargeFiles } from './held-release.ts'
import { keyFingerprint, makeHome, makeKey, publicKey } from './host-files.ts'
import { canMakeUsers, type LoginUser, makeLoginUser, sweepStaleHosts } from './login-user.ts'
import { signalProcess, type TestProcess } from './processes.ts'
import { sshdConfig } from './sshd-config.ts'
import { freePort, SshdProcess, sshdMissing } from './sshd-process.ts'

export { sshdMissing }

/** Reason for leaving a test out that needs a user of its own (passwords, other shells); false where it can have one. */
export const usersMissing: string | false =
  sshdMissing || (canMakeUsers ? false : 'needs root, to make a user with a password or shell of its own')

export interface SshdOptions {
  /** Inventory name; host1, host2, … without one. */
  name?: string
  /** Lines for sshd_config; they win over the harness's own. */
  config?: string[]
  /** Login shell, /bin/sh without one. Needs root. */
  shell?: string
  /** Lets the user in with this password too. Needs root. */
  password?: string
  /** Public keys (lines) let in besides identityFile's. */
  authorizedKeys?: string[]
  /** Files of the home, path → content, e.g. { '.bashrc': 'echo hello' }. */
  files?: Record<string, string>
  /** Its home has the large files of a release already, see leaveLargeFiles. */
  held?: boolean
  /** False: no SFTP. */
  subsystem?: boolean
  /** Passphrase of identityFile. */
  encryptedKey?: string
  /** Types of host key; ed25519 without this. The first one is hostKeyLine's. */
  hostKeyTypes?: ('ed25519' | 'ecdsa' | 'rsa')[]
  /** Address to listen on; a 127.0.0.x of its own without one. */
  address?: string
  /** Port to listen on; a free one without this. */
  port?: number
  /**
   * Command that runs sshd, e.g. in a network namespace: comes before sshd's command line and has to exec. It is given
   * the folder that holds the host's keys, configuration and home.
   */
  launcher?: (folder: string) => string[]
}

let hosts = 0

/** A real OpenSSH server with a login, a home, keys and a log of its own. */
export class SshdHost {
  readonly name: string
  readonly address: string
  /** Key of the master's side that the host lets in; `identityFile`.pub is beside it. */
  readonly identityFile: string
  readonly #options: SshdOptions
  #config: string[]
  readonly #folder: string
  readonly #login: LoginUser
  readonly #sshd: SshdProcess
  readonly #forget: () => void
  #port: number
  #removed = false

  /** Use startSshd: this makes login, home and keys, and listens to nothing yet. */
  constructor(options: SshdOptions) {
    hosts++
    this.#options = options
    this.#config = options.config ?? []
    this.name = options.name ?? `host${hosts}`
    this.address = options.address ?? `127.0.0.${((process.pid * 7 + hosts) % 250) + 2}`
    this.#port = options.port ?? 0
    this.#folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
    chmodSync(this.#folder, 0o755)
    this.#sshd = new SshdProcess(join(this.#folder, 'sshd.log'), options.launcher?.(this.#folder))
    this.#login = makeLoginUser(join(this.#folder, 'home'), options.shell ?? '/bin/sh', options.password)
    this.#forget = onExit(() => this.#remove())
    this.identityFile = join(this.#folder, 'id_ed25519')
    this.#makeKeysAndHome()
  }

  get port(): number {
    return this.#port
  }

  get user(): string {
    return this.#login.name
  }

  get uid(): number {
    return this.#login.uid
  }

  get home(): string {
    return this.#login.home
  }

  /** The listening sshd; 0 while it is stopped. */
  get pid(): number {
    return this.#sshd.pid
  }

  /** `ssh-ed25519 AAAA…`: what a known_hosts line has after the host's name. */
  get hostKeyLine(): string {
    return publicKey(`${this.#hostKeyFiles[0]}.pub`)
  }

  /** SHA256:… as ssh-keygen shows it. */
  get hostKeyFingerprint(): string {
    return keyFingerprint(`${this.#hostKeyFiles[0]}.pub`)
  }

  /** Everything sshd has said since the first start. */
  log(): string {
    return this.#sshd.log()
  }

  /** Resolves with the match as soon as the log, from character `from` on, holds one. */
  waitForLog(pattern: RegExp, options: { timeoutMs?: number; from?: number } = {}): Promise<RegExpExecArray> {
    return this.#sshd.waitForLog(pattern, options)
  }

  /** Listens, after the first time on the same port. */
  async start(): Promise<void> {
    const mayMove = this.#port === 0
    for (let attempt = 1; attempt <= 5; attempt++) {
      if (mayMove) this.#port = await freePort(this.address)
      if (await this.#sshd.start(this.#writeConfig())) return
    }
    throw new Error(`${this.name}: port ${this.#port} of ${this.address} is taken`)
  }

  /** The server and its connections are gone; daemons on the host live on, as when its network fails. */
  stop(): void {
    this.#sshd.stop()
  }

  async restart(): Promise<void> {
    this.stop()
    await this.start()
  }

  /** Other lines in sshd_config than it was started with; sshd is restarted. */
  async reconfigure(config: string[]): Promise<void> {
    this.#config = config
    await this.restart()
  }

  /** The lines that it was started with. */
  get config(): string[] {
    return this.#options.config ?? []
  }

  /** Everything on the host stands still, connections stay open: a frozen machine. */
  pause(): void {
    for (const { pid } of this.#everything()) signalProcess(pid, 'SIGSTOP')
  }

  resume(): void {
    for (const { pid } of this.#everything()) signalProcess(pid, 'SIGCONT')
  }

  /** New host keys, as after a reinstallation; sshd is restarted. */
  async rotateHostKey(): Promise<void> {
    this.#makeHostKeys()
    await this.restart()
  }

  /** sshd's own processes of the connections that are open now: one per connection. */
  connections(): TestProcess[] {
    return this.#sshd.connections().filter(({ parent }) => parent === this.pid)
  }

  /** Living processes of the login: what runs on this host. sshd's own part of an open connection is left out. */
  processes(): TestProcess[] {
    return this.#login.processes().filter(({ command }) => !command.startsWith('sshd: '))
  }

  /** Snapshot of the home. */
  tree(): TreeEntry[] {
    return fileTree(this.home)
  }

  /** A line for known_hosts; `as` is the name it is looked up by, the inventory name without one. */
  knownHostsLine(as = this.name): string {
    return `${as} ${this.hostKeyLine}`
  }

  /** Kills what is left on the host and removes its user, home, keys and log. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#removed) return
    this.#forget()
    this.#remove()
  }

  get #hostKeyFiles(): string[] {
    return (this.#options.hostKeyTypes ?? ['ed25519']).map((type) => join(this.#folder, `host_${type}`))
  }

  #makeKeysAndHome(): void {
    const { encryptedKey, authorizedKeys = [], files = {} } = this.#options
    this.#makeHostKeys()
    makeKey(this.identityFile, 'ed25519', encryptedKey)
    makeHome(this.#login, [publicKey(`${this.identityFile}.pub`), ...authorizedKeys], files)
  }

  #makeHostKeys(): void {
    for (const file of this.#hostKeyFiles) makeKey(file, /[^_]+$/.exec(file)![0])
  }

  #writeConfig(): string {
    const { subsystem = true, password } = this.#options
    const configFile = join(this.#folder, 'sshd_config')
    const overrideHome = canMakeUsers ? undefined : this.home
    const { address, port } = this
    const options = { address, port, hostKeyFiles: this.#hostKeyFiles, extra: this.#config, subsystem, overrideHome }
    writeFileSync(configFile, sshdConfig({ ...options, passwords: password !== undefined }))
    return configFile
  }

  #everything(): TestProcess[] {
    return [...this.#sshd.tree(), ...this.#login.processes()]
  }

  #remove(): void {
    this.#removed = true
    this.#sshd.stop()
    this.#login.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Starts a test host. Use it as `await using host = await startSshd()`. */
export async function startSshd(options: SshdOptions = {}): Promise<SshdHost> {
  if (hosts === 0) sweepStaleHosts()
  const host = new SshdHost(options)
  try {
    if (options.held) await leaveLargeFiles(host.home)
    await host.start()
    return host
  } catch (error) {
    await host[Symbol.asyncDispose]()
    throw error
  }
}

/** Starts several test hosts: `await using hosts = await startHosts({ name: 'node1' }, { name: 'node2' })`. */
export async function startHosts(...options: SshdOptions[]): Promise<SshdHost[] & AsyncDisposable> {
  await using starting = new AsyncDisposableStack()
  const hosts: SshdHost[] = []
  for (const each of options) hosts.push(starting.use(await startSshd(each)))
  const started = starting.move()
  return Object.assign(hosts, { [Symbol.asyncDispose]: () => started.disposeAsync() })
}
