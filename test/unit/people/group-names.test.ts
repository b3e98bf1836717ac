import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupName, groupNumber, numberGroups } from '../../../src/people/group-names.ts'

const numbers = (labels: number[], former: number[], last: number) =>
  Object.fromEntries(numberGroups(Int32Array.from(labels), former, last))

test('groups are numbered by size, equals by their first faces, and faces without a group have no number', () => {
  assert.deepEqual(numbers([4, -1, 7, 7, 4, 9, 7, -1], new Array(8).fill(0), 0), { 7: 1, 4: 2, 9: 3 })
})

test('a group that persists keeps its number, however large it is by now and whatever its label is', () => {
  // Group 1 lost two of its faces, group 2 gained some, a new one came.
  assert.deepEqual(numbers([5, 0, 0, 0, 0, 1, 1], [1, 2, 2, 0, 0, 0, 0], 2), { 5: 1, 0: 2, 1: 3 })
})

test('of two parts the larger keeps the number; two that became one have that of the larger', () => {
  assert.deepEqual(numbers([0, 0, 0, 1, 1], [6, 6, 6, 6, 6], 9), { 0: 6, 1: 10 })
  assert.deepEqual(numbers([0, 0, 0, 0, 0], [4, 4, 3, 3, 3], 9), { 0: 3 })
})

test('a number that a group had before is not given to another one', () => {
  assert.deepEqual(numbers([0, 0], [0, 0], 7), { 0: 8 })
})

test('names of groups are read as they are written', () => {
  for (const number of [1, 12, 999, 1000, 123456]) assert.equal(groupNumber(groupName(number)), number)
  assert.equal(groupName(1), 'unknown-001')
  assert.equal(groupName(1000), 'unknown-1000')
  assert.equal(groupNumber('Unknown-7'), 7)
  for (const name of ['Ada', 'unknown', 'unknown-', 'unknown-1x', 'unknown--1', '1']) {
    assert.equal(groupNumber(name), undefined, name)
  }
})
