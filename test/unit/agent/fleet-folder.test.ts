import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetFolder } from '../../../src/agent/fleet-folder.ts'

test('a fleet folder knows its id, its home and its files', () => {
  const folder = fleetFolder('/home/ann/.cpn/fleets/f1')
  assert.equal(folder.id, 'f1')
  assert.equal(folder.home, '/home/ann/.cpn')
  assert.equal(folder.modelsDir, '/home/ann/.cpn/models')
  assert.equal(folder.socket, '/home/ann/.cpn/fleets/f1/run/agent.sock')
  assert.equal(folder.stopped, '/home/ann/.cpn/fleets/f1/stopped')
})

test('anything but an absolute folder under fleets is refused', () => {
  for (const dir of ['fleets/f1', '/home/ann/.cpn', '/']) {
    assert.throws(() => fleetFolder(dir), { code: 'CPN_ERR_USAGE' })
  }
})
