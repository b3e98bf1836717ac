import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatDuration, formatRate } from '../../../src/common/format.ts'

test('sizes, durations and rates are short', () => {
  const bytes = [0, 1023, 1024, 1536, 104_857_600, 2 ** 40].map(formatBytes)
  assert.deepEqual(bytes, ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '100 MiB', '1.0 TiB'])
  const durations = [850, 12_345, 59_990, 75_000, 3_599_900, 7_500_000, 180_000_000].map(formatDuration)
  assert.deepEqual(durations, ['0.8 s', '12 s', '1m 00s', '1m 15s', '1h 00m', '2h 05m', '2d 02h'])
  assert.deepEqual([0.25, 3.44, 127.6].map(formatRate), ['0.25', '3.4', '128'])
})
