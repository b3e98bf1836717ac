import { Args, Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { type PredictEvent, type PredictResult, predict } from '../actions/predict.ts'
import { defaultDetector } from '../actions/resolve-pipeline.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import { annotateModes } from '../protocol/pipeline.ts'
import type { Summary } from '../runs/outputs.ts'
import { formatDuration, formatRate, printable } from '../ui/format.ts'
import { startProgress } from '../ui/progress.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

/** Failures named while a run goes on; the rest are in predictions.jsonl. */
const failuresShown = 20

export default class Predict extends BaseCommand {
  static override summary = 'Find the faces on images, on all nodes at once.'

  static override description =
    'Sends every image under PATH to the nodes and writes to OUT: an annotated copy of each under the same relative ' +
    'path, predictions.jsonl (a line per image) and summary.json, which --json prints. Without an inventory this ' +
    'machine does the work. The first Ctrl-C lets the images in work end, the second ends at once; what is written is ' +
    'whole.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> ./photos',
    '<%= config.bin %> <%= command.id %> ./photos --out ./found --hosts tag:lab --yes',
    '<%= config.bin %> <%= command.id %> one.jpg two.png --detector ultraface-320 --score-threshold 0.7 --json',
  ]

  static override strict = false

  static override args = {
    path: Args.string({ required: true, description: 'Folder or image; several may be given.' }),
  }

  static override flags = {
    out: Flags.string({
      char: 'o',
      helpValue: 'DIR',
      description: 'Folder of the outputs; default beside a lone PATH, named PATH-predicted.',
    }),
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes to use; default all.' }),
    detector: Flags.string({ helpValue: 'NAME', default: defaultDetector, description: 'Model that finds faces.' }),
    'score-threshold': Flags.string({
      helpValue: '0..1',
      description: 'Lowest score of a face; default: the model’s.',
    }),
    embeddings: Flags.boolean({ description: 'Add each face’s embedding to predictions.jsonl.' }),
    annotate: Flags.option({ options: annotateModes })({
      default: 'preview',
      description: 'Annotated copies: preview (long edge at most 2048), full (original size) or none.',
    }),
    'max-megapixels': Flags.integer({ min: 1, max: 1000, default: 100, description: 'Largest image accepted.' }),
    audit: Flags.string({
      helpValue: 'PERCENT',
      default: '0.5',
      description: 'Share of images that a second node looks at, too; a disagreement is decided by a third.',
    }),
    wait: Flags.boolean({ description: 'Wait until a node can be used instead of ending with exit code 4.' }),
  }

  async run(): Promise<Summary> {
    const { flags, argv } = await this.parse(Predict)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const view = new RunView()
    const result = await predict(
      {
        inventory,
        paths: argv as string[],
        out: flags.out,
        hosts: flags.hosts ?? [],
        detector: flags.detector,
        scoreThreshold: parseThreshold(flags['score-threshold']),
        embeddings: flags.embeddings,
        annotate: flags.annotate,
        maxPixels: flags['max-megapixels'] * 1_000_000,
        wait: flags.wait,
        audit: parsePercent(flags.audit),
      },
      ctx,
      (event) => view.show(event),
    ).finally(() => view.close())
    return this.#report(result)
  }

  #report({ summary, out, ended }: PredictResult): Summary {
    const { done, failed, quarantined, pending, seconds, imagesPerSecond } = summary
    const time = `${formatDuration(seconds * 1000)}, ${formatRate(imagesPerSecond)} images/s`
    const rest = [
      failed && `${failed} failed`,
      quarantined && `${quarantined} quarantined`,
      pending && `${pending} pending`,
    ]
    this.log([`${done} done`, ...rest.filter(Boolean), time].join(' · '))
    this.log(out)
    if (ended && ended.code !== 'CPN_ERR_INTERRUPTED') throw ended
    if (ended) this.exitWith(exitCodes.interrupted)
    else if (failed + quarantined + pending > 0) this.exitWith(exitCodes.partial)
    return summary
  }
}

function parseThreshold(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new CpnError('CPN_ERR_USAGE', `--score-threshold ${text} is not a number from 0 to 1`, {
    suggestions: ['Give for example: --score-threshold 0.6'],
  })
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
  #progress: ReturnType<typeof startProgress> | undefined
  #finished = 0
  #failed = 0
  #total: number | undefined

  show(event: PredictEvent): void {
    if (event.type === 'begin') {
      printLine(`run ${event.run} on ${event.usable.join(', ') || 'no node yet'}`)
      this.#progress = startProgress({ unit: 'images', total: this.#total })
    } else if (event.type === 'found') {
      this.#total = event.inputs
      this.#progress?.update(this.#finished, { total: event.inputs, failed: this.#failed })
    } else if (event.type === 'finished') {
      this.#finish(event.input)
    } else if (event.waiting) {
      printLine('no node can be used now; the run waits until one is back (Ctrl-C ends it, nothing is lost)')
    } else {
      printLine('a node is back; the run goes on')
    }
  }

  async close(): Promise<void> {
    await this.#progress?.end(`${this.#finished} ${this.#finished === 1 ? 'image' : 'images'} looked at`)
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
