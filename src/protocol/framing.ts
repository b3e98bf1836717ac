import { CpnError } from '../common/errors.ts'

/** Header that says how many bytes of a body are JSON; raw bytes follow (Open Inference Protocol, binary extension). */
export const headerLengthName = 'inference-header-content-length'

/** The pieces of one body: JSON, then raw parts, which are not copied. `jsonBytes` goes into the header named above. */
export function encodeFrame(json: unknown, parts: Uint8Array[]): { body: Uint8Array[]; jsonBytes: number } {
  const head = Buffer.from(JSON.stringify(json))
  return { body: [head, ...parts], jsonBytes: head.length }
}

/** The JSON value and the raw bytes of a body; `raw` shares the body's memory. */
export function decodeFrame(body: Buffer, jsonBytes: number): { json: unknown; raw: Buffer } {
  if (!Number.isSafeInteger(jsonBytes) || jsonBytes < 0 || jsonBytes > body.length) {
    throw new CpnError(
      'CPN_ERR_AGENT_PROTOCOL',
      `a body of ${body.length} bytes cannot hold ${jsonBytes} bytes of JSON`,
    )
  }
  try {
    return { json: JSON.parse(body.toString('utf8', 0, jsonBytes)), raw: body.subarray(jsonBytes) }
  } catch (cause) {
    throw new CpnError('CPN_ERR_AGENT_PROTOCOL', 'the JSON part of a body does not parse', { cause })
  }
}

/** Cuts `raw` into consecutive parts of the given lengths, which have to fill it exactly. */
export function splitParts(raw: Buffer, lengths: number[]): Buffer[] {
  if (lengths.reduce((sum, length) => sum + length, 0) !== raw.length) {
    throw new CpnError('CPN_ERR_AGENT_PROTOCOL', `parts of ${lengths.join('+')} bytes do not fill ${raw.length} bytes`)
  }
  let end = 0
  return lengths.map((length) => {
    end += length
    return raw.subarray(end - length, end)
  })
}
