import { Args, Flags } from '@oclif/core'
import { type AddedHost, addHost } from '../../actions/hosts/add-host.ts'
import type { Host } from '../../inventory/inventory.ts'
import { BaseCommand } from '../base.ts'

export default class HostsAdd extends BaseCommand {
  static override summary = 'Add a host to the inventory.'

  static override description =
    'The key of the host is fetched first and shown by its fingerprint. Only a key that you accept is recorded, and only then is the inventory written; it is created when there is none.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node1 --address 192.0.2.11 --user cpn',
    '<%= config.bin %> <%= command.id %> node2 --address 10.0.0.12 --jump bastion --tag lab --tag gpu',
    '<%= config.bin %> <%= command.id %> node3 --address 192.0.2.13 --host-key SHA256:uNiVztksCsDhcc0u9e8BrwRkRN4LfSqFnLJTjZ3h8gE',
    '<%= config.bin %> <%= command.id %> node4 --address 192.0.2.14 --copy-key',
    '<%= config.bin %> <%= command.id %> here --transport local',
  ]

  static override args = {
    name: Args.string({ required: true, description: 'what to call the host: a-z, 0-9 and -' }),
  }

  static override flags = {
    address: Flags.string({ helpValue: 'A', description: 'address, host name or ssh_config alias; default NAME' }),
    port: Flags.integer({
      helpValue: 'N',
      min: 1,
      max: 65535,
      description: "SSH port; default ~/.ssh/config's, else 22",
    }),
    user: Flags.string({ helpValue: 'NAME', description: "login; default ~/.ssh/config's, else yours" }),
    'identity-file': Flags.string({ helpValue: 'FILE', description: 'private key to log in with' }),
    jump: Flags.string({ helpValue: 'HOST', description: 'host to go through; several with commas, outermost first' }),
    tag: Flags.string({
      helpValue: 'TAG',
      multiple: true,
      multipleNonGreedy: true,
      description: 'tag for tag:… patterns; may be repeated',
    }),
    'remote-dir': Flags.string({ helpValue: 'DIR', description: 'folder of cpn there; default ~/.cpn' }),
    workers: Flags.string({ helpValue: 'N|auto', description: 'worker processes; default auto' }),
    transport: Flags.option({ options: ['ssh', 'local'] as const, description: 'local is this machine' })(),
    provision: Flags.boolean({
      allowNo: true,
      default: true,
      description: 'whether it becomes a node; --no-provision for a host that only leads to others',
    }),
    'host-key': Flags.string({
      helpValue: 'SHA256:…',
      exclusive: ['trust-on-first-use'],
      description: 'fingerprint that its key has to have',
    }),
    'trust-on-first-use': Flags.boolean({ description: 'accept the key it shows, if no other is known' }),
    'copy-key': Flags.boolean({
      description: 'put the public key of --identity-file, or your default one, into authorized_keys there',
    }),
  }

  async run(): Promise<AddedHost> {
    const { args, flags } = await this.parse(HostsAdd)
    const { inventory, yes, 'host-key': hostKey, 'trust-on-first-use': trustOnFirstUse } = flags
    const trust = { hostKey, trustOnFirstUse, yes }
    const wanted = { inventory, name: args.name, settings: settingsOf(flags), copyKey: flags['copy-key'] }
    const added = await addHost({ ...wanted, ...trust }, this.context())
    this.log(render(added))
    return added
  }
}

interface AddFlags extends Pick<Partial<Host>, 'address' | 'port' | 'user' | 'jump' | 'transport' | 'provision'> {
  'identity-file'?: string
  'remote-dir'?: string
  tag?: string[]
  workers?: string
}

// What is as it would be anyway is left out of the inventory.
function settingsOf(flags: AddFlags): Partial<Host> {
  const { address, port, user, jump, transport, provision, tag, workers, 'identity-file': identityFile } = flags
  const { 'remote-dir': remoteDir } = flags
  return {
    transport: transport === 'local' ? transport : undefined,
    address,
    port,
    user,
    identityFile,
    jump,
    remoteDir,
    tags: tag,
    workers: workers === undefined || workers === 'auto' ? (workers as 'auto' | undefined) : Number(workers),
    provision: provision ? undefined : false,
  }
}

function render({ host, added, inventory, hostKey, copiedKey }: AddedHost): string {
  const key = hostKey ? ` with its key ${hostKey.type} ${hostKey.fingerprint}` : ''
  const line = added ? `Added ${host.name}${key} to ${inventory}` : `Kept ${host.name}${key} as it is in ${inventory}`
  if (!copiedKey) return line
  const { path, fingerprint } = copiedKey
  return `${line}\n${copiedKey.added ? 'Copied' : 'It had'} the key ${path} (${fingerprint}), which logs in there`
}
