// `node bench/group-faces.ts COUNT`: groups synthetic faces and prints what that took as JSON; its own process, so that
// the peak of memory is that of grouping.
import { groupFaces } from '../src/matching/group.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../test/helpers/embeddings.ts'

/** A person of so many photos is among them, and others with one to hundreds. */
const largest = 3000
/** Of a photo and its person's centre; photos of one person then have about 0.64 in common. */
const likeness = 0.8

const faces = Number(process.argv[2])
const random = seededRandom(1)
const vectors = new Float32Array(faces * 128)
let people = 0
for (let face = 0; face < faces; people++) {
  const centre = randomEmbedding(random)
  const photos = people === 0 ? largest : Math.ceil(1 / (random() + 0.003))
  for (const end = Math.min(faces, face + photos); face < end; face++) {
    vectors.set(embeddingNear(centre, likeness, random), face * 128)
  }
}
const before = process.cpuUsage()
const started = performance.now()
const { labels: groups } = groupFaces(vectors, { threshold: 0.5 })
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(before)
const found = new Set(groups).size
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    people,
    found,
  }),
)
