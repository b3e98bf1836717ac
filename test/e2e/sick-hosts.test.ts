import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'

const pictures = 60

test(
  'sick hosts are a warning as long as one works, and an error when none does',
  {
    skip: sshdMissing,
    timeout: 180_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    await using home = project(hosts)
    await drawMany(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])
    await otherHostKey(home, hosts[1]!, detector)
    await allDown(home, hosts, detector)

    for (const host of hosts) await host.start()
    // The new key is accepted.
    home.writeInventory(hosts)
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

async function otherHostKey(home: Project, host: SshdHost, detector: string): Promise<void> {
  await host.rotateHostKey()
  const loginsBefore = countLogins(host)
  const { stderr } = await home.ok([
    'predict',
    '--pipeline',
    'faces',
    'many',
    '--detector',
    detector,
    '--out',
    'changed',
  ])
  assert.match(stderr, /node2 does no work: .*CPN_ERR_HOST_KEY_CHANGED/)
  assert.equal(readSummary(join(home.folder, 'changed')).done, pictures)
  assert.equal(countLogins(host), loginsBefore, 'nothing is sent to a host with another key')
}

async function allDown(home: Project, hosts: SshdHost[], detector: string): Promise<void> {
  for (const host of hosts) host.stop()
  const { exitCode, stderr } = await home.cpn([
    'predict',
    '--pipeline',
    'faces',
    'many',
    '--detector',
    detector,
    '--out',
    'none',
  ])
  assert.equal(exitCode, 4, stderr)
  assert.match(stderr, /node1.*\n.*node2/)
  assert.equal(existsSync(join(home.folder, 'none')), false, 'nothing is written')
}

function countLogins(host: SshdHost): number {
  return host.log().split('Accepted publickey').length
}
