import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  displayWidth,
  formatBytes,
  formatDuration,
  formatRate,
  printable,
  truncate,
} from '../../../src/ui/format.ts'

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

test('sizes, durations and rates are short', () => {
  const bytes = [0, 1023, 1024, 1536, 104_857_600, 2 ** 40].map(formatBytes)
  assert.deepEqual(bytes, ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '100 MiB', '1.0 TiB'])
  const durations = [850, 12_345, 59_990, 75_000, 3_599_900, 7_500_000, 180_000_000].map(formatDuration)
  assert.deepEqual(durations, ['0.8 s', '12 s', '1m 00s', '1m 15s', '1h 00m', '2h 05m', '2d 02h'])
  assert.deepEqual([0.25, 3.44, 127.6].map(formatRate), ['0.25', '3.4', '128'])
})
