import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../../../src/transport/ssh/pace.ts'
import { Slots } from '../../../../src/transport/ssh/slots.ts'

test('at most eight handshakes with one server happen at once', async () => {
  const pace = new Pace()
  let now = 0
  let most = 0
  const handshake = async (): Promise<void> => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setTimeout(resolve, 5))
    now--
  }
  await Promise.all(Array.from({ length: 40 }, () => pace.run('host:22', handshake, () => false)))
  assert.ok(most <= 8)
})

test('a login that was turned away is tried again, a refused one is not', async () => {
  const pace = new Pace()
  let tries = 0
  const handshake = async (): Promise<number> => {
    if (++tries < 3) throw new Error('turned away')
    return tries
  }
  assert.equal(await pace.run('host:22', handshake, () => true), 3)
  tries = 0
  await assert.rejects(
    pace.run('host:22', handshake, () => false),
    /turned away/,
  )
  assert.equal(tries, 1)
})

test('slots are given in order, and a signal leaves the queue', async () => {
  const slots = new Slots(1)
  const order: number[] = []
  const controller = new AbortController()
  const work = (id: number) => async (): Promise<void> => void order.push(id)
  const first = slots.run(work(1))
  const second = slots.run(work(2), controller.signal)
  const third = slots.run(work(3))
  controller.abort(new Error('not wanted'))
  await Promise.all([first, assert.rejects(second, /not wanted/), third])
  assert.deepEqual(order, [1, 3])
  assert.equal(slots.taken, 0)
})
