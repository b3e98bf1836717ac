import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { build } from 'esbuild'
import { type FleetFolder, fleetFolder } from '../../src/agent/fleet-folder.ts'
import { AgentClient } from '../../src/fleet/agent-client.ts'
import type { AgentConfig } from '../../src/protocol/agent-config.ts'
import { nodePaths } from '../../src/protocol/paths.ts'
import { fontFiles } from '../../src/provision/release/contents.ts'
import { onExit } from './exit-cleanup.ts'
import { descendants, killAll, listProcesses, type TestProcess } from './processes.ts'
import { repositoryRoot } from './shared.ts'
import { tinyDetector, tinyManifest } from './tiny-model.ts'
import { until } from './until.ts'

export interface ProgramResult {
  exitCode: number
  stdout: string
  stderr: string
  /** The last line of stdout. */
  json: Record<string, unknown>
}

export interface AgentAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** The body; undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json: any
}

let bundled: Promise<string> | undefined

/** Folder with agent.mjs and worker.mjs as a release has them; built once in this process. */
function agentBundle(): Promise<string> {
  bundled ??= bundle()
  return bundled
}

async function bundle(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-bundle-'))
  onExit(() => rmSync(folder, { recursive: true, force: true }))
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: { agent: 'src/agent/main.ts', worker: 'src/agent/worker.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    external: ['onnxruntime-node', 'sharp', '@julusian/jpeg-turbo'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  return folder
}

/** Digests of the two releases a test fleet can switch between. */
export const releases = { first: 'a'.repeat(64), second: 'b'.repeat(64) }

/** A node's folder with a release, the real agent program and a model; without SSH and without a master. */
export class AgentFleet implements AsyncDisposable {
  readonly folder: FleetFolder
  /** bin/cpn-agent by way of `current`. */
  readonly program: string
  readonly #forget: () => void
  #launcher: string[] = []
  #environment: NodeJS.ProcessEnv = noSystemd

  constructor(folder: FleetFolder) {
    this.folder = folder
    this.program = join(folder.current, 'bin', 'cpn-agent')
    this.#forget = onExit(() => this.#remove())
  }

  static async create(config: Partial<AgentConfig> = {}): Promise<AgentFleet> {
    const folder = fleetFolder(join(mkdtempSync(join(tmpdir(), 'cpn-')), nodePaths.fleet('test')))
    for (const path of [folder.dir, folder.modelsDir]) mkdirSync(path, { recursive: true, mode: 0o700 })
    const fleet = new AgentFleet(folder)
    for (const digest of Object.values(releases)) await fleet.#addRelease(digest)
    fleet.switchTo(releases.first)
    fleet.configure(config)
    const { sha256 } = tinyManifest()
    writeFileSync(join(folder.home, nodePaths.model(sha256)), tinyDetector())
    writeFileSync(join(folder.home, nodePaths.modelManifest(sha256)), JSON.stringify(tinyManifest()))
    return fleet
  }

  /** From now on the agent program runs in this place. */
  enter({ launcher, environment }: { launcher: string[]; environment: NodeJS.ProcessEnv }): void {
    this.#launcher = launcher
    this.#environment = environment
  }

  configure(config: Partial<AgentConfig>): void {
    const all = { fleet: 'test', node: 'node1', workers: 1, nice: 5, ...config }
    writeFileSync(this.folder.config, JSON.stringify(all))
  }

  switchTo(digest: string): void {
    rmSync(this.folder.current, { force: true })
    symlinkSync(join('..', '..', nodePaths.release(digest)), this.folder.current)
  }

  /** Runs the agent program and waits for its end. */
  async cli(...args: string[]): Promise<ProgramResult> {
    const { promise, resolve } = Promise.withResolvers<ProgramResult>()
    const [program = '', ...rest] = this.#command(args)
    execFile(program, rest, { env: this.#variables() }, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve({ exitCode, stdout, stderr, json: parse(stdout.trim().split('\n').at(-1) ?? '') })
    })
    return promise
  }

  /** Starts the agent program; `end` waits until it is gone. */
  spawn(...args: string[]) {
    const [program = '', ...rest] = this.#command(args)
    const child = spawn(program, rest, { env: this.#variables(), stdio: ['ignore', 'pipe', 'pipe'] })
    return Object.assign(child, { ended: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> })
  }

  /** Starts the supervisor in the foreground and waits until it is ready. */
  async run() {
    const supervisor = this.spawn('run')
    supervisor.stdout.resume()
    supervisor.stderr.pipe(process.stderr)
    await this.ready()
    return supervisor
  }

  async ready(): Promise<void> {
    let ready = false
    const look = () => {
      this.ask('GET', '/v2/health/ready').then(
        ({ status }) => {
          ready = status === 200
        },
        () => {},
      )
      return ready
    }
    await until(look, 'the agent is ready', 30_000)
  }

  /** A master's client on this agent's socket. */
  client(): AgentClient {
    return new AgentClient({
      host: 'node1',
      connections: 8,
      connect: async () => {
        const socket = connect(this.folder.socket)
        await once(socket, 'connect')
        return socket
      },
    })
  }

  /** One request; `body` is sent with its length unless the headers say otherwise. */
  async ask(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer): Promise<AgentAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>()
    const sent = request({ socketPath: this.folder.socket, method, path, headers, agent: false }, (response) => {
      buffer(response).then((bytes) => {
        const { statusCode: status = 0, headers: received } = response
        resolve({ status, headers: received, body: bytes, json: parse(bytes.toString()) })
      }, reject)
    })
    sent.on('error', reject)
    sent.end(body)
    return await promise
  }

  /** Sends only the head of a request and reads what comes back. */
  async askHead(method: string, path: string, headers: Record<string, string>): Promise<AgentAnswer> {
    const sent = request({ socketPath: this.folder.socket, method, path, headers, agent: false })
    sent.flushHeaders()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const bytes = await buffer(response)
    sent.destroy()
    return { status: response.statusCode ?? 0, headers: response.headers, body: bytes, json: parse(bytes.toString()) }
  }

  /** Worker processes of the running supervisor. */
  workers(): TestProcess[] {
    return this.processes().filter(({ command }) => command.includes('worker.mjs'))
  }

  supervisors(): TestProcess[] {
    return this.processes().filter(({ command }) => / run( |$)/.test(command))
  }

  /** Everything that runs out of this fleet's folder. */
  processes(): TestProcess[] {
    const all = listProcesses()
    const ours = all.filter(({ command }) => command.includes(this.folder.home))
    return [
      ...new Map([...ours, ...ours.flatMap(({ pid }) => descendants(pid, all))].map((one) => [one.pid, one])).values(),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    await this.cli('stop', '--now')
    const left = this.processes().map(({ command }) => command)
    this.#remove()
    if (left.length > 0) throw new Error(`the agent left processes behind: ${left.join('; ')}`)
  }

  #command(args: string[]): string[] {
    return [...this.#launcher, this.program, ...args]
  }

  #variables(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#environment }
  }

  #remove(): void {
    killAll(() => this.processes())
    rmSync(this.folder.home, { recursive: true, force: true })
  }

  async #addRelease(digest: string): Promise<void> {
    const release = join(this.folder.home, nodePaths.release(digest))
    for (const part of ['bin', 'agent', 'fonts']) mkdirSync(join(release, part), { recursive: true })
    symlinkSync(process.execPath, join(release, 'bin', 'node'))
    cpSync(join(repositoryRoot, 'assets', 'cpn-agent.sh'), join(release, 'bin', 'cpn-agent'))
    cpSync(await agentBundle(), join(release, 'agent'), { recursive: true })
    for (const { path, source } of fontFiles()) symlinkSync(realpathSync(source), join(release, path))
    // Workers may read the folder itself, and no link on the way to it.
    symlinkSync(realpathSync(join(repositoryRoot, 'node_modules')), join(release, 'node_modules'))
  }
}

/** Points systemctl at nothing, so that our own keeper is used on every machine. */
export const noSystemd = {
  XDG_RUNTIME_DIR: join(dirname(tmpdir()), 'nonexistent'),
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
}

function parse(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
