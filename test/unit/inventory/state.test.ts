import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { provisionedRelease } from '../../../src/inventory/host-history.ts'
import { openState } from '../../../src/inventory/state.ts'
import { repositoryRoot } from '../../helpers/shared.ts'

let folder: string
let dir: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
  dir = join(folder, '.cpn')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the state folder', () => {
  test('is made private and ignored by git', async () => {
    const state = await openState(dir)
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    assert.equal(readFileSync(join(dir, '.gitignore'), 'utf8'), '*\n')
    assert.deepEqual(
      [state.dir, state.knownHostsFile, state.ledgerFile, state.modelsDir, state.logsDir],
      [dir, ...['known_hosts', 'ledger.db', 'models', 'logs'].map((name) => join(dir, name))],
    )
  })

  test('opening it again changes nothing', async () => {
    const { fleetId } = await openState(dir)
    writeFileSync(join(dir, '.gitignore'), '# mine\n')
    assert.equal((await openState(dir)).fleetId, fleetId)
    assert.equal(readFileSync(join(dir, '.gitignore'), 'utf8'), '# mine\n')
  })

  test('one that others could read is closed', async () => {
    mkdirSync(dir)
    chmodSync(dir, 0o755)
    await openState(dir)
    assert.equal(statSync(dir).mode & 0o777, 0o700)
  })

  const rootMissing = process.getuid?.() === 0 ? false : 'needs root, to make a folder of somebody else'
  test('one of another user is refused', { skip: rootMissing }, async () => {
    mkdirSync(dir)
    chownSync(dir, 65534, 65534)
    await assert.rejects(openState(dir), { code: 'CPN_ERR_STATE_DIR', message: /belongs to another user/ })
  })

  test('a file in its place is refused', async () => {
    writeFileSync(dir, '')
    await assert.rejects(openState(dir), { code: 'CPN_ERR_STATE_DIR' })
  })
})

describe('the fleet id', () => {
  test('has 12 characters of a-z and 0-9', async () => {
    assert.match((await openState(dir)).fleetId, /^[a-z0-9]{12}$/)
  })

  test('processes that start together agree on one', async () => {
    const script = `import { openState } from '${join(repositoryRoot, 'src/inventory/state.ts')}'
      const ids = await Promise.all(Array.from({ length: 5 }, () => openState(process.argv[1])))
      console.log(ids.map((state) => state.fleetId).join('\\n'))`
    const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, dir])
    const outputs = await Promise.all([start(), start(), start()])
    const ids = outputs.flatMap(({ stdout }) => stdout.trim().split('\n'))
    assert.equal(ids.length, 15)
    assert.equal(new Set(ids).size, 1)
    assert.deepEqual(readdirSync(dir).sort(), ['.gitignore', 'fleet-id', 'hosts', 'logs', 'models'])
  })

  test('a damaged one is said, not replaced', async () => {
    await openState(dir)
    writeFileSync(join(dir, 'fleet-id'), 'what?\n')
    await assert.rejects(openState(dir), { code: 'CPN_ERR_STATE_DIR', message: /holds no fleet id/ })
  })
})

describe('the history of a host', () => {
  test('keeps events in order, with their time', async () => {
    const state = await openState(dir)
    await state.recordHostEvent('node1', { event: 'added', address: '192.0.2.1' })
    await state.recordHostEvent('node1', { event: 'provisioned', release: 'abc' })
    await state.recordHostEvent('node2', { event: 'added' })
    const history = await state.hostHistory('node1')
    assert.deepEqual(
      history.map(({ time: _time, ...event }) => event),
      [
        { event: 'added', address: '192.0.2.1' },
        { event: 'provisioned', release: 'abc' },
      ],
    )
    assert.ok(history.every(({ time }) => new Date(time).toISOString() === time))
    assert.deepEqual(await state.hostHistory('node3'), [])
  })

  test('a line that was cut short hides no other', async () => {
    const state = await openState(dir)
    await state.recordHostEvent('node1', { event: 'added' })
    appendFileSync(join(dir, 'hosts', 'node1.ndjson'), '{"time":"2026-\n')
    await state.recordHostEvent('node1', { event: 'removed' })
    assert.deepEqual(
      (await state.hostHistory('node1')).map(({ event }) => event),
      ['added', 'removed'],
    )
  })

  test('a name cannot lead out of the folder', async () => {
    const state = await openState(dir)
    await assert.rejects(state.recordHostEvent('../x', { event: 'added' }), { code: 'CPN_ERR_HOST_UNKNOWN' })
  })

  test('the release is that of the last provisioning, until it is undone or the host is another', () => {
    const events = (...names: string[]) => names.map((event) => ({ time: '', event, release: `r-${event}` }))
    assert.equal(provisionedRelease([]), undefined)
    assert.equal(provisionedRelease(events('added', 'provisioned', 'started')), 'r-provisioned')
    assert.equal(provisionedRelease(events('provisioned', 'unprovisioned')), undefined)
    assert.equal(provisionedRelease(events('provisioned', 'removed', 'added')), undefined)
  })
})
