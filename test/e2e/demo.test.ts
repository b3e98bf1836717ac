import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountDisk } from '../fault/lab/small-disk.ts'
import { cpnProgram, isolatedEnvironment } from '../helpers/cli.ts'
import { fileTree } from '../helpers/file-tree.ts'
import { leakFree } from '../helpers/leaks.ts'
import { canMakeUsers, makeLoginUser } from '../helpers/login-user.ts'
import { listProcesses, signalProcess } from '../helpers/processes.ts'
import { type Program, pinnedNode, start } from '../helpers/program.ts'
import { readPredictions } from '../helpers/run-output.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

const timeout = 600_000
const rootMissing = canMakeUsers ? false : 'needs root'

/** Somebody who tries cpn for the first time: a home, a folder to work in, and a folder for temporary files. */
class Newcomer implements Disposable {
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
const shown = (stdout: string) =>
  [...stdout.matchAll(/^\$ cpn (\S+(?: (?:add|pull|all)\b)?)/gm)].map(([, command]) => command)

const whole = [
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

/** The numbers that a demo says at its end. */
function accuracyOf(stdout: string): Record<'faces' | 'names' | 'strangers', number> {
  const share = (of: string) => {
    const [, right, all] = new RegExp(`^${of}: (\\d+) of (\\d+) `, 'm').exec(stdout) ?? []
    return Number(right) / Number(all)
  }
  return { faces: share('faces'), names: share('names'), strangers: share('strangers') }
}

/** Faces are found and get their names; how well the models are is measured elsewhere. */
function assertRight(stdout: string): void {
  const { faces, names, strangers } = accuracyOf(stdout)
  assert.ok(faces > 0.95 && names > 0.9 && strangers > 0.9, stdout)
}

function assertResults(newcomer: Newcomer): void {
  const out = join(newcomer.work, 'cpn-demo')
  assert.equal(readPredictions(out).length, 60)
  assert.match(readFileSync(join(out, 'index.html'), 'utf8'), /Ada Lovelace/)
}

/** A network namespace in which there is nothing but loopback. */
const withoutNetwork = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

test(
  'a demo shows every command on real SSH servers, without a network, and leaves nothing but its results',
  { timeout, skip: sshdMissing || rootMissing },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const { code, stdout, stderr } = await newcomer.demo([], withoutNetwork).closed
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^three hosts: three real SSH servers on loopback/m)
    assert.deepEqual(shown(stdout), whole)
    assert.match(stdout, /^node3 +ready /m)
    assert.match(stdout, /^\d+(\.\d)? s$/m)
    assertRight(stdout)
    assertResults(newcomer)
    await newcomer.assertNothingLeft()
  }),
)

test(
  'without OpenSSH’s server the hosts are this machine, and the rest is the same',
  { timeout, skip: rootMissing },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const hidden = ['for each in /usr/sbin/sshd; do [ ! -e $each ] || mount --bind /dev/null $each; done', 'exec "$@"']
    const { code, stdout, stderr } = await newcomer.demo(
      [],
      ['unshare', '--net', '--mount', 'sh', '-c', hidden.join('\n'), 'sh'],
    ).closed
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^three hosts: this machine three times without SSH, because /m)
    assert.deepEqual(shown(stdout), whole)
    assertRight(stdout)
    assertResults(newcomer)
    await newcomer.assertNothingLeft()
  }),
)

test(
  'an ordinary user has real SSH servers, too; what --keep leaves works until it is ended',
  { timeout, skip: sshdMissing || rootMissing || usersCannotRun() },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const user = makeLoginUser(newcomer.home, '/bin/sh')
    using _user = { [Symbol.dispose]: () => user.remove() }
    newcomer.giveTo(user.uid, user.gid)
    const asUser = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
    const { code, stdout, stderr } = await newcomer.demo(['--keep'], asUser).closed
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^three hosts: three real SSH servers/m)
    assert.deepEqual(shown(stdout), whole.slice(0, -2))
    const [, inventory = ''] = /^ {2}export CPN_INVENTORY=(\S+)$/m.exec(stdout) ?? []
    const [, folder = ''] = /^ {2}cpn demo --end (\S+)$/m.exec(stdout) ?? []

    const cpn = (...args: string[]) =>
      start(asUser[0]!, [...asUser.slice(1), pinnedNode, cpnProgram, ...args], {
        cwd: newcomer.work,
        env: { ...newcomer.env, XDG_CACHE_HOME: join(newcomer.temporary, 'cache'), CPN_INVENTORY: inventory },
        onlyEnv: true,
      }).closed
    const { nodes } = JSON.parse((await cpn('status', '--json')).stdout) as { nodes: { state: string }[] }
    assert.deepEqual(
      nodes.map(({ state }) => state),
      ['ready', 'ready', 'ready'],
    )
    const refused = await newcomer.demo(['--end', newcomer.work], asUser).closed
    assert.match(refused.stderr, /is no folder of a demo[\s\S]*CPN_ERR_USAGE/)
    const ended = await newcomer.demo(['--end', folder], asUser).closed
    assert.equal(ended.code, 0, ended.stderr)
    execFileSync('rm', ['-rf', join(newcomer.temporary, 'cache')])
    await newcomer.assertNothingLeft()
  }),
)

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(
    `a demo that is ended by ${signal} leaves nothing`,
    { timeout },
    leakFree(async () => {
      using newcomer = new Newcomer()
      const demo = newcomer.demo([])
      await demo.says(/^\$ cpn people add/m)
      demo.child.kill(signal)
      const end = await demo.closed
      assert.deepEqual([end.code, end.signal], signal === 'SIGINT' ? [130, null] : [null, 'SIGKILL'])
      await newcomer.assertNothingLeft([])
    }),
  )
}

test(
  'a demo whose command fails says which one, and leaves nothing',
  { timeout, skip: rootMissing },
  leakFree(async () => {
    using newcomer = new Newcomer()
    using _disk = mountDisk(newcomer.temporary, 200)
    const { code, stdout, stderr } = await newcomer.demo([]).closed
    assert.equal(code, 7)
    assert.match(stderr, /the demo ended because this command did, with \d+: cpn provision --yes[\s\S]*CPN_ERR_DEMO/)
    assert.deepEqual(shown(stdout).at(-1), 'provision')
    await newcomer.assertNothingLeft([])
  }),
)

test('a folder of somebody’s own is never taken for the results of a demo', async () => {
  using newcomer = new Newcomer()
  mkdirSync(join(newcomer.work, 'cpn-demo', 'mine'), { recursive: true })
  const { code, stderr } = await newcomer.demo([]).closed
  assert.equal(code, 2)
  assert.match(stderr, /cpn-demo is there already.*\n.*--out DIR\n.*CPN_ERR_USAGE/)
  assert.ok(existsSync(join(newcomer.work, 'cpn-demo', 'mine')))
  await newcomer.assertNothingLeft()
})

/** Reason why other users cannot start this checkout; false where they can. */
function usersCannotRun(): string | false {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const { status } = spawnSync('setpriv', [...nobody, pinnedNode, cpnProgram, '--version'], {
    env: { HOME: '/nonexistent' },
  })
  return status === 0 ? false : 'needs a checkout that every user can read'
}
