// One core's worth of the pipeline and nothing else: reads files, keeps nothing. Is sent lists, answers face counts.
import { readFileSync } from 'node:fs'
import { ModelLoader } from '../src/agent/model-loader.ts'
import { predictFaces } from '../src/agent/pipelines/faces.ts'
import { LabelPainter } from '../src/agent/vision/label-painter.ts'
import { Scratch } from '../src/agent/vision/scratch.ts'
import { facesPipeline, modelsFolder } from '../test/helpers/faces.ts'
import { fontsFolder } from '../test/helpers/fonts.ts'

const pipeline = facesPipeline('ultraface-320', { annotate: 'preview' })
const detector = await new ModelLoader(modelsFolder(), 1).detector(pipeline.detector.model)
const tools = { detector, embedder: undefined, painter: new LabelPainter(fontsFolder()), scratch: new Scratch() }

process.on('message', async (files: string[]) => {
  let faces = 0
  for (const file of files) faces += (await predictFaces(readFileSync(file), pipeline, tools)).answer.faces.length
  process.send!(faces)
})
process.on('disconnect', () => process.exit())
process.send!(0)
