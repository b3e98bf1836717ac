import { Flags } from '@oclif/core'
import { type PredictEvent, type PredictOptions, type PredictResult, predict } from '../actions/predict/predict.ts'
import type { Context } from '../common/context.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import type { Summary } from '../runs/outputs.ts'
import { formatDuration, formatRate, printable } from '../ui/format.ts'
import { startProgress } from '../ui/progress.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

/** Failures named while a run goes on; the rest are in predictions.jsonl. */
const failuresShown = 20

/** How a run goes on, whether it is a new one or not. */
export interface RunFlags {
  wait: boolean
  verify: boolean
  retry: boolean
  quiet: boolean
  /** Percentage of images that a second node looks at, too. */
  audit: string
}

/** A command that lets a run work, shows how far it is and what came of it. */
export abstract class BaseRun extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    wait: Flags.boolean({ description: 'Wait until a node can be used instead of ending with exit code 4.' }),
    verify: Flags.boolean({
      description: 'Recognise finished images by their content, not by size and times; reads all of them.',
    }),
    retry: Flags.boolean({ description: 'Do images anew that failed or were quarantined.' }),
    audit: Flags.string({
      helpValue: 'PERCENT',
      default: '0.5',
      description: 'Share of images that a second node looks at, too; a disagreement is decided by a third.',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'Show errors and one line of results only.' }),
  }

  /** What the run's action gets: with --quiet nothing is said but errors. */
  protected runContext({ quiet }: RunFlags): Context {
    const ctx = this.context()
    return quiet ? { ...ctx, notice: () => {} } : ctx
  }

  protected async work(options: Omit<PredictOptions, keyof RunFlags>, flags: RunFlags, ctx: Context): Promise<Summary> {
    const audit = parsePercent(flags.audit)
    const view = new RunView(flags.quiet)
    const { wait, verify, retry } = flags
    const show = (event: PredictEvent) => view.show(event)
    const result = await predict({ ...options, wait, verify, retry, audit }, ctx, show).finally(() => view.close())
    return this.#report(result, flags.quiet)
  }

  #report({ summary, out, ended }: PredictResult, quiet: boolean): Summary {
    const { done, failed, quarantined, skipped, pending, unwritten = 0, instead, seconds, imagesPerSecond } = summary
    const time = `${formatDuration(seconds * 1000)}, ${formatRate(imagesPerSecond)} images/s`
    const rest = [
      skipped && `${skipped} skipped`,
      failed && `${failed} failed`,
      quarantined && `${quarantined} quarantined`,
      pending && `${pending} pending`,
      unwritten && `${unwritten} results not written`,
      instead && `by ${instead.pipeline}`,
    ]
    const line = [`${done} done`, ...rest.filter(Boolean), time].join(' · ')
    for (const each of quiet ? [`${line} · ${out}`] : [line, out]) this.log(each)
    if (ended && ended.code !== 'CPN_ERR_INTERRUPTED') throw ended
    if (ended) this.exitWith(exitCodes.interrupted)
    else if (failed + quarantined + pending + unwritten > 0) this.exitWith(exitCodes.partial)
    return summary
  }
}

function parsePercent(text: string): number {
  const value = Number(text.replace(/%$/, ''))
  if (/^[\d.]+%?$/.test(text) && value >= 0 && value <= 100) return value / 100
  throw new CpnError('CPN_ERR_USAGE', `--audit ${text} is not a percentage from 0 to 100`, {
    suggestions: ['Give for example: --audit 2'],
  })
}

/** Shows a run's events on stderr. */
class RunView {
  readonly #quiet: boolean
  #progress: ReturnType<typeof startProgress> | undefined
  #finished = 0
  #failed = 0
  #total: number | undefined

  constructor(quiet: boolean) {
    this.#quiet = quiet
  }

  show(event: PredictEvent): void {
    if (event.type === 'begin') {
      const what = event.epoch === 1 ? `run ${event.run}` : `run ${event.run}, continued,`
      this.#tell(`${what} on ${event.usable.join(', ') || 'no node yet'}`)
      if (!this.#quiet) this.#progress = startProgress({ unit: 'images', total: this.#total })
    } else if (event.type === 'found') {
      this.#total = event.inputs - event.skipped
      const text = event.skipped > 0 ? `${event.skipped.toLocaleString('en')} skipped` : ''
      this.#progress?.update(this.#finished, { total: this.#total, failed: this.#failed, text })
    } else if (event.type === 'finished') {
      this.#finish(event.input)
    } else if (event.type === 'grouping') {
      this.#progress?.update(this.#finished, {
        text: `unknown faces are being grouped: ${Math.floor(event.done * 100)} %`,
      })
    } else if (event.waiting) {
      this.#tell('no node can be used now; the run waits until one is back (Ctrl-C ends it, nothing is lost)')
    } else {
      this.#tell('a node is back; the run goes on')
    }
  }

  async close(): Promise<void> {
    await this.#progress?.end(`${this.#finished} ${this.#finished === 1 ? 'image' : 'images'} looked at`)
  }

  #tell(line: string): void {
    if (!this.#quiet) printLine(line)
  }

  #finish({ name, error }: Extract<PredictEvent, { type: 'finished' }>['input']): void {
    this.#finished++
    if (error) {
      this.#failed++
      if (this.#failed <= failuresShown) printLine(printable(`${name}: ${error.message} (${error.code})`))
      if (this.#failed === failuresShown + 1) printLine('more failures are in predictions.jsonl')
    }
    this.#progress?.update(this.#finished, { failed: this.#failed })
  }
}
