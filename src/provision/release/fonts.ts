import { basename, extname } from 'node:path'

/** A font file in a package of npm. */
export interface Font {
  package: string
  file: string
  licence: string
}

/** Scripts of states' languages that DejaVu Sans lacks, or has in part, by their names in packages and in files. */
const scripts = {
  arabic: 'Arabic',
  bengali: 'Bengali',
  devanagari: 'Devanagari',
  ethiopic: 'Ethiopic',
  gujarati: 'Gujarati',
  gurmukhi: 'Gurmukhi',
  kannada: 'Kannada',
  khmer: 'Khmer',
  malayalam: 'Malayalam',
  myanmar: 'Myanmar',
  oriya: 'Oriya',
  sinhala: 'Sinhala',
  tamil: 'Tamil',
  telugu: 'Telugu',
  thaana: 'Thaana',
  thai: 'Thai',
}

/** What labels are drawn in, names of people in any script among them: one weight of each, and nothing twice. */
export const fonts: Font[] = [
  // Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Lao, Tifinagh, N'Ko, Canadian syllabics.
  { package: 'dejavu-fonts-ttf', file: 'ttf/DejaVuSans.ttf', licence: 'LICENSE' },
  ...Object.entries(scripts).map(([name, file]) => google(`noto-sans-${name}`, `NotoSans${file}`)),
  google('noto-serif-tibetan', 'NotoSerifTibetan'),
  google('noto-emoji', 'NotoEmoji'),
  // Kana and kanji; hanzi, simplified and traditional; hangul.
  { package: '@embedpdf/fonts-jp', file: 'fonts/NotoSansJP-Regular.otf', licence: 'LICENSE' },
  { package: '@embedpdf/fonts-sc', file: 'fonts/NotoSansHans-Regular.otf', licence: 'LICENSE' },
  { package: '@embedpdf/fonts-kr', file: 'fonts/NotoSansKR-Regular.otf', licence: 'LICENSE' },
]

function google(family: string, file: string): Font {
  const regular = `400Regular/${file}_400Regular.ttf`
  return { package: `@expo-google-fonts/${family}`, file: regular, licence: 'LICENSE_FONT' }
}

/** Paths of a font and of its licence in a release. */
export function fontPaths({ file }: Font): { font: string; licence: string } {
  const name = basename(file)
  return { font: `fonts/${name}`, licence: `fonts/${basename(name, extname(name))}-LICENSE` }
}
