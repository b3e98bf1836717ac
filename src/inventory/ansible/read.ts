import { dirname, resolve } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import type { ForeignHost } from '../foreign-host.ts'
import { readInventoryText, shortPath } from '../source.ts'
import { type AnsibleGroups, type AnsibleHost, hostsOf, type Variables } from './groups.ts'
import { parseAnsibleIni } from './parse-ini.ts'
import { parseAnsibleYaml } from './parse-yaml.ts'

/**
 * The hosts of an Ansible inventory at `file`, INI or YAML; groups are their tags. Ends with CPN_ERR_INVENTORY_READ or
 * CPN_ERR_INVENTORY_SYNTAX.
 */
export async function readAnsibleInventory(file: string): Promise<ForeignHost[]> {
  const path = resolve(file)
  const text = await readInventoryText(path).catch((error: unknown) => {
    if (!(error instanceof CpnError)) throw error
    const isMissing = error.code === 'CPN_ERR_INVENTORY_MISSING'
    const message = isMissing ? `there is no file ${shortPath(path)}` : error.message
    const suggestions = ['Give the path of an Ansible inventory, INI or YAML: --ansible FILE']
    throw new CpnError('CPN_ERR_INVENTORY_READ', message, { cause: error, suggestions })
  })
  return hostsOf(parsed(text, path)).map((host) => foreignHost(host, dirname(path)))
}

function parsed(text: string, file: string): AnsibleGroups {
  try {
    return isYaml(text, file) ? parseAnsibleYaml(text) : parseAnsibleIni(text)
  } catch (cause) {
    throw new CpnError('CPN_ERR_INVENTORY_SYNTAX', `${shortPath(file)}: ${(cause as Error).message}`, {
      cause,
      suggestions: [`Correct it until Ansible reads it: ansible-inventory -i ${shortPath(file)} --list`],
    })
  }
}

function isYaml(text: string, file: string): boolean {
  if (/\.(ya?ml|json)$/i.test(file)) return true
  const first = text.split('\n').find((line) => !/^\s*([#;].*)?$/.test(line)) ?? ''
  return /^(---|\{)|^[\w-]+:\s*(#.*)?$/.test(first.trim())
}

function foreignHost({ name, groups, variables }: AnsibleHost, folder: string): ForeignHost {
  const one = (...keys: string[]): string | undefined => textOf(variables, keys)
  const connection = one('ansible_connection') ?? 'ssh'
  const identityFile = one('ansible_ssh_private_key_file', 'ansible_private_key_file')
  const port = one('ansible_port', 'ansible_ssh_port')
  const args = ['ansible_ssh_common_args', 'ansible_ssh_extra_args'].map((key) => one(key) ?? '').join(' ')
  const tags = groups.length > 0 ? groups.map(tagOf) : undefined
  const ofSsh = {
    address: one('ansible_host', 'ansible_ssh_host') ?? name,
    port: port === undefined || Number.isNaN(Number(port)) ? port : Number(port),
    user: one('ansible_user', 'ansible_ssh_user'),
    identityFile: identityFile?.startsWith('~') ? identityFile : identityFile && resolve(folder, identityFile),
    jump: jumpIn(args),
  }
  const settings = connection === 'local' ? { transport: 'local', tags } : { ...ofSsh, tags }
  return { alias: name, settings, ...faultOf(connection, settings, args) }
}

function faultOf(connection: string, settings: ForeignHost['settings'], args: string): { fault?: string } {
  if (!['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'local', 'ansible.builtin.ssh'].includes(connection)) {
    return { fault: `Ansible reaches it by ${connection}, not by SSH` }
  }
  const template = Object.values(settings).find((value) => /\{\{|\{%/.test(String(value)))
  if (template !== undefined) return { fault: `a value is a template: ${template}` }
  if (connection === 'local' || settings.jump !== undefined || !/ProxyCommand/i.test(args)) return {}
  return { fault: 'it is reached by a ProxyCommand, which is not supported' }
}

function textOf(variables: Variables, keys: string[]): string | undefined {
  const value = keys.map((key) => variables[key]).find((each) => each !== undefined && each !== null && each !== '')
  return value === undefined ? undefined : String(value)
}

// Group names may have letters that tags have not.
const tagOf = (group: string): string => group.replaceAll(/[^\w.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'group'

/** The jump host of ssh's options; a ProxyCommand that does no more than to jump is one, too. */
function jumpIn(args: string): string | undefined {
  const jump = /(?:^|\s)(?:-J\s*|-o\s*["']?ProxyJump[= ]\s*)([^\s"']+)/i
  const command = /-o\s*["']?ProxyCommand[= ]\s*["']?ssh\s+(?:-q\s+|-W\s*%h:%p\s+)+([^\s"'-][^\s"']*)["']*(?:\s|$)/i
  return jump.exec(args)?.[1] ?? command.exec(args)?.[1]
}
