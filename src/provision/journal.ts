import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Where a provisioning that has not succeeded stands. */
export interface Unfinished {
  /** ISO 8601, UTC: when it began. */
  since: string
  /** Phase that was begun last; undefined when none was. */
  phase: string | undefined
  /** What it ended with; undefined when it was cut off. */
  code: string | undefined
}

interface Line {
  time: string
  phase?: string
  code?: string
}

/**
 * How far the provisioning of one host has come, on the master: a file that is there from its begin until it has
 * succeeded, with a line for each phase that was begun. What is finished on the host is not taken from here but looked at;
 * this tells which hosts need another try and what they were at.
 */
export class Journal {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Written without waiting for the disk: it has to outlive this process, and costs each host of an unchanged fleet. */
  begin(): void {
    writeFileSync(this.#file, line({}), { mode: 0o600 })
  }

  phase(name: string): void {
    appendFileSync(this.#file, line({ phase: name }))
  }

  failed(code: string): void {
    appendFileSync(this.#file, line({ code }))
  }

  done(): void {
    rmSync(this.#file, { force: true })
  }

  /** Undefined when the last provisioning succeeded, or none was ever begun. */
  unfinished(): Unfinished | undefined {
    const lines = this.#read()
    if (!lines) return undefined
    return {
      since: lines[0]?.time ?? '',
      phase: lines.findLast(({ phase }) => phase !== undefined)?.phase,
      code: lines.findLast(({ code }) => code !== undefined)?.code,
    }
  }

  #read(): Line[] | undefined {
    try {
      return readFileSync(this.#file, 'utf8').split('\n').flatMap(parse)
    } catch {
      return undefined
    }
  }
}

function line(fields: Omit<Line, 'time'>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`
}

// A line that a crash cut short is left out.
function parse(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line]
  } catch {
    return []
  }
}
