import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onExit } from './exit-cleanup.ts'
import { repositoryRoot, shared, sharedMissing } from './shared.ts'

/** The built program; CPN_BIN names another build of it. */
export const cpnProgram = process.env.CPN_BIN ?? join(repositoryRoot, 'bin', 'run.js')
const runtime = realpathSync(join(repositoryRoot, 'node_modules', '.bin', 'node'))
// Building a release takes seconds: one cache serves all tests, and is content-addressed.
const cache = join(repositoryRoot, 'node_modules', '.cache', 'cpn-test')

export interface CpnOptions {
  cwd?: string
  /** bin/run.js of another build. */
  program?: string
  /** Added to the isolated environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>
  /** Sent to stdin, which is empty without it. */
  input?: string
  signal?: AbortSignal
  /** The program is killed and the call rejects after this time; 120,000 without it. */
  timeoutMs?: number
}

export interface CpnResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The environment of a person whose machine knows nothing yet: home, configuration and caches of its own. */
export function isolatedEnvironment(home: string): Record<string, string> {
  const sshConfig = join(home, '.ssh', 'config')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  writeFileSync(sshConfig, '', { flag: 'a', mode: 0o600 })
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_CACHE_HOME: cache,
    CPN_SSH_CONFIG: sshConfig,
    ...(process.env.CPN_TEST_RUN ? { CPN_TEST_RUN: process.env.CPN_TEST_RUN } : {}),
    ...(sharedMissing ? {} : { CPN_MODEL_MIRROR: shared('models') }),
  }
}

/** `cpn` as a child process of the pinned runtime, for as long as it runs. */
export class CpnProcess {
  readonly args: string[]
  readonly #child: ChildProcess
  /** Resolves when the program has ended and its output is complete. */
  readonly exited: Promise<CpnResult>
  stdout = ''
  stderr = ''
  #ended = false

  constructor(args: string[], { cwd, program = cpnProgram, env = {}, input = '', signal }: CpnOptions) {
    this.args = args
    const environment = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
    this.#child = spawn(runtime, [program, ...args], { cwd, env: environment as NodeJS.ProcessEnv, signal })
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    // A program that ends without reading its input is no failure of the test.
    this.#child.stdin!.on('error', () => {}).end(input)
    this.exited = this.#collect()
  }

  get pid(): number {
    return this.#child.pid!
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with the match as soon as one of the streams holds one; rejects when the program ends without it. */
  async waitFor(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stderr', timeoutMs = 60_000): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const match = pattern.exec(this[stream])
      if (match) return match
      if (this.#ended || deadline.aborted) throw new Error(`no ${pattern} in ${stream} of ${this.describe()}`)
      await Promise.race([once(this.#child[stream]!, 'data', { signal: deadline }), this.exited]).catch(() => {})
    }
  }

  /** Command and output so far, for messages of failing tests. */
  describe(): string {
    return `cpn ${this.args.join(' ')}\n--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`
  }

  async #collect(): Promise<CpnResult> {
    const forget = onExit(() => this.kill('SIGKILL'))
    const [exitCode, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null]
    forget()
    this.#ended = true
    return { exitCode, signal, stdout: this.stdout, stderr: this.stderr }
  }
}

/** Starts `cpn` and lets it run. */
export function spawnCpn(args: string[], options: CpnOptions = {}): CpnProcess {
  return new CpnProcess(args, options)
}

/** Runs `cpn` to its end. A non-zero exit is a result. */
export async function cpn(args: string[], options: CpnOptions = {}): Promise<CpnResult> {
  const child = spawnCpn(args, options)
  const { timeoutMs = 120_000 } = options
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const result = await child.exited.finally(() => clearTimeout(timer))
  if (late) throw new Error(`did not end within ${timeoutMs} ms: ${child.describe()}`)
  return result
}
