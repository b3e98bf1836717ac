import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leakFree } from '../helpers/leaks.ts'
import { Newcomer } from '../helpers/newcomer.ts'

test(
  'a demo that is killed leaves nothing',
  { timeout: 600_000 },
  leakFree(async () => {
    using newcomer = new Newcomer()
    const demo = newcomer.demo([])
    await demo.says(/^\$ cpn people add/m)
    demo.child.kill('SIGKILL')
    assert.equal((await demo.closed).signal, 'SIGKILL')
    await newcomer.assertNothingLeft([])
  }),
)
