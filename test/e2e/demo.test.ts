import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountDisk } from '../fault/lab/small-disk.ts'
import { leakFree } from '../helpers/leaks.ts'
import { canMakeUsers } from '../helpers/login-user.ts'
import { Newcomer, shown, whole } from '../helpers/newcomer.ts'
import { readPredictions } from '../helpers/run-output.ts'
import { sshdMissing } from '../helpers/sshd.ts'

const timeout = 600_000
const rootMissing = canMakeUsers ? false : 'needs root'

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
  'without OpenSSH’s server the hosts are this machine, and a demo that is ended by SIGINT leaves nothing',
  { timeout, skip: rootMissing },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const hidden = ['for each in /usr/sbin/sshd; do [ ! -e $each ] || mount --bind /dev/null $each; done', 'exec "$@"']
    const demo = newcomer.demo([], ['unshare', '--net', '--mount', 'sh', '-c', hidden.join('\n'), 'sh'])
    await demo.says(/^three hosts: this machine three times without SSH, because /m)
    await demo.says(/^run \S+ on node/m)
    // However this ends, the next demo may write there.
    assert.ok(existsSync(join(newcomer.work, 'cpn-demo', '.cpn-demo')))
    demo.child.kill('SIGINT')
    const { code, stdout } = await demo.closed
    assert.equal(code, 130)
    assert.deepEqual(shown(stdout), whole.slice(0, -3))
    // Pictures that were done by then stay.
    await newcomer.assertNothingLeft(existsSync(join(newcomer.work, 'cpn-demo')) ? ['cpn-demo'] : [])
  }),
)

test(
  'a demo whose command fails says which one, and leaves nothing',
  { timeout, skip: rootMissing },
  leakFree(async () => {
    using newcomer = new Newcomer()
    using _disk = mountDisk(newcomer.temporary, 2000)
    execFileSync('mount', ['-o', 'remount,noexec', newcomer.temporary])
    const { code, stdout, stderr } = await newcomer.demo([]).closed
    assert.equal(code, 7)
    assert.match(stderr, /the demo ended because this command did, with \d+: cpn provision --yes[\s\S]*CPN_ERR_DEMO/)
    assert.match(stderr, /mounted noexec[\s\S]*Set TMPDIR to a folder with 1 GB/)
    assert.deepEqual(shown(stdout).at(-1), 'provision')
    await newcomer.assertNothingLeft([])
  }),
)

test('a demo begins only where it has room', { skip: rootMissing }, async () => {
  using newcomer = new Newcomer()
  using _disk = mountDisk(newcomer.temporary, 200)
  const said = [
    /no room for a demo: .* has 200 MiB free\n.*TMPDIR/,
    /no room for a demo: .*it does not exist\n.*TMPDIR/,
  ]
  const demos = [newcomer.demo([]), newcomer.demo([], ['env', `TMPDIR=${newcomer.temporary}/missing`])]
  for (const [index, demo] of demos.entries()) {
    const { code, stdout, stderr } = await demo.closed
    assert.deepEqual([code, shown(stdout)], [7, []])
    assert.match(stderr, said[index]!)
  }
  await newcomer.assertNothingLeft([])
})

test('a folder of somebody’s own is never taken for the results of a demo', async () => {
  using newcomer = new Newcomer()
  mkdirSync(join(newcomer.work, 'cpn-demo', 'mine'), { recursive: true })
  const { code, stderr } = await newcomer.demo([]).closed
  assert.equal(code, 2)
  assert.match(stderr, /cpn-demo is there already.*\n.*--out DIR\n.*CPN_ERR_USAGE/)
  assert.ok(existsSync(join(newcomer.work, 'cpn-demo', 'mine')))
  // Neither are the results of a run of theirs.
  for (const name of ['index.html', 'predictions.jsonl']) writeFileSync(join(newcomer.work, 'cpn-demo', name), 'mine')
  assert.equal((await newcomer.demo([]).closed).code, 2)
  const file = await newcomer.demo(['--out', 'cpn-demo/index.html']).closed
  assert.deepEqual([file.code, /is no folder for results[\s\S]*CPN_ERR_USAGE/.test(file.stderr)], [2, true])
  await newcomer.assertNothingLeft()
})
