import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth, printable, truncate } from '../../../src/ui/format.ts'

test('control characters and direction marks of a name cannot reach the terminal', () => {
  assert.equal(printable('a\u001b[31mb\r\n\u0007'), 'a\\x1b[31mb\\x0d\\x0a\\x07')
  assert.equal(printable('photo\u202egpj.exe'), 'photo\\u202egpj.exe')
  assert.equal(printable('\u009b2J'), '\\x9b2J')
  assert.equal(printable('Jürgen 東京 👩‍👩‍👧.jpg'), 'Jürgen 東京 👩‍👩‍👧.jpg')
})

test('a wide character takes two cells, a combined one as many as it shows', () => {
  assert.equal(displayWidth('node1'), 5)
  assert.equal(displayWidth('東京'), 4)
  assert.equal(displayWidth('e\u0301'), 1)
  assert.equal(displayWidth('👩‍👩‍👧'), 2)
})

test('cut text never takes more cells than asked for', () => {
  assert.equal(truncate('node1', 5), 'node1')
  assert.equal(truncate('node1-very-long', 8), 'node1-v…')
  assert.equal(truncate('東京東京', 5), '東京…')
  assert.equal(truncate('東京東京', 4), '東…')
})
