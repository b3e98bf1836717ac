import { readFileSync } from 'node:fs'
import { thresholdFor } from '../../src/actions/people/naming.ts'
import { type Match, Matcher, type MatchOptions } from '../../src/matching/match.ts'
import { joined, seededRandom } from '../../test/helpers/embeddings.ts'
import { facesPipeline, model, runFaces } from '../../test/helpers/faces.ts'
import { shared } from '../../test/helpers/shared.ts'
import { meanShare, share } from './confidence.ts'
import { azurePeople, embedder, type Person, peopleOf } from './photos.ts'
import type { Row } from './row.ts'
import { shuffled } from './shuffled.ts'

const splits = 20
const enrolled = 3
/** How many are enrolled of lfw-a-train to see what a larger gallery does. */
const largeGallery = 200
/** Who is on group photos of azure-faces, from left to right; looked at. */
const groupPhotos: Record<string, string[]> = {
  'identification1.jpg': ['Family1-Son', 'Family1-Dad', 'Family1-Mom', 'Family1-Daughter'],
  'test-image-person-group.jpg': ['Family2-Man', 'Family2-Lady'],
}

/** 1:N identification with the thresholds of the embedder's manifest. */
export async function measureIdentification(): Promise<Row[]> {
  const { identification, margin } = model(embedder).thresholds
  const options = { threshold: identification!, margin: margin! }
  return [...(await strangersAmongFive(options)), ...(await relatives(options)), ...(await manyPeople(options))]
}

async function strangersAmongFive(options: MatchOptions): Promise<Row[]> {
  const people = await peopleOf('lfw-color-10x10')
  const rights: number[][] = []
  const named: number[][] = []
  for (let split = 0; split < splits; split++) {
    const random = seededRandom(split)
    const drawn = shuffled(people, random).map(({ name, faces }) => ({ name, faces: shuffled(faces, random) }))
    const [known, strangers] = [drawn.slice(0, 5), drawn.slice(5)]
    const matcher = enrol(known.map(({ name, faces }) => ({ name, faces: faces.slice(0, enrolled) })))
    const probes = known.flatMap(({ name, faces }) => faces.slice(enrolled).map((face) => ({ name, face })))
    rights.push([
      probes.filter(({ name, face }) => nameOf(matcher, face, options).person === name).length / probes.length,
    ])
    const faces = strangers.flatMap((stranger) => stranger.faces)
    named.push([faces.filter((face) => nameOf(matcher, face, options).person !== null).length / faces.length])
  }
  const detail = `${splits} seeded splits, 3 photos each of five people; threshold ${options.threshold}, margin ${options.margin}`
  const reference = 'pairs at 0.285: true accepts 99.8 %, false ones 0.24 %'
  return [
    {
      name: 'lfw-color-10x10, rank 1 with the right name',
      value: meanShare(rights),
      floor: '≥ 97 %',
      reference,
      detail,
    },
    { name: 'lfw-color-10x10, strangers named', value: meanShare(named), floor: '≤ 1 %', reference, detail },
  ]
}

/** Every photo of the families is looked for with the others enrolled, and once more without the person it shows. */
async function relatives(options: MatchOptions): Promise<Row[]> {
  const people = await azurePeople()
  const outcomes: { truth: string | null; match: Match }[] = []
  for (const { name, faces } of people) {
    const others = people.filter((person) => person.name !== name)
    for (const [i, face] of faces.entries()) {
      outcomes.push({ truth: null, match: nameOf(enrol(others), face, options) })
      const rest = faces.toSpliced(i, 1)
      // With all the other photos of that person, and with each of them alone.
      for (const photos of rest.length > 1 ? [rest, ...rest.map((photo) => [photo])] : rest.map((photo) => [photo])) {
        outcomes.push({ truth: name, match: nameOf(enrol([...others, { name, faces: photos }]), face, options) })
      }
    }
  }
  for (const [file, truths] of Object.entries(groupPhotos)) {
    const matches = enrol(people).match(await facesFromLeft(file), options)
    for (const [i, match] of matches.entries()) outcomes.push({ truth: truths[i]!, match })
  }
  const known = outcomes.filter(({ truth }) => truth !== null)
  const right = known.filter(({ truth, match }) => match.person === truth).length
  const wrong = outcomes.filter(({ truth, match }) => match.person !== null && match.person !== truth).length
  const close = outcomes.filter(({ match }) => match.candidates).length
  const detail = `families: each photo with the others enrolled, with one of them, without its person; 2 group photos; close calls ${close}`
  const reference = 'pairs at 0.285: false accepts 8.2 %'
  return [
    {
      name: 'azure-faces, false names among relatives',
      value: share(wrong, outcomes.length),
      floor: '≤ 2 %',
      reference,
      detail,
    },
    { name: 'azure-faces, true names kept', value: share(right, known.length), floor: '≥ 90 %', detail },
  ]
}

/** What a threshold lets through grows with the number of people. */
async function manyPeople(options: MatchOptions): Promise<Row[]> {
  const people = shuffled(await peopleOf('lfw-a-train'), seededRandom(1))
  const known = people.filter(({ faces }) => faces.length > enrolled).slice(0, largeGallery)
  const strangers = people.filter(({ faces }) => faces.length <= enrolled).flatMap(({ faces }) => faces.slice(0, 1))
  const matcher = enrol(known.map(({ name, faces }) => ({ name, faces: faces.slice(0, enrolled) })))
  const probes = known.map(({ name, faces }) => ({ name, face: faces[enrolled]! }))
  return [options.threshold, thresholdFor(known.length, options.threshold)].flatMap((threshold) => {
    const names = (face: Float32Array) => nameOf(matcher, face, { ...options, threshold }).person
    const right = probes.filter(({ name, face }) => names(face) === name).length
    const named = strangers.filter((face) => names(face) !== null).length
    const detail = `lfw-a-train, 3 photos each, threshold ${threshold}`
    return [
      { name: `${known.length} people enrolled, right name`, value: share(right, probes.length), floor: '', detail },
      {
        name: `${known.length} people enrolled, strangers named`,
        value: share(named, strangers.length),
        floor: '',
        detail,
      },
    ]
  })
}

function enrol(people: readonly Person[]): Matcher {
  return new Matcher({
    model: model(embedder).sha256,
    people: people.map(({ name, faces }) => ({ name, count: faces.length })),
    vectors: joined(people.flatMap(({ faces }) => faces)),
  })
}

function nameOf(matcher: Matcher, face: Float32Array, options: MatchOptions): Match {
  return matcher.match([face], options)[0]!
}

async function facesFromLeft(file: string): Promise<Float32Array[]> {
  const photo = readFileSync(shared('photos', 'azure-faces', file))
  const { answer, parts } = await runFaces(photo, facesPipeline('yunet-s-dynamic', { embedder }))
  const vectors = new Float32Array(parts[0]!.slice().buffer)
  return [...answer.faces.entries()]
    .sort(([, a], [, b]) => a.box[0] - b.box[0])
    .map(([i]) => vectors.slice(i * 128, (i + 1) * 128))
}
