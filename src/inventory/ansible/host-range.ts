/** Hosts that one range may stand for, and all ranges of a name together. */
export const maxRangeHosts = 10_000

/**
 * The hosts that a name with ranges means: `node[01:12]`, `db-[a:f]`, `n[0:10:2]`; a name without any means itself.
 * @throws RangeError when they are more than `maxRangeHosts`
 */
export function expandHostRange(pattern: string): string[] {
  const match = /^([^[]*)\[(\w*):(\w+)(?::(\d+))?\](.*)$/.exec(pattern)
  if (!match) return [pattern]
  const [, before = '', first = '', last = '', step = '1', after = ''] = match
  const values = valuesOf(first || '0', last, Number(step))
  if (!values) return [pattern]
  const rest = expandHostRange(after)
  if (values.length * rest.length > maxRangeHosts) throw tooMany(pattern)
  return values.flatMap((value) => rest.map((end) => before + value + end))
}

function valuesOf(first: string, last: string, step: number): string[] | undefined {
  if (step < 1) return undefined
  if (/^\d+$/.test(first) && /^\d+$/.test(last)) {
    const width = first.startsWith('0') ? first.length : 0
    return count(Number(first), Number(last), step).map((value) => `${value}`.padStart(width, '0'))
  }
  if (!/^[A-Za-z]$/.test(first) || !/^[A-Za-z]$/.test(last)) return undefined
  return count(first.charCodeAt(0), last.charCodeAt(0), step).map((code) => String.fromCharCode(code))
}

function count(first: number, last: number, step: number): number[] {
  const length = Math.max(0, Math.floor((last - first) / step) + 1)
  if (length > maxRangeHosts) throw tooMany(`${first}:${last}`)
  return Array.from({ length }, (_, index) => first + index * step)
}

const tooMany = (range: string): RangeError =>
  new RangeError(`the range ${range} stands for more than ${maxRangeHosts} hosts`)
