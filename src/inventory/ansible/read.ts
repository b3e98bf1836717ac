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
    if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_INVENTORY_MISSING') throw error
    const options = { cause: error, suggestions: ['Give the path of an Ansible inventory: --ansible FILE'] }
    throw new CpnError('CPN_ERR_INVENTORY_READ', `there is no file ${shortPath(path)}`, options)
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
  const tags = groups.length > 0 ? groups.map(tagOf) : undefined
  const ofSsh = {
    address: one('ansible_host', 'ansible_ssh_host') ?? name,
    port: port === undefined ? undefined : Number(port),
    user: one('ansible_user', 'ansible_ssh_user'),
    identityFile: identityFile?.startsWith('~') ? identityFile : identityFile && resolve(folder, identityFile),
    jump: jumpIn(one('ansible_ssh_common_args')) ?? jumpIn(one('ansible_ssh_extra_args')),
  }
  const settings = connection === 'local' ? { transport: 'local', tags } : { ...ofSsh, tags }
  return { alias: name, settings, ...faultOf(connection, settings) }
}

function faultOf(connection: string, settings: object): { fault?: string } {
  if (!['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'local', 'ansible.builtin.ssh'].includes(connection)) {
    return { fault: `Ansible reaches it by ${connection}, not by SSH` }
  }
  const template = Object.values(settings).find((value) => /\{\{|\{%/.test(String(value)))
  return template === undefined ? {} : { fault: `a value is a template: ${template}` }
}

function textOf(variables: Variables, keys: string[]): string | undefined {
  const value = keys.map((key) => variables[key]).find((each) => each !== undefined && each !== null && each !== '')
  return value === undefined ? undefined : String(value)
}

// Group names may have letters that tags have not.
const tagOf = (group: string): string => group.replaceAll(/[^\w.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'group'

function jumpIn(args = ''): string | undefined {
  return /(?:^|\s)(?:-J\s*|-o\s*["']?ProxyJump[= ]\s*)([^\s"']+)/i.exec(args)?.[1]
}
