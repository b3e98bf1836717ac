import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cpnProgram, isolatedEnvironment } from './cli.ts'
import { fileTree } from './file-tree.ts'
import { listProcesses, signalProcess } from './processes.ts'
import { type Program, pinnedNode, start } from './program.ts'
import { tempFolder } from './temp-folder.ts'
import { until } from './until.ts'

/** Somebody who tries cpn for the first time: a home, a folder to work in, and a folder for temporary files. */
export class Newcomer implements Disposable {
  readonly #root = tempFolder()
  readonly home = join(this.#root.path, 'home')
  readonly work = join(this.#root.path, 'work')
  readonly temporary = join(this.#root.path, 't')
  readonly env: Record<string, string>

  constructor() {
    for (const folder of [this.work, this.temporary]) mkdirSync(folder)
    // Neither the tests' cache nor their models.
    const { XDG_CACHE_HOME: _, CPN_MODEL_MIRROR: __, ...env } = isolatedEnvironment(this.home)
    this.env = { ...env, TMPDIR: this.temporary }
  }

  /** @param launcher comes before the command line, and execs */
  demo(args: string[], launcher: string[] = []): Program {
    const [file = '', ...rest] = [...launcher, pinnedNode, cpnProgram, 'demo', ...args]
    return start(file, rest, { cwd: this.work, env: this.env, onlyEnv: true })
  }

  /** Everything is another user's. */
  giveTo(uid: number, gid: number): void {
    chmodSync(this.#root.path, 0o755)
    const below = fileTree(this.#root.path).map(({ path }) => join(this.#root.path, path))
    for (const path of [this.#root.path, ...below]) chownSync(path, uid, gid)
  }

  /** Fails when something of a demo is left that is not its folder of results. */
  async assertNothingLeft(results: string[] = ['cpn-demo']): Promise<void> {
    await until(() => readdirSync(this.temporary).length === 0, 'the temporary folder is empty')
    const running = () => listProcesses().filter(({ command }) => command.includes(this.temporary))
    await until(() => running().length === 0, 'no process is left')
    assert.deepEqual(readdirSync(this.work), results)
    assert.deepEqual(
      fileTree(this.home).map(({ path }) => path),
      ['.ssh', '.ssh/config'],
    )
  }

  [Symbol.dispose](): void {
    for (const { pid, command } of listProcesses()) if (command.includes(this.temporary)) signalProcess(pid, 'SIGKILL')
    this.#root[Symbol.dispose]()
  }
}

/** Commands that were shown, by their first words. */
export const shown = (stdout: string) =>
  [...stdout.matchAll(/^\$ cpn (\S+(?: (?:add|pull|all)\b)?)/gm)].map(([, command]) => command)

export const whole = [
  ...Array<string>(3).fill('hosts add'),
  ...[
    'models pull',
    'provision',
    ...Array<string>(6).fill('people add'),
    'predict',
    'status',
    'stop all',
    'unprovision all',
  ],
]
