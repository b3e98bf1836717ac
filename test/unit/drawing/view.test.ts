import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personOf } from '../../../src/drawing/person.ts'
import { Skull } from '../../../src/drawing/skull.ts'
import { View } from '../../../src/drawing/view.ts'

const still = { yaw: 0, pitch: 0, roll: 0 }

test('a head turns to the right, nods down and leans with the clock', () => {
  const nose = (pose: Partial<typeof still>) => new View({ ...still, ...pose }, 100, [200, 200]).project([0, 0, 1])
  const top = (pose: Partial<typeof still>) => new View({ ...still, ...pose }, 100, [200, 200]).project([0, -1, 0])
  assert.deepEqual(nose({}), [200, 200])
  assert.ok(nose({ yaw: 30 })[0] > 240)
  assert.ok(nose({ pitch: 20 })[1] > 225)
  assert.ok(top({ roll: 20 })[0] > 225)
})

test('the surface of a head has no gap at its sides, whoever it is', () => {
  for (let id = 0; id < 300; id++) {
    const skull = new Skull(personOf(id))
    for (let y = -0.9; y < skull.chin; y += 0.05) {
      const [x, , z] = skull.around(90, y)
      assert.ok(Math.abs(x - skull.halfWidth(y)) < 1e-9 && Math.abs(z) < 1e-9, `person ${id} at ${y}`)
      const [, , front] = skull.skin(0, y)
      assert.ok(front >= skull.skin(skull.halfWidth(y) * 0.9, y)[2], `person ${id} at ${y}`)
    }
  }
})
