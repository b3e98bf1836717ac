import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../src/common/logger.ts'

function logged(write: (logger: ReturnType<typeof createLogger>) => void): {
  line: string
  fields: Record<string, unknown>
} {
  let line = ''
  const keep = (text: string) => {
    line += text
  }
  write(createLogger({ write: keep }, 'debug'))
  return { line, fields: JSON.parse(line) }
}

test('a line says time and level in words', () => {
  const { fields } = logged((logger) => logger.warn({ event: 'node-lost', host: 'node1' }, 'node lost'))
  assert.match(`${fields.time}`, /^\d{4}-\d\d-\d\dT.*Z$/)
  delete fields.time
  assert.deepEqual(fields, { level: 'warn', event: 'node-lost', host: 'node1', msg: 'node lost' })
})

test('nothing in a line acts on a terminal', () => {
  const name = 'a\u001b[31m\u0007\u009b1m\u202eb\u2028c\nd'
  const { line, fields } = logged((logger) => logger.info({ host: name, [name]: 1 }, name))
  assert.equal(line.split('\n').length, 2)
  assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
  assert.deepEqual([fields.host, fields.msg, fields[name]], [name, name, 1])
})

test('secrets, pictures and vectors stay out, and long texts are cut', () => {
  const { line, fields } = logged((logger) =>
    logger.info(
      {
        password: 'hunter2',
        nested: { passphrase: 'hunter2', ssh: { privateKey: 'hunter2' } },
        faces: [{ embedding: [1, 2], keypoints: [[1, 2]], person: 'hunter2' }],
        image: Buffer.from('hunter2'),
        vector: new Float32Array(128).fill(0.123),
        numbers: Array.from({ length: 128 }, () => 0.123),
      },
      'x'.repeat(10_000),
    ),
  )
  assert.doesNotMatch(line, /hunter2|0\.123|\[1,2\]/)
  assert.deepEqual([fields.image, fields.vector, fields.numbers], ['[7 bytes]', '[512 bytes]', '[128 items]'])
  assert.ok(`${fields.msg}`.length < 1100)
})

test('an error is told with its code and its stack', () => {
  const error = Object.assign(new Error('it broke'), { code: 'EIO' })
  const { fields } = logged((logger) => logger.error({ err: error }, 'failed'))
  const { type, message, code, stack } = fields.err as Record<string, string>
  assert.deepEqual([type, message, code], ['Error', 'it broke', 'EIO'])
  assert.match(stack!, /logger\.test/)
})
