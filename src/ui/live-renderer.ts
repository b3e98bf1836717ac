import { styleText } from 'node:util'
import type { ListrRenderer, ListrTaskObject } from 'listr2'
import { truncate } from './format.ts'
import { endLive, startLive } from './terminal.ts'

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

// biome-ignore lint/suspicious/noExplicitAny: listr2 types a task by its renderer, which is this one.
type Task = ListrTaskObject<any, any, any>

/**
 * listr2's tasks as a live list on stderr, one line each. Unlike listr2's own it gives way to questions and to lines
 * printed above it, and shows what matters when the list is longer than the terminal.
 */
export class LiveRenderer implements ListrRenderer {
  static readonly nonTTY = false
  static readonly rendererOptions = {}
  static readonly rendererTaskOptions = {}
  readonly #tasks: Task[]
  #frame = 0

  constructor(tasks: Task[]) {
    this.#tasks = tasks
  }

  render(): void {
    startLive({ lines: (columns, rows) => this.#lines(columns, rows) })
  }

  end(): void {
    const lines = this.#tasks.map((task) => renderTask(task, '·', process.stderr.columns || 80))
    endLive()
    process.stderr.write(`${lines.join('\n')}\n`)
  }

  #lines(columns: number, rows: number): string[] {
    this.#frame = (this.#frame + 1) % spinner.length
    const render = (task: Task) => renderTask(task, spinner[this.#frame]!, columns)
    if (this.#tasks.length <= rows) return this.#tasks.map(render)
    const shown = [...this.#tasks].sort((a, b) => urgency(a) - urgency(b)).slice(0, rows - 1)
    return [...shown.map(render), styleText('dim', `  and ${this.#tasks.length - shown.length} more`)]
  }
}

function urgency(task: Task): number {
  if (task.isStarted()) return 0
  if (task.hasFailed()) return 1
  return task.isCompleted() ? 3 : 2
}

function renderTask(task: Task, turning: string, columns: number): string {
  // Narrower by a cell than the terminal: a full line would wrap and spoil the count of lines.
  const title = truncate(task.title ?? '', columns - 3)
  if (task.hasFailed()) return `${styleText('red', '✖')} ${title}`
  if (task.isCompleted()) return `${styleText('green', '✔')} ${title}`
  return task.isStarted() ? `${styleText('cyan', turning)} ${title}` : styleText('dim', `· ${title}`)
}
