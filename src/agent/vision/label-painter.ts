import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mask } from './draw.ts'
import { sharp } from './sharp.ts'
import { shortenings } from './shorten-label.ts'

/** Masks kept at most: scores times font sizes stay far below. */
const cacheSize = 4096
/** Asked for every character in this order, then whatever font has it. Han in the forms that Japanese readers know. */
const families = 'DejaVu Sans, Noto Sans Japanese, Noto Sans S Chinese, Noto Sans Korean'
/** The first of them has Arabic letters, but not those of all its languages, and letters of two fonts do not join. */
const arabicFamilies = `Noto Sans Arabic, ${families}`
const arabic = /\p{Script=Arabic}[\p{Script=Arabic}\p{M}\u200c\u200d]*/gu
/** What labels read in, whatever script begins them. */
const leftToRight = '\u200e'

/** Writes labels, in any script that one of its fonts has. */
export class LabelPainter {
  readonly #fontsDir: string
  #loaded: Promise<void> | undefined
  readonly #masks = new Map<string, Mask>()

  /** @param fontsDir absolute path of a folder with TrueType and OpenType files and without fontconfig settings */
  constructor(fontsDir: string) {
    this.#fontsDir = fontsDir
    // An empty configuration: fonts come as files, the host's own do not count, and one without fontconfig is not
    // complained about.
    process.env.FONTCONFIG_FILE = fontsDir
  }

  /**
   * A text in white on nothing, shortened where it would be wider than `widest`; wider still where nothing helps.
   * @param size height of the font in pixels
   * @param widest pixels
   */
  async mask(text: string, size: number, widest = Number.POSITIVE_INFINITY): Promise<Mask> {
    const whole = await this.#remembered(`${size} ${text}`, () => this.#render(text, size))
    if (whole.width <= widest) return whole
    return this.#remembered(`${size} ${widest} ${text}`, () => this.#renderShortened(text, size, widest))
  }

  async #remembered(key: string, render: () => Promise<Mask>): Promise<Mask> {
    const known = this.#masks.get(key)
    if (known) return known
    if (this.#masks.size >= cacheSize) this.#masks.clear()
    const mask = await render()
    this.#masks.set(key, mask)
    return mask
  }

  /** The longest that fits, by halving; else the shortest. */
  async #renderShortened(text: string, size: number, widest: number): Promise<Mask> {
    const choices = shortenings(text)
    let best = await this.#render(choices[0]!, size)
    for (let low = 1, high = choices.length - 1; low <= high; ) {
      const middle = (low + high) >> 1
      const mask = await this.#render(choices[middle]!, size)
      if (mask.width <= widest) best = mask
      if (mask.width <= widest) low = middle + 1
      else high = middle - 1
    }
    return best
  }

  async #render(text: string, size: number): Promise<Mask> {
    this.#loaded ??= this.#load()
    await this.#loaded
    // 72 points an inch make a point a pixel.
    const source = { text: leftToRight + markupOf(text), font: `${families} ${size}`, dpi: 72 }
    const { data, info } = await sharp({ text: source }).raw().toBuffer({ resolveWithObject: true })
    const cover = new Uint8Array(info.width * info.height)
    for (let i = 0; i < cover.length; i++) cover[i] = data[i * info.channels]!
    return { data: cover, width: info.width, height: info.height }
  }

  /** A font that came with one text is there for all that follow; in one order, so that all workers choose alike. */
  async #load(): Promise<void> {
    const files = (await readdir(this.#fontsDir)).filter((name) => /\.[ot]tf$/.test(name)).sort()
    for (const file of files) {
      await sharp({ text: { text: '0', font: families, fontfile: join(this.#fontsDir, file) } })
        .raw()
        .toBuffer()
    }
  }
}

/** Labels are read as Pango markup. */
function markupOf(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return escaped.replaceAll(arabic, (word) => `<span font_family="${arabicFamilies}">${word}</span>`)
}
