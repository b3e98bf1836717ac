import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSshConfig } from '../../../../src/transport/ssh/ssh-config.ts'
import { isSameForAll, SshConfigs } from '../../../../src/transport/ssh/ssh-configs.ts'
import { tempFolder } from '../../../helpers/temp-folder.ts'

test('a configuration that tells hosts apart is known by its lines', () => {
  for (const same of [
    '',
    '# Host node1',
    'Host *\n  User me',
    'host  *\nPort 2222',
    'SendEnv LANG LC_*',
    'Include x',
  ]) {
    assert.ok(isSameForAll(same), same)
  }
  const apart = ['Host node1', 'Host * !node1', ' Host=node1', 'Match all', '"Host" node1', 'IdentityFile ~/.ssh/%h']
  for (const text of [...apart, 'CanonicalizeHostname yes', 'IdentityAgent $X']) assert.ok(!isSameForAll(text), text)
})

test('what is asked once for all hosts is what ssh says of each', async () => {
  using folder = tempFolder()
  const before = process.env.CPN_SSH_CONFIG
  const file = join(folder.path, 'config')
  mkdirSync(join(folder.path, 'more'))
  process.env.CPN_SSH_CONFIG = file
  try {
    const main = `Include ${join(folder.path, 'more')}/*\nHost *\n  IdentityFile ~/.ssh/mine\n  ConnectTimeout 7\n`
    writeFileSync(file, main)
    const own = join(folder.path, 'more', 'own')
    // The second one has a host of its own, in a file that the first names.
    for (const more of ['User everybody\n', 'Host node2\n  User somebody\n  Port 2222\n']) {
      writeFileSync(own, more)
      const configs = new SshConfigs()
      for (const destination of [
        { address: 'NODE1' },
        { address: 'node2' },
        { address: '::1', user: 'u', port: 22_022 },
      ]) {
        assert.deepEqual(
          await configs.read(destination),
          await readSshConfig(destination),
          `${more}: ${destination.address}`,
        )
      }
    }
  } finally {
    if (before === undefined) delete process.env.CPN_SSH_CONFIG
    else process.env.CPN_SSH_CONFIG = before
  }
})

test('who gives up does not wait for a configuration that takes long', async () => {
  using folder = tempFolder()
  const before = process.env.CPN_SSH_CONFIG
  const file = join(folder.path, 'config')
  const goOn = join(folder.path, 'go-on')
  writeFileSync(file, `Match exec "until [ -e ${goOn} ]; do sleep 0.1; done"\n  User somebody\n`)
  process.env.CPN_SSH_CONFIG = file
  try {
    const configs = new SshConfigs()
    const stop = new AbortController()
    const other = configs.read({ address: 'node1' })
    const given = configs.read({ address: 'node1' }, stop.signal)
    stop.abort(new Error('stop'))
    await assert.rejects(given, /stop/)
    assert.ok(!existsSync(goOn), 'the program still waits')
    writeFileSync(goOn, '')
    assert.equal((await other).user, 'somebody')
  } finally {
    writeFileSync(goOn, '')
    if (before === undefined) delete process.env.CPN_SSH_CONFIG
    else process.env.CPN_SSH_CONFIG = before
  }
})
