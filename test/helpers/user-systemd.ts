import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onExit } from './exit-cleanup.ts'
import { descendants } from './processes.ts'

const systemd = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path))

/** Reason for leaving a test out that needs a systemd of the user; false where one can be run. */
export const userSystemdMissing: string | false = !systemd
  ? 'needs systemd (package systemd)'
  : spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? false
    : 'needs the right to make namespaces (root)'

// systemd wants to see that the machine was booted with it. Ending this shell ends everything in the namespace.
const script = `
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && mkdir -p -m 700 "$XDG_RUNTIME_DIR"
while :; do
  ${systemd} --user 2>/dev/null &
  until systemctl --user is-system-running >/dev/null 2>&1; do sleep 0.05; done
  echo up
  wait $!
done
`

/** A real `systemd --user` in mount and pid namespaces of its own, which is started again when it exits: a reboot. */
export class UserSystemd implements AsyncDisposable {
  readonly #init: ChildProcess
  readonly #forget: () => void
  readonly #ups: AsyncIterator<string>
  readonly environment: NodeJS.ProcessEnv

  private constructor(environment: NodeJS.ProcessEnv) {
    this.environment = { ...environment, XDG_RUNTIME_DIR: `/run/user/${process.getuid?.()}` }
    const namespaces = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
    const env = { ...process.env, ...this.environment }
    const init = spawn('unshare', [...namespaces, '/bin/sh', '-c', script], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#init = init
    this.#forget = onExit(() => init.kill('SIGKILL'))
    this.#ups = createInterface({ input: init.stdout })[Symbol.asyncIterator]()
  }

  static async start(environment: NodeJS.ProcessEnv): Promise<UserSystemd> {
    const started = new UserSystemd(environment)
    await started.#ups.next()
    return started
  }

  /** Command line before a program that is to run inside. */
  get launcher(): string[] {
    const shell = descendants(this.#init.pid!)[0]!.pid
    return ['nsenter', '--target', String(shell), '--mount', '--pid']
  }

  systemctl(...args: string[]) {
    const [program, ...rest] = [...this.launcher, 'systemctl', '--user', ...args]
    return spawnSync(program!, rest, { env: { ...process.env, ...this.environment }, encoding: 'utf8' })
  }

  /** Ends the user's systemd with all its units and waits for the next one. */
  async reboot(): Promise<void> {
    this.systemctl('exit')
    await this.#ups.next()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    this.#init.kill('SIGKILL')
    await once(this.#init, 'exit')
    for (const group of leftGroups()) removeIfEmpty(group)
  }
}

/** systemd moves itself into a control group of its own and leaves it behind. */
function leftGroups(): string[] {
  const root = '/sys/fs/cgroup'
  return [root, ...readdirSync(root).map((name) => join(root, name))].map((group) => join(group, 'init.scope'))
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {}
}
