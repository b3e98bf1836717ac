import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import { calledAs } from '../demo/called-as.ts'
import { type DemoResult, runDemo } from '../demo/demo.ts'
import type { Score } from '../demo/score.ts'
import { endDemo } from '../demo/stage.ts'
import { printable } from '../ui/format.ts'
import { BaseCommand } from './base.ts'

export default class Demo extends BaseCommand {
  static override summary = 'Show cpn at work: three hosts on this machine, photos of people who do not exist.'

  static override description =
    'Needs no network and no configuration. The hosts are real SSH servers on loopback with keys of their own where ' +
    'OpenSSH’s server is installed, else this machine without SSH. Every command is shown, then run. The photos are drawn, ' +
    'so that it is known who is on them, which no node is told; how right the results are is said at the end. Nothing stays but OUT.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --keep       # leaves the fleet for playing',
    '<%= config.bin %> <%= command.id %> --end DIR    # ends what --keep has left',
  ]

  static override flags = {
    out: Flags.string({ char: 'o', helpValue: 'DIR', default: 'cpn-demo', description: 'Folder of the results.' }),
    keep: Flags.boolean({ description: 'Leave hosts and fleet running.' }),
    end: Flags.string({ helpValue: 'DIR', exclusive: ['keep'], description: 'End and remove what --keep has left.' }),
  }

  // Whatever a demo does it does in a fleet of its own.
  protected override readonly tellsLog = false

  async run(): Promise<DemoResult | { ended: string }> {
    const { flags } = await this.parse(Demo)
    if (flags.end !== undefined) {
      await endDemo(flags.end)
      this.log(printable(`${flags.end} is ended and removed`))
      return { ended: resolve(flags.end) }
    }
    const { signal, notice } = this.context()
    const json = this.jsonEnabled()
    const file = process.argv[1]!
    const options = {
      out: resolve(flags.out),
      keep: flags.keep,
      program: [process.execPath, file],
      stdout: json ? 2 : 1,
    } as const
    const say = json ? notice : (line: string) => this.log(printable(line))
    const result = await runDemo(options, signal, say)
    for (const line of lines(result, calledAs(file, process.env.PATH ?? ''))) this.log(printable(line))
    return result
  }
}

/** @param cpn as the person calls it */
function lines({ out, score, seconds, kept }: DemoResult, cpn: string): string[] {
  return [
    '',
    ...told(score),
    `look at it: ${out}/index.html`,
    `your own photos: ${cpn} predict DIR`,
    `${seconds} s`,
    ...(kept
      ? [
          '',
          'The fleet is yours to play with:',
          `  export CPN_INVENTORY=${kept.inventory}`,
          `  ${cpn} status`,
          'End it and remove all of it:',
          `  ${cpn} demo --end ${kept.folder}`,
        ]
      : []),
  ]
}

function told({ faces, names, strangers }: Score): string[] {
  const known = names.right + names.wrong + names.unnamed
  const unknown = strangers.named + strangers.unnamed
  return [
    `faces: ${faces.found} of ${faces.drawn} drawn ones found (${percent(faces.found, faces.drawn)}), ${faces.extra} more where nobody is`,
    `names: ${names.right} of ${known} right (${percent(names.right, known)}), ${names.wrong} wrong, ${names.unnamed} left without a name`,
    `strangers: ${strangers.unnamed} of ${unknown} left without a name (${percent(strangers.unnamed, unknown)}), ${strangers.named} named`,
  ]
}

const percent = (part: number, all: number) => `${all === 0 ? 0 : Math.round((part / all) * 1000) / 10} %`
