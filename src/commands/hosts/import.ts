import { Args, Flags } from '@oclif/core'
import { type ImportedHosts, importHosts } from '../../actions/hosts/import-hosts.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class HostsImport extends BaseCommand {
  static override summary = 'Add the hosts of an ssh_config or of an Ansible inventory.'

  static override description =
    'Shows what would be added and asks; --yes answers. From an ssh_config come the hosts without wildcards, from an Ansible inventory (INI or YAML) all hosts, with their groups as tags. Hosts that the inventory has already are left alone. Importing trusts no key: accept each with `hosts add NAME`, or take what all of them show with --trust-on-first-use, which ends with exit code 4 when the key of some host could not be taken.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --ssh-config',
    '<%= config.bin %> <%= command.id %> --ssh-config ./lab.ssh_config --yes',
    '<%= config.bin %> <%= command.id %> --ansible hosts.ini --trust-on-first-use',
  ]

  static override args = {
    file: Args.string({ description: 'file for --ssh-config; default ~/.ssh/config' }),
  }

  static override flags = {
    'ssh-config': Flags.boolean({
      exactlyOne: ['ssh-config', 'ansible'],
      description: 'take the hosts of FILE, or of ~/.ssh/config',
    }),
    ansible: Flags.string({ helpValue: 'FILE', description: 'take the hosts of this Ansible inventory' }),
    'trust-on-first-use': Flags.boolean({ description: 'accept the keys they show, where no other is known' }),
  }

  async run(): Promise<ImportedHosts> {
    const { args, flags } = await this.parse(HostsImport)
    const { inventory, ansible, 'trust-on-first-use': trustOnFirstUse } = flags
    if (ansible !== undefined && args.file !== undefined) this.error(`Unexpected argument: ${args.file}`)
    const from =
      ansible === undefined
        ? { kind: 'ssh-config' as const, file: args.file }
        : { kind: 'ansible' as const, file: ansible }
    const imported = await importHosts({ inventory, from, trustOnFirstUse }, this.context())
    this.log(render(imported, trustOnFirstUse))
    if (imported.keyless.length > 0) this.exitWith(exitCodes.noHost)
    return imported
  }
}

function render({ added, inventory, keys, keyless }: ImportedHosts, trusted: boolean): string {
  const names = Object.keys(added)
  const ssh = names.filter((name) => added[name]!.transport !== 'local')
  const lines = [names.length === 0 ? 'There is no host to add.' : `Added ${names.join(', ')} to ${inventory}`]
  if (keys.length > 0) lines.push(`Took the keys of ${keys.map(({ name }) => name).join(', ')}`)
  for (const { name, message, code } of keyless) lines.push(`${name}: no key was taken: ${message} (${code})`)
  if (!trusted && ssh.length > 0) {
    lines.push(`Their keys are not trusted yet. Accept each: cpn hosts add ${ssh[0]}`)
    lines.push('Or import again with --trust-on-first-use, on a network you trust.')
  }
  return lines.map(printable).join('\n')
}
