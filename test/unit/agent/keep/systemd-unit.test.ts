import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetFolder } from '../../../../src/agent/fleet-folder.ts'
import { keeperDelayMs } from '../../../../src/agent/keep/keeper.ts'
import { unitName, unitText } from '../../../../src/agent/keep/systemd-unit.ts'

test('the unit runs the current release, always comes back, and not when it was stopped', () => {
  const text = unitText(fleetFolder('/home/ann/.cpn/fleets/f1'))
  assert.match(
    text,
    /^ExecStart="\/home\/ann\/\.cpn\/fleets\/f1\/current\/bin\/cpn-agent" run --kept-by systemd-user$/m,
  )
  assert.match(text, /^Restart=always$/m)
  assert.match(text, /^ConditionPathExists=!\/home\/ann\/\.cpn\/fleets\/f1\/stopped$/m)
  assert.equal(unitName('f1'), 'cpn-f1.service')
})

test('what systemd would expand in a path is escaped', () => {
  const text = unitText(fleetFolder('/srv/50% "$off"/fleets/f1'))
  assert.match(text, /^ExecStart="\/srv\/50%% \\"\$\$off\\"\/fleets\/f1\/current\/bin\/cpn-agent" run/m)
  assert.match(text, /^ConditionPathExists=!\/srv\/50%% "\$off"\/fleets\/f1\/stopped$/m)
})

test('the keeper waits longer after each quick death, up to a minute', () => {
  assert.deepEqual([1, 2, 3, 20].map(keeperDelayMs), [250, 500, 1000, 60_000])
})
