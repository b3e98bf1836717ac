import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CpnOptions, type CpnProcess, type CpnResult, cpn, isolatedEnvironment, spawnCpn } from './cli.ts'
import { onExit } from './exit-cleanup.ts'
import { belongsToHome, killAll, listProcesses, type TestProcess } from './processes.ts'
import type { SshdHost } from './sshd.ts'

/** A person's folder with an inventory, and that person's isolated environment. */
export class Project {
  readonly folder: string
  readonly inventory: string
  readonly env: Record<string, string>
  readonly #root: string
  readonly #forget: () => void

  constructor() {
    this.#root = mkdtempSync(join(tmpdir(), 'cpn-test-'))
    this.#forget = onExit(() => this.#remove())
    this.folder = join(this.#root, 'project')
    this.inventory = join(this.folder, 'inventory.yaml')
    mkdirSync(this.folder)
    this.env = isolatedEnvironment(join(this.#root, 'home'))
  }

  /** Runs `cpn` here to its end; a non-zero exit is a result. */
  cpn(args: string[], options: CpnOptions = {}): Promise<CpnResult> {
    return cpn(args, this.#here(options))
  }

  /** Runs `cpn` here and fails unless it exits with 0. */
  async ok(args: string[], options: CpnOptions = {}): Promise<CpnResult> {
    const result = await this.cpn(args, options)
    const output = `--- stdout\n${result.stdout}\n--- stderr\n${result.stderr}`
    assert.equal(result.exitCode, 0, `cpn ${args.join(' ')} ended with ${result.exitCode ?? result.signal}\n${output}`)
    return result
  }

  /** What a command prints with --json. */
  async json<T>(args: string[], options: CpnOptions = {}): Promise<T> {
    return JSON.parse((await this.ok([...args, '--json'], options)).stdout) as T
  }

  /** Starts `cpn` here and lets it run. */
  spawn(args: string[], options: CpnOptions = {}): CpnProcess {
    return spawnCpn(args, this.#here(options))
  }

  /** `cpn hosts add` for a test host, with its true fingerprint unless `trust` says how else. */
  addHost(host: SshdHost, trust = ['--host-key', host.hostKeyFingerprint]): Promise<CpnResult> {
    const { name, address, port, user, identityFile } = host
    const where = ['--address', address, '--port', `${port}`, '--user', user, '--identity-file', identityFile]
    return this.ok(['hosts', 'add', name, ...where, ...trust])
  }

  /** Writes inventory and known host keys for hosts, without cpn. */
  writeInventory(hosts: SshdHost[]): void {
    const state = join(this.folder, '.cpn')
    mkdirSync(state, { recursive: true, mode: 0o700 })
    writeFileSync(join(state, 'known_hosts'), hosts.map((host) => `${host.knownHostsLine()}\n`).join(''), {
      mode: 0o600,
    })
    writeFileSync(this.inventory, ['version: 1', 'hosts:', ...hosts.map(hostLine), ''].join('\n'))
  }

  /** Living processes that have this person's home: cpn itself, and the agent of a local node. */
  processes(): TestProcess[] {
    return listProcesses().filter((process) => belongsToHome(process, this.env.HOME!))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    this.#remove()
  }

  #here({ env, ...options }: CpnOptions): CpnOptions {
    return { cwd: this.folder, ...options, env: { ...this.env, ...env } }
  }

  #remove(): void {
    killAll(() => this.processes())
    rmSync(this.#root, { recursive: true, force: true })
  }
}

function hostLine({ name, address, port, user, identityFile }: SshdHost): string {
  return `  ${name}: { address: ${address}, port: ${port}, user: ${user}, identityFile: ${identityFile} }`
}

/** A new project folder whose inventory has these hosts, their keys known; without hosts it has no inventory. */
export function project(hosts: SshdHost[] = []): Project {
  const made = new Project()
  if (hosts.length > 0) made.writeInventory(hosts)
  return made
}
