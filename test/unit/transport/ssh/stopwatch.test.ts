import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadline } from '../../../../src/transport/ssh/deadlines.ts'
import { Stopwatch } from '../../../../src/transport/ssh/stopwatch.ts'

test('each wait has its own deadline', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late: string[] = []
  const watch = new Stopwatch((wait) => late.push(wait))
  watch.enter('banner')
  t.mock.timers.tick(deadline('banner') - 1)
  watch.enter('kex')
  t.mock.timers.tick(deadline('kex') - 1)
  assert.deepEqual(late, [])
  t.mock.timers.tick(1)
  assert.deepEqual(late, ['kex'])
})

test('a question stops the deadline, and it begins anew with the answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late: string[] = []
  const watch = new Stopwatch((wait) => late.push(wait))
  watch.enter('auth')
  const answered = Promise.withResolvers<string>()
  const answer = watch.pause(() => answered.promise)
  t.mock.timers.tick(deadline('auth') * 10)
  assert.deepEqual(late, [])
  answered.resolve('secret')
  assert.equal(await answer, 'secret')
  t.mock.timers.tick(deadline('auth'))
  assert.deepEqual(late, ['auth'])
})

test('nothing comes after the end', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const watch = new Stopwatch(() => assert.fail('too late'))
  watch.enter('auth')
  watch.stop()
  t.mock.timers.tick(deadline('auth') * 10)
})

test('CPN_TIMEOUT_SCALE stretches every wait', (t) => {
  const before = process.env.CPN_TIMEOUT_SCALE
  t.after(() => {
    if (before === undefined) delete process.env.CPN_TIMEOUT_SCALE
    else process.env.CPN_TIMEOUT_SCALE = before
  })
  delete process.env.CPN_TIMEOUT_SCALE
  const plain = deadline('tcp')
  process.env.CPN_TIMEOUT_SCALE = '3'
  assert.equal(deadline('tcp'), plain * 3)
  process.env.CPN_TIMEOUT_SCALE = 'nonsense'
  assert.equal(deadline('tcp'), plain)
})
