import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendants, killAll, listProcesses, signalProcess, type TestProcess } from './processes.ts'

const sshdProgram = '/usr/sbin/sshd'

/** Reason for leaving a test out where there is no OpenSSH server; false where there is one. */
export const sshdMissing: string | false =
  process.platform === 'linux' && existsSync(sshdProgram) ? false : 'needs Linux with openssh-server'

/** One `sshd -D`, its log in a file, so that no handle of it stays in the test's process. */
export class SshdProcess {
  readonly logFile: string
  pid = 0
  #launcher: string[]

  /** The launcher comes before sshd's command line and has to exec, so that the pid stays the same. */
  constructor(logFile: string, launcher: string[] = []) {
    this.logFile = logFile
    this.#launcher = launcher
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : ''
  }

  async waitForLog(pattern: RegExp, { timeoutMs = 10_000, from = 0 } = {}): Promise<RegExpExecArray> {
    for (const end = performance.now() + timeoutMs; ; await sleep(5)) {
      const match = pattern.exec(this.log().slice(from))
      if (match) return match
      if (performance.now() > end) throw new Error(`no ${pattern} in sshd's log:\n${this.log()}`)
    }
  }

  /** Resolves to false when the port was taken meanwhile. */
  async start(configFile: string): Promise<boolean> {
    const from = this.log().length
    this.#spawn(configFile)
    const match = await this.waitForLog(/Server listening|Cannot bind any|fatal:.*|line \d+: .*/, { from })
    if (match[0] === 'Server listening') return true
    this.stop()
    if (match[0] === 'Cannot bind any') return false
    throw new Error(`sshd did not start: ${match[0]}\n${this.log().slice(from)}`)
  }

  /** Kills the server and the sshd processes of its connections, and no other process of the host. */
  stop(): void {
    if (this.pid === 0) return
    // A listener that stands still makes no new children while the ones it has are killed.
    signalProcess(this.pid, 'SIGSTOP')
    killAll(() => this.connections())
    killAll(() => listProcesses().filter(({ pid }) => pid === this.pid))
    this.pid = 0
  }

  /** sshd's own processes of open connections. */
  connections(): TestProcess[] {
    return this.pid === 0 ? [] : descendants(this.pid).filter(({ command }) => command.startsWith('sshd'))
  }

  /** The server and everything that its connections have started and that was not detached. */
  tree(): TestProcess[] {
    const all = listProcesses()
    return this.pid === 0 ? [] : [...all.filter(({ pid }) => pid === this.pid), ...descendants(this.pid, all)]
  }

  #spawn(configFile: string): void {
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const log = openSync(this.logFile, 'a')
    // A test process that is killed takes its servers with it.
    const command = [...this.#launcher, 'setpriv', '--pdeathsig', 'KILL', sshdProgram, '-f', configFile, '-D', '-e']
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', log] })
    closeSync(log)
    child.unref()
    if (child.pid === undefined) throw new Error(`cannot run ${command[0]}`)
    this.pid = child.pid
  }
}

/** A port nobody listens on at the moment. */
export async function freePort(address: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
