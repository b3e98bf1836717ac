import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What may give away a text or some numbers, in the encodings that programs write. */
export function tracesOf(secret: string | Float32Array): Buffer[] {
  const plain = typeof secret === 'string' ? textForms(secret) : numberForms(secret)
  return plain.flatMap((bytes) => [bytes, ...encodedForms(bytes)])
}

/** Paths below folders whose name or content holds a trace. */
export function filesWith(
  traces: Buffer[],
  folders: string[],
  isWanted: (path: string) => boolean = () => true,
): string[] {
  return folders.flatMap(filesBelow).filter((path) => {
    if (!isWanted(path)) return false
    const name = Buffer.from(path)
    if (traces.some((trace) => name.includes(trace))) return true
    const content = attempt(() => (lstatSync(path).isFile() ? readFileSync(path) : undefined))
    return content !== undefined && traces.some((trace) => content.includes(trace))
  })
}

function textForms(text: string): Buffer[] {
  const percent = Buffer.from(encodeURIComponent(text))
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16(), percent]
}

/** A few numbers in a row as memory has them, and single ones as text has them. */
function numberForms(values: Float32Array): Buffer[] {
  const few = values.slice(0, 4)
  const doubles = Float64Array.from(few)
  const texts = [...values].filter((value) => Math.abs(value) > 0.01).slice(0, 8)
  return [
    Buffer.from(few.buffer.slice(0)),
    Buffer.from(doubles.buffer),
    ...texts.map((value) => Buffer.from(value.toFixed(6).slice(0, -1))),
  ]
}

/** Hex, and base64 at each of the places that the bytes may have in a longer text. */
function encodedForms(bytes: Buffer): Buffer[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(offset === 0 ? 0 : offset + 1, -2)
  })
  const hex = bytes.toString('hex')
  return [hex, hex.toUpperCase(), ...base64].filter((text) => text.length >= 8).map((text) => Buffer.from(text))
}

/** Follows no link. What goes away meanwhile, as other programs' files do, is left out. */
function filesBelow(folder: string): string[] {
  const entries = attempt(() => readdirSync(folder, { withFileTypes: true })) ?? []
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? [path, ...filesBelow(path)] : [path]
  })
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
