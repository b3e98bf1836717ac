import { extname } from 'node:path'
import { isMainThread, parentPort, type Transferable, Worker, workerData } from 'node:worker_threads'
import { systemErrorCode } from './errors.ts'

/** What a thread answers to one question, in the order of the questions. */
type Answer = { value: unknown } | { failed: { message: string; code: string | undefined } }

/** A program of its own thread that answers questions, so that what it waits for keeps nobody else waiting. */
export class Thread<Question, Value> implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting: PromiseWithResolvers<Value>[] = []
  /** Why it answers nothing any more. */
  #ended: Error | undefined

  /**
   * @param module its place below src/, without extension; it calls `answerQuestions`
   * @param data for the module's `workerData`
   */
  constructor(module: `${string}-thread`, data?: unknown) {
    // Built, this class is in dist/chunks and the module in dist/.
    const file = `../${module}${extname(import.meta.url)}`
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: data })
    this.#worker.on('message', (answer: Answer) => {
      const asked = this.#waiting.shift()
      if ('value' in answer) asked?.resolve(answer.value as Value)
      else asked?.reject(Object.assign(new Error(answer.failed.message), { code: answer.failed.code }))
    })
    this.#worker.on('error', (error: Error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('its thread has ended')))
  }

  /** Questions that are not answered yet. */
  get asked(): number {
    return this.#waiting.length
  }

  /** Rejects with what the thread threw: an Error with its message and the `code` of a system error. */
  async ask(question: Question): Promise<Value> {
    const answer = Promise.withResolvers<Value>()
    if (this.#ended) answer.reject(this.#ended)
    else {
      // What cannot be posted is not waited for: it throws before its answer is expected.
      this.#worker.postMessage(question)
      this.#waiting.push(answer)
    }
    return answer.promise
  }

  /** Questions that are not answered yet are rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  #end(reason: Error): void {
    this.#ended ??= reason
    for (const asked of this.#waiting.splice(0)) asked.reject(this.#ended)
  }
}

/**
 * In the thread: answers one question after another.
 * @param transfer what of a value is given away instead of copied
 */
export function answerQuestions<Question, Value>(
  answer: (question: Question) => Value | Promise<Value>,
  transfer: (value: Value) => Transferable[] = () => [],
): void {
  if (isMainThread) throw new Error('this module is the program of a thread')
  let last: Promise<void> = Promise.resolve()
  parentPort?.on('message', (question: Question) => {
    last = last.then(async () => {
      try {
        const value = await answer(question)
        parentPort?.postMessage({ value } satisfies Answer, transfer(value))
      } catch (error) {
        const failed = { message: (error as Error).message, code: systemErrorCode(error) }
        parentPort?.postMessage({ failed } satisfies Answer)
      }
    })
  })
}

/** What the thread was started with. */
export const threadData: unknown = workerData
