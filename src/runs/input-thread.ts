import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { sha256 } from '../common/digest.ts'
import { answerQuestions } from '../common/thread.ts'
import type { InputFile } from './input-reader.ts'

/** The agents refuse larger bodies. */
const maxInputBytes = 256 * 1024 * 1024

/** The thread behind input-reader.ts: calls that wait are the cheapest where nothing else is to be done. */
answerQuestions(
  (path: string): InputFile => {
    const file = openSync(path, 'r')
    try {
      const found = fstatSync(file)
      if (!found.isFile()) throw new Error('it is no file')
      // As it was before it was read: one that is written meanwhile is another one the next time.
      const { size, mtimeMs, ctimeMs, ino } = found
      if (size > maxInputBytes) throw new Error(`${size} bytes are more than a picture may have (${maxInputBytes})`)
      const bytes = owned(readFileSync(file))
      return { bytes, sha256: sha256(bytes), identity: { bytes: size, mtimeMs, ctimeMs, ino } }
    } finally {
      closeSync(file)
    }
  },
  ({ bytes }) => [bytes.buffer],
)

/** Bytes whose memory can be given away: Node.js cuts those of small files out of a larger piece. */
function owned(bytes: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
