import type { Prompter } from '../../common/context.ts'
import { deadline, type Wait } from './deadlines.ts'

/** The deadline of whatever wait a handshake is in; each phase has its own, and questions to a person stop it. */
export class Stopwatch {
  readonly #onTimeout: (wait: Wait, ms: number) => void
  #timer: NodeJS.Timeout | undefined
  #wait: Wait = 'banner'
  #questions = 0

  constructor(onTimeout: (wait: Wait, ms: number) => void) {
    this.#onTimeout = onTimeout
  }

  get wait(): Wait {
    return this.#wait
  }

  /** Begins the next wait; the one before is over. */
  enter(wait: Wait): void {
    this.#wait = wait
    clearTimeout(this.#timer)
    const ms = deadline(wait)
    if (this.#questions === 0) this.#timer = setTimeout(() => this.#onTimeout(wait, ms), ms)
  }

  /** Runs a question to a person; the wait begins anew with the answer. */
  async pause<T>(question: () => Promise<T>): Promise<T> {
    this.#questions++
    clearTimeout(this.#timer)
    try {
      return await question()
    } finally {
      this.#questions--
      this.enter(this.#wait)
    }
  }

  stop(): void {
    this.#questions = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
  }
}

/** A prompter whose questions stop a deadline. */
export interface PatientPrompter extends Prompter {
  /** Runs something that may wait for a person, also for the answer to a question that another login has asked. */
  wait<T>(work: () => Promise<T>): Promise<T>
}

export function patientPrompter(prompter: Prompter, watch: Stopwatch): PatientPrompter {
  return {
    interactive: prompter.interactive,
    secret: (question) => watch.pause(() => prompter.secret(question)),
    confirm: (question) => watch.pause(() => prompter.confirm(question)),
    wait: (work) => watch.pause(work),
  }
}
