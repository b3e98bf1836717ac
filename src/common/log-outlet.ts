import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { RotatingFile, type Rotation } from './rotating-file.ts'

const maxWaiting = 10_000

/**
 * Where the lines of a command go: into a file that becomes known only when the command has found its inventory. Until
 * its folder is there they wait, and are given up when the command ends without one. Lines of one turn of the event
 * loop are one write.
 */
export class LogOutlet {
  readonly #rotation: Rotation
  #path: string | undefined
  #file: RotatingFile | undefined
  #lines: string[] = []
  #flushing: NodeJS.Immediate | undefined

  constructor(rotation: Rotation) {
    this.#rotation = rotation
  }

  /** From now on lines go to this file, as soon as its folder exists. */
  open(path: string): void {
    this.#path = path
    this.#file = new RotatingFile(path, this.#rotation)
  }

  write(line: string): void {
    if (this.#lines.length >= maxWaiting) this.#lines.shift()
    this.#lines.push(line)
    this.#flushing ??= setImmediate(() => this.flush())
  }

  /** Writes what waits; call it when the process ends. */
  flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (!this.#path || !existsSync(dirname(this.#path))) return
    this.#file?.append(this.#lines.join(''))
    this.#lines = []
  }
}
