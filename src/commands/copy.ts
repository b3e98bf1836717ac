import { Args } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openCopier } from '../actions/transfer/copy.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import { printable } from '../ui/format.ts'
import { printLine } from '../ui/terminal.ts'
import { TransferCommand, type TransferJson } from './base-transfer.ts'

export default class Copy extends TransferCommand {
  static override summary = 'Copy files and folders to hosts.'

  static override description =
    'Works like `cp -r`: into PATH where it is a folder, else under that name; without a leading / it is below the home. ' +
    'Every file is compared with its digest on the host before it gets its name. Modes and times are kept, links are ' +
    'followed. Run it again to continue an interrupted copy.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> model.onnx node1:/tmp',
    "<%= config.bin %> <%= command.id %> notes.txt ./photos 'tag:lab,!node4:data'",
  ]

  static override strict = false

  static override args = {
    file: Args.string({ required: true, description: 'Files and folders; several may be given.' }),
    target: Args.string({
      required: true,
      description: 'Hosts and a path there, PATTERN:PATH, e.g. node1:/tmp, all:data.',
    }),
  }

  async run(): Promise<TransferJson> {
    const { flags, argv } = await this.parse(Copy)
    const files = argv.slice(0, -1) as string[]
    const target = argv.at(-1) as string
    if (files.length === 0) throw new CpnError('CPN_ERR_USAGE', 'say what to copy, then PATTERN:PATH')
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    await using copier = await openCopier({ inventory, files, target }, ctx)
    for (const line of copier.skipped) printLine(printable(`not copied: ${line}`))
    if (copier.skipped.length > 0) this.exitWith(exitCodes.partial)
    const { hosts, copy } = copier
    return this.transfer({ title: 'copying', parallel: flags.parallel, hosts, run: copy })
  }
}
