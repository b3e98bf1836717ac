export { formatBytes, formatDuration, formatRate } from '../common/format.ts'

const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const wide =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Text from hosts and files made harmless for a terminal: control characters and text direction marks are escaped. */
export function printable(text: string): string {
  return text.replace(unprintable, (char) => {
    const code = char.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Cells that printable text takes on a terminal. */
export function displayWidth(text: string): number {
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += wide.test(segment) ? 2 : 1
  return cells
}

/** Text cut to so many cells; an ellipsis stands for what is missing. */
export function truncate(text: string, cells: number): string {
  if (displayWidth(text) <= cells) return text
  let kept = ''
  for (const { segment } of graphemes.segment(text)) {
    if (displayWidth(kept + segment) > cells - 1) break
    kept += segment
  }
  return `${kept}…`
}
