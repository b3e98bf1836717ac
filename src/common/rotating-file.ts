import { appendFileSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'

export interface Rotation {
  /** A file that would grow beyond this becomes `<path>.1`, what was `<path>.1` becomes `<path>.2`, … */
  limitBytes: number
  /** Files that are kept besides the one that is written. */
  keep: number
}

/** Where a process that rotates was killed, the next one goes on after this time. */
const staleMs = 10_000

/**
 * A file that lines are appended to, by any number of processes at once: each append is one write at the file's end, so
 * that no line is torn, and one process rotates at a time. A disk that is full costs lines and nothing else.
 */
export class RotatingFile {
  readonly #path: string
  readonly #rotation: Rotation
  #torn = false

  constructor(path: string, rotation: Rotation) {
    this.#path = path
    this.#rotation = rotation
  }

  /** `text` is whole lines. Opened each time, because others may have rotated meanwhile. */
  append(text: string): void {
    this.#rotateFor(Buffer.byteLength(text))
    try {
      // What a full disk cut off must not be glued to a good line.
      appendFileSync(this.#path, this.#torn ? `\n${text}` : text, { mode: 0o600 })
      this.#torn = false
    } catch {
      this.#torn = true
    }
  }

  /** A file that cannot be rotated grows beyond its limit rather than that a line is lost. */
  #rotateFor(bytes: number): void {
    try {
      const seenBytes = fileBytes(this.#path)
      if (seenBytes > 0 && seenBytes + bytes > this.#rotation.limitBytes) this.#rotate(seenBytes)
    } catch {
      // The next append tries again.
    }
  }

  #rotate(seenBytes: number): void {
    const lock = `${this.#path}.rotating`
    if (!takeLock(lock)) return
    try {
      if (fileBytes(this.#path) < seenBytes) return
      for (let age = this.#rotation.keep - 1; age >= 1; age--) move(`${this.#path}.${age}`, `${this.#path}.${age + 1}`)
      renameSync(this.#path, `${this.#path}.1`)
    } finally {
      rmdirSync(lock)
    }
  }
}

/** Bytes of a file; 0 when there is none. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** The file and those it was rotated into, oldest first. */
export function rotatedFiles(path: string): string[] {
  const files = [path]
  for (let age = 1; statSync(`${path}.${age}`, { throwIfNoEntry: false }); age++) files.unshift(`${path}.${age}`)
  return files
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock, { mode: 0o700 })
    return true
  } catch {
    // Gone meanwhile: whoever had it has rotated.
    const held = statSync(lock, { throwIfNoEntry: false })
    // The next append takes it.
    if (held && Date.now() - held.mtimeMs > staleMs) rmdirSync(lock)
    return false
  }
}

function move(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false })) renameSync(from, to)
}
