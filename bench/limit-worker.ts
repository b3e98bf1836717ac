// One core's worth of the pipeline and nothing else: reads files, keeps nothing. Parent sends lists, gets face counts.
import { readFileSync } from 'node:fs'
import { facesPipeline, runFaces } from '../test/helpers/faces.ts'

process.on('message', async (files: string[]) => {
  const pipeline = facesPipeline('ultraface-320', { annotate: 'preview' })
  let faces = 0
  for (const file of files) faces += (await runFaces(readFileSync(file), pipeline)).answer.faces.length
  process.send!(faces)
})
process.on('disconnect', () => process.exit())
process.send!(0)
