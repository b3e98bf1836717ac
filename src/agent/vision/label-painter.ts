import { dirname } from 'node:path'
import type { Mask } from './draw.ts'
import { sharp } from './sharp.ts'

/** Masks kept at most: scores times font sizes stay far below. */
const cacheSize = 4096

/** Writes labels with one font. */
export class LabelPainter {
  readonly #font: string
  readonly #masks = new Map<string, Mask>()

  /** @param font absolute path of a TrueType file in a folder without fontconfig settings */
  constructor(font: string) {
    this.#font = font
    // An empty configuration: the font comes as a file, and a host without fontconfig is not complained about.
    process.env.FONTCONFIG_FILE = dirname(font)
  }

  /** A text in white on nothing. @param size height of the font in pixels */
  async mask(text: string, size: number): Promise<Mask> {
    const key = `${size} ${text}`
    const known = this.#masks.get(key)
    if (known) return known
    if (this.#masks.size >= cacheSize) this.#masks.clear()
    const mask = await this.#render(text, size)
    this.#masks.set(key, mask)
    return mask
  }

  async #render(text: string, size: number): Promise<Mask> {
    // 72 points an inch make a point a pixel.
    const source = { text: escapeMarkup(text), font: `DejaVu Sans ${size}`, fontfile: this.#font, dpi: 72 }
    const { data, info } = await sharp({ text: source }).raw().toBuffer({ resolveWithObject: true })
    const cover = new Uint8Array(info.width * info.height)
    for (let i = 0; i < cover.length; i++) cover[i] = data[i * info.channels]!
    return { data: cover, width: info.width, height: info.height }
  }
}

/** Labels are read as Pango markup. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
