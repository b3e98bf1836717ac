import type { AttemptPurpose, Job } from './scheduler.ts'
import { newTask, type Task } from './task.ts'

/** An attempt that waits for a node. */
export interface Request {
  task: Task
  purpose: AttemptPurpose
}

/** What waits for a node, and the source of jobs behind it, from which one is taken at a time. */
export class Queue {
  readonly waiting: Request[] = []
  /** Jobs taken so far. */
  jobs = 0
  isPulling = false
  /** The source has no more. */
  isExhausted = false
  readonly #source: AsyncIterator<Job>

  constructor(jobs: AsyncIterable<Job>) {
    this.#source = jobs[Symbol.asyncIterator]()
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  add(task: Task, purpose: AttemptPurpose): void {
    this.waiting.push({ task, purpose })
  }

  remove(request: Request): void {
    this.waiting.splice(this.waiting.indexOf(request), 1)
  }

  /** Takes one job out of the source, unless that is going on. Rejects with the source's error. */
  async pull(): Promise<void> {
    this.isPulling = true
    try {
      const { done, value } = await this.#source.next()
      if (done) this.isExhausted = true
      else {
        this.jobs++
        const task = newTask(value)
        this.add(task, task.history.suspect ? 'alone' : 'work')
      }
    } finally {
      this.isPulling = false
    }
  }

  async close(): Promise<void> {
    // A source that is being pulled answers return() only after that pull, which may wait for its input.
    if (!this.isPulling) await this.#source.return?.()
  }
}
