import { CpnError } from '../common/errors.ts'

/** One part of a selection, as written between commas. */
export interface Pattern {
  source: string
  exclude: boolean
  kind: 'all' | 'tag' | 'name' | 'match'
  /** The tag, the name, or the source of a match; without `!` and `tag:`. */
  text: string
  matches(host: { name: string; tags: string[] }): boolean
}

/** The patterns of several arguments; commas separate them, except within brackets. */
export function parsePatterns(args: string[]): Pattern[] {
  return args.flatMap((arg) => splitOutsideBrackets(arg)).map((source) => parsePattern(source.trim()))
}

function splitOutsideBrackets(arg: string): string[] {
  return arg.split(/,(?![^[]*\])/)
}

function parsePattern(source: string): Pattern {
  const exclude = source.startsWith('!')
  const text = exclude ? source.slice(1) : source
  if (text === '') throw badPattern(source, 'it is empty')
  if (text === 'all') return { source, exclude, kind: 'all', text, matches: () => true }
  if (text.startsWith('tag:')) {
    const tag = text.slice('tag:'.length)
    return { source, exclude, kind: 'tag', text: tag, matches: (host) => host.tags.includes(tag) }
  }
  if (!/[*?[\]]/.test(text)) return { source, exclude, kind: 'name', text, matches: (host) => host.name === text }
  const match = compile(text, source)
  return { source, exclude, kind: 'match', text, matches: (host) => match(host.name) }
}

type Check = (captured: string) => boolean

// Ranges become a captured number and a check, so that [1-999999999] costs no more than [1-2].
function compile(text: string, source: string): (name: string) => boolean {
  const checks: Check[] = []
  const body = text.replaceAll(/\[([^\]]*)\]|[\s\S]/g, (part, set: string | undefined) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    if (set === undefined) return part.replaceAll(/[^a-z0-9]/gi, '\\$&')
    const { expression, check } = compileSet(set, source)
    checks.push(check)
    return expression
  })
  if (/\\[[\]]/.test(body)) throw badPattern(source, 'a bracket is not closed')
  const expression = new RegExp(`^${body}$`)
  return (name) => {
    const captured = expression.exec(name)?.slice(1)
    return captured?.every((value, index) => checks[index]!(value)) ?? false
  }
}

function compileSet(set: string, source: string): { expression: string; check: Check } {
  const items = set.split(',').map((item) => item.trim())
  const numeric = items.every((item) => /^\d+(-\d+)?$/.test(item))
  if (!numeric && !items.every((item) => /^[a-z](-[a-z])?$/.test(item))) {
    throw badPattern(source, 'brackets hold numbers or letters, such as [2-9], [01-12], [1,3] or [a-c]')
  }
  const checks = items.map((item) => {
    const [low, high = low] = item.split('-') as [string, string?]
    if (numeric ? Number(low) > Number(high) : low > high) throw badPattern(source, `${item} runs backwards`)
    return numeric ? numberCheck(low, high) : (captured: string) => captured >= low && captured <= high
  })
  return {
    expression: numeric ? '(\\d+)' : '([a-z])',
    check: (captured) => checks.some((check) => check(captured)),
  }
}

// A leading zero fixes the width: [01-12] is 01 to 12, [1-12] is 1 to 12.
function numberCheck(low: string, high: string): Check {
  const width = /^0\d/.test(low) ? low.length : undefined
  return (captured) => {
    const written = width === undefined ? /^(0|[1-9]\d*)$/.test(captured) : captured.length === width
    return written && Number(captured) >= Number(low) && Number(captured) <= Number(high)
  }
}

function badPattern(source: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_USAGE', `"${source}" is no host pattern: ${reason}`, {
    suggestions: ["Use names, node[2-9], node*, tag:lab, all or '!node4', joined by commas."],
  })
}
