import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Mask } from '../../../../src/agent/vision/draw.ts'
import { LabelPainter } from '../../../../src/agent/vision/label-painter.ts'
import { coverageOf } from '../../../helpers/font-coverage.ts'
import { folderOf, fontsFolder } from '../../../helpers/fonts.ts'
import { repositoryRoot } from '../../../helpers/shared.ts'

/** Names in scripts that the first font has, and in those that it lacks. */
const names = {
  first: {
    Latin: 'Zoë Ångström Nguyễn',
    Greek: 'Ελένη Παπαδοπούλου',
    Cyrillic: 'Юрий Щёголев Ґудзь',
    Armenian: 'Նարե Հակոբյան',
    Georgian: 'ნინო ბერიძე',
    Hebrew: 'דוד בֶּן־גוריון',
    Lao: 'ສົມພອນ ຫຼວງ',
    Tifinagh: 'ⴰⵎⵣⵢⴰⵏ',
  },
  others: {
    Arabic: 'محمد علي',
    Urdu: 'عمران ٹیپو گل ہے',
    Devanagari: 'नरेन्द्र कृष्ण श्री',
    Bengali: 'সৌম্য চৌধুরী',
    Gurmukhi: 'ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ',
    Gujarati: 'કૃષ્ણ પટેલ',
    Oriya: 'ସୁଭାଷ ଚନ୍ଦ୍ର',
    Tamil: 'தமிழ்ச்செல்வி',
    Telugu: 'శ్రీనివాస్ రెడ్డి',
    Kannada: 'ಕೃಷ್ಣಮೂರ್ತಿ',
    Malayalam: 'ശ്രീകുമാർ കൃഷ്ണൻ',
    Sinhala: 'ශ්‍රී ලක්ෂ්මී',
    Thaana: 'އިބްރާހީމް',
    Thai: 'สมชาย ใจดี',
    Khmer: 'សុខា ភ្ញោក',
    Myanmar: 'အောင်ဆန်း စုကြည်',
    Tibetan: 'བསྟན་འཛིན་རྒྱ་མཚོ',
    Ethiopic: 'አበበ ቢቂላ',
    Japanese: 'Colin パウエル 田中 さくら',
    'simplified Chinese': '王小明 张伟 刘诗雯',
    'traditional Chinese': '陳奕迅 喆堃',
    Korean: '김철수 뷁',
    emoji: '🐶 👍🏽 👩‍👩‍👧 🇩🇪',
  },
}

const painter = new LabelPainter(fontsFolder())
const firstFont = join(fontsFolder(), 'DejaVuSans.ttf')

/** How the labels look to a process of its own: fonts are there for all of a process. */
function digestsOf(fontsDir: string, labels: string[], home = '/nonexistent'): string[] {
  const script = join(repositoryRoot, 'test', 'helpers', 'label-digests.ts')
  const { stdout, stderr } = spawnSync(process.execPath, [script, fontsDir, ...labels], {
    encoding: 'utf8',
    env: { HOME: home, XDG_DATA_HOME: join(home, '.local', 'share') },
  })
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

/** How much is covered in each column. */
function columns({ data, width, height }: Mask): number[] {
  return Array.from({ length: width }, (_, x) => {
    let sum = 0
    for (let y = 0; y < height; y++) sum += data[y * width + x]!
    return sum
  })
}

async function columnsOf(text: string): Promise<number[]> {
  return columns(await painter.mask(text, 40))
}

async function widthOf(text: string): Promise<number> {
  return (await painter.mask(text, 40)).width
}

test('every character of a name is in a font, whatever the script', () => {
  const fonts = readdirSync(fontsFolder()).map((file) => coverageOf(join(fontsFolder(), file)))
  for (const [script, name] of Object.entries({ ...names.first, ...names.others })) {
    // Those that are not drawn need no glyph: joiners and variation selectors.
    for (const character of name.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')) {
      assert.ok(
        fonts.some((font) => font.has(character.codePointAt(0)!)),
        `${script}: ${character}`,
      )
    }
  }
})

test('a name is drawn in a font that has it, and in the first where that one has it', () => {
  const [first, others] = [Object.values(names.first), Object.values(names.others)]
  const withAll = digestsOf(fontsFolder(), [...first, ...others])
  const withFirst = digestsOf(folderOf([firstFont]), [...first, ...others])
  assert.deepEqual(withAll.slice(0, first.length), withFirst.slice(0, first.length))
  for (const [i, script] of Object.keys(names.others).entries()) {
    assert.notEqual(withAll[first.length + i], withFirst[first.length + i], script)
  }
})

test("the host's own fonts do not count", (t) => {
  const home = mkdtempSync(join(tmpdir(), 'cpn-home-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  for (const folder of ['.fonts', '.local/share/fonts']) {
    mkdirSync(join(home, folder), { recursive: true })
    for (const file of readdirSync(fontsFolder())) symlinkSync(join(fontsFolder(), file), join(home, folder, file))
  }
  const labels = Object.values(names.others)
  const onlyFirst = folderOf([firstFont])
  assert.deepEqual(digestsOf(onlyFirst, labels, home), digestsOf(onlyFirst, labels))
})

test('letters are shaped: Arabic ones are joined, Devanagari ones form conjuncts, marks take no room', async () => {
  // A non-joiner keeps letters apart.
  assert.ok((await widthOf('سسس')) < 0.9 * (await widthOf('س\u200cس\u200cس')))
  assert.ok((await widthOf('क्ष')) < 0.7 * (await widthOf('क्\u200cष')))
  assert.ok((await widthOf('ที่')) < 1.2 * (await widthOf('ท')))
})

test('what stands behind a name stays behind it, also where the name runs from right to left', async () => {
  const figure = await columnsOf('0.82')
  for (const name of ['Ada', 'محمد علي', 'דוד', 'علي 2', '田中', '2 علي']) {
    const label = await columnsOf(`\u2068${name}\u2069 0.82`)
    assert.deepEqual(label.slice(-figure.length), figure, name)
  }
})

test('a long name gives way to its picture, and the figure behind it stays', async () => {
  const figure = await columnsOf('0.82')
  for (const name of [
    'Wolfeschlegelstein '.repeat(6).trim(),
    'محمد بن عبد الله '.repeat(5).trim(),
    '👩‍👩‍👧 '.repeat(9).trim(),
  ]) {
    const label = `\u2068${name}\u2069 0.82`
    for (const widest of [200, 333, 500]) {
      const mask = await painter.mask(label, 40, widest)
      assert.ok(mask.width <= widest && mask.width > widest - 80, `${mask.width} of ${widest} for ${name}`)
      assert.deepEqual(columns(mask).slice(-figure.length), figure)
    }
    assert.ok((await painter.mask(label, 40)).width > 600)
  }
})

test('a script that no font has is drawn as the numbers of its characters', async () => {
  assert.notDeepEqual(await columnsOf('ᠪ'), await columnsOf('ᠠ'))
})
