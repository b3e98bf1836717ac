import { type AnsibleGroups, addHostTo, groupIn, type Variables } from './groups.ts'
import { expandHostRange } from './host-range.ts'

/**
 * Groups out of an inventory in INI form.
 * @throws SyntaxError that names the line
 */
export function parseAnsibleIni(text: string): AnsibleGroups {
  const groups: AnsibleGroups = new Map()
  let section = { group: 'ungrouped', kind: 'hosts' }
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw)
    if (line === '') continue
    const header = /^\[([^\]:]+)(?::(\w+))?\]$/.exec(line)
    if (header) section = { group: header[1]!.trim(), kind: header[2] ?? 'hosts' }
    else if (!readLine(groups, section, line)) throw new SyntaxError(`line ${index + 1} is not understood: ${line}`)
    groupIn(groups, section.group)
  }
  return groups
}

function readLine(
  groups: AnsibleGroups,
  { group: name, kind }: { group: string; kind: string },
  line: string,
): boolean {
  const group = groupIn(groups, name)
  const tokens = tokensOf(line)
  if (kind === 'children') group.children.add(tokens[0]!)
  else if (kind === 'vars') Object.assign(group.variables, variablesOf([line]))
  else if (kind === 'hosts') {
    const [pattern = '', ...settings] = tokens
    if (pattern.includes('=') || settings.some((setting) => !setting.includes('='))) return false
    const { host, port } = splitPort(pattern)
    const variables = { ...(port !== undefined && { ansible_port: port }), ...variablesOf(settings) }
    for (const each of expandHostRange(host)) addHostTo(group, each, variables)
  }
  return ['hosts', 'children', 'vars'].includes(kind)
}

// `host:22`, but neither the colon of a range nor those of an IPv6 address.
function splitPort(pattern: string): { host: string; port?: number } {
  const match = /^((?:\[[^\]]*\]|[^:[])+):(\d+)$/.exec(pattern)
  return match ? { host: match[1]!, port: Number(match[2]) } : { host: pattern }
}

function withoutComment(line: string): string {
  return /^\s*[#;]/.test(line) ? '' : line.replace(/\s#(?=(?:[^"']|"[^"]*"|'[^']*')*$).*$/, '').trim()
}

const variablesOf = (settings: string[]): Variables =>
  Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf('=')
      return [setting.slice(0, at).trim(), unquoted(setting.slice(at + 1).trim())]
    }),
  )

const unquoted = (value: string): string => /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value

/** Words as a shell would split them; quotes may stand in the middle of a word. */
function tokensOf(line: string): string[] {
  const words = line.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'])+/g) ?? []
  return words.map((word) => word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_all, a?: string, b?: string) => a ?? b!))
}
