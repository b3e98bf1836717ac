import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CpnError } from '../../src/common/errors.ts'
import { type LoginUser, makeLoginUser } from '../helpers/login-user.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, setting } from '../helpers/provisioned.ts'
import { type SshdHost, startSshd, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'

const skip = usersMissing

/** Another real user of the same machine, who may do what any user may. */
function neighbour(
  home: string,
): LoginUser & { run(script: string): ReturnType<typeof spawnSync>; [Symbol.dispose](): void } {
  const user = makeLoginUser(home, '/bin/sh')
  const run = (script: string) =>
    spawnSync('setpriv', [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '/bin/sh', '-c', script], {
      encoding: 'utf8',
      cwd: '/',
    })
  return Object.assign(user, { run, [Symbol.dispose]: () => user.remove() })
}

async function provision(host: SshdHost, remoteDir = '~/.cpn') {
  await using home = project([host])
  const { options } = await setting(home)
  const hosts = options.inventory.hosts.map((each) => ({ ...each, remoteDir }))
  const result = (await provisionAll({ ...options, inventory: { ...options.inventory, hosts } })).get(host.name)!
  return result
}

test("another user of a node reads nothing of a fleet's and reaches no socket", { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  const { error } = await provision(host)
  assert.ifError(error)
  // Homes are open to others on many machines.
  chmodSync(host.home, 0o755)
  using folder = tempFolder()
  using other = neighbour(folder.path)
  const all = readdirSync(join(host.home, '.cpn'), { recursive: true, encoding: 'utf8' })
  assert.ok(all.some((path) => path.endsWith('agent.sock')))
  for (const path of ['', ...all.filter((name) => /agent\.sock|agent\.json|agent\.log|models/.test(name))]) {
    const said = other.run(
      `cat '${join(host.home, '.cpn', path)}' || curl --unix-socket '${join(host.home, '.cpn', path)}' http://agent/cpn/v1/node`,
    )
    assert.equal(said.stdout, '', path)
  }
  // Were the way to them open, the files themselves are closed all the same.
  for (const path of all.filter((name) =>
    /fleets\/[^/]+$|\/run$|\/log$|agent\.sock$|agent\.log$|agent\.json$/.test(name),
  )) {
    assert.equal(lstatSync(join(host.home, '.cpn', path)).mode & 0o077, 0, path)
  }
})

test('a remoteDir that another user has planted as a link or a folder is refused, and nothing is written', {
  skip,
}, async () => {
  using folder = tempFolder()
  using other = neighbour(join(folder.path, 'home'))
  await using host = await startSshd({ name: 'node1' })
  const shared = join(folder.path, 'shared')
  mkdirSync(shared)
  chmodSync(folder.path, 0o755)
  chmodSync(shared, 0o1777)
  // Into a folder of the victim's own, which would pass for one.
  mkdirSync(join(host.home, 'own'), { mode: 0o700 })
  spawnSync('chown', [`${host.uid}`, join(host.home, 'own')])
  chmodSync(host.home, 0o711)
  other.run(`ln -s '${host.home}/own' '${shared}/link'; mkdir -m 755 '${shared}/folder'; mkdir -m 777 '${shared}/open'`)
  for (const [name, says] of [
    ['link', /a link that another user has made/],
    ['folder', /belongs to another user|closed to this user/],
    ['open', /belongs to another user/],
  ] as const) {
    const { error } = await provision(host, join(shared, name))
    assert.ok(error instanceof CpnError && error.code === 'CPN_ERR_HOST_CHECK' && says.test(error.message), `${error}`)
  }
  assert.deepEqual(readdirSync(join(host.home, 'own')), [])
  assert.deepEqual(readdirSync(join(shared, 'open')), [])
})

test('a folder of the agent that has become a link is refused', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using home = project([host])
  const { options, state } = await setting(home)
  const provisionOnce = async () => (await provisionAll(options)).get(host.name)!
  assert.ifError((await provisionOnce()).error)
  for (const { pid } of host.processes()) process.kill(pid, 'SIGKILL')
  const run = join(host.home, '.cpn/fleets', state.fleetId, 'run')
  rmSync(run, { recursive: true })
  mkdirSync(join(host.home, 'elsewhere'))
  symlinkSync(join(host.home, 'elsewhere'), run)
  spawnSync('chown', ['-hR', `${host.uid}`, host.home])
  const { error } = await provisionOnce()
  assert.ok(error instanceof CpnError && /is not a folder of user/.test(error.message), `${error}`)
  assert.deepEqual(readdirSync(join(host.home, 'elsewhere')), [])
})
