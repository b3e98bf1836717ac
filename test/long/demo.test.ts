import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { cpnProgram } from '../helpers/cli.ts'
import { leakFree } from '../helpers/leaks.ts'
import { canMakeUsers, makeLoginUser } from '../helpers/login-user.ts'
import { Newcomer, shown, whole } from '../helpers/newcomer.ts'
import { pinnedNode, start } from '../helpers/program.ts'
import { sshdMissing } from '../helpers/sshd.ts'

const timeout = 600_000
const rootMissing = canMakeUsers ? false : 'needs root'

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
    const [, folder = ''] = /^ {2}\S+ demo --end (\S+)$/m.exec(stdout) ?? []

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

test(
  'a demo that is killed leaves nothing',
  { timeout },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const demo = newcomer.demo([])
    await demo.says(/^\$ cpn people add/m)
    demo.child.kill('SIGKILL')
    assert.equal((await demo.closed).signal, 'SIGKILL')
    await newcomer.assertNothingLeft([])
  }),
)

/** Reason why other users cannot start this checkout; false where they can. */
function usersCannotRun(): string | false {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const { status } = spawnSync('setpriv', [...nobody, pinnedNode, cpnProgram, '--version'], {
    env: { HOME: '/nonexistent' },
  })
  return status === 0 ? false : 'needs a checkout that every user can read'
}
