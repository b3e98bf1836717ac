const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** What stands in a direction isolate, i.e. a name, and what stands around it. */
const parts = /^(.*?\u2068)(.*)(\u2069.*)$/su

/**
 * A label's name cut after each of its characters, from the shortest to the longest, an ellipsis in place of the rest. What
 * stands behind a name stays; a label without a name is cut as a whole. What a reader takes for one character stays whole.
 */
export function shortenings(label: string): string[] {
  const [, before = '', name = label, after = ''] = parts.exec(label) ?? []
  const cuts = [0, ...Array.from(characters.segment(name), ({ index }) => index).slice(1)]
  return cuts.map((at) => `${before}${name.slice(0, at).trimEnd()}…${after}`)
}
