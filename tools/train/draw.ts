// Draws portraits and group scenes with their truth, for training and for measuring:
//   node tools/train/draw.ts OUT --people N --portraits K --scenes M --seed S [--first-person P]
// OUT/portraits/PERSON-INDEX.jpg (K of each person), OUT/scenes/INDEX.jpg, OUT/truth.json. People are numbers from P to
// P + N - 1; a number is the same person in every run.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Dice } from '../../src/drawing/dice.ts'
import { type DrawnPhoto, drawGroup, drawPortrait } from '../../src/drawing/scene.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: 'string', default: '100' },
    portraits: { type: 'string', default: '0' },
    scenes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    'first-person': { type: 'string', default: '0' },
  },
})
const [out] = positionals
if (out === undefined) throw new Error('say where to: node tools/train/draw.ts OUT --people N --portraits K --scenes M')
const [count, portraits, scenes, seed] = [values.people, values.portraits, values.scenes, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
]
const first = Number(values['first-person'])
const people = Array.from({ length: count }, (_, index) => first + index)

const jobs: { file: string; draw: () => Promise<DrawnPhoto> }[] = [
  ...people.flatMap((person) =>
    Array.from({ length: portraits }, (_, index) => ({
      file: `portraits/${String(person).padStart(6, '0')}-${String(index).padStart(3, '0')}.jpg`,
      draw: () => drawPortrait(person, seed * 100_003 + index),
    })),
  ),
  ...Array.from({ length: scenes }, (_, index) => ({
    file: `scenes/${String(index).padStart(6, '0')}.jpg`,
    draw: () => {
      const dice = new Dice(seed, index, 0x7363656e)
      return drawGroup(dice.shuffled(people).slice(0, dice.integer(2, 8)), seed * 100_003 + index)
    },
  })),
]
mkdirSync(join(out, 'portraits'), { recursive: true })
mkdirSync(join(out, 'scenes'), { recursive: true })
const photos: unknown[] = []
for (const { file, draw } of jobs) {
  const { width, height, jpeg, faces } = await draw()
  writeFileSync(join(out, file), jpeg)
  photos.push({ file, width, height, faces })
}
writeFileSync(join(out, 'truth.json'), `${JSON.stringify({ seed, photos })}\n`)
