// `node tools/train/teach.ts TEACHER.onnx CROPS.u8…`: what the catalogue's MobileFaceNet says of aligned 112×112 RGB faces.
//
// Beside every CROPS.u8 a file CROPS.f32 gets 128 numbers of length 1 a face. Files that are already answered are left.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { arcface } from '../../src/agent/families/arcface.ts'
import { openSession } from '../../src/agent/inference.ts'
import { cropEdge } from '../../src/agent/vision/align.ts'
import { mobilefacenet112 } from '../../src/models/catalogue/mobilefacenet-112.ts'

const cropBytes = cropEdge * cropEdge * 3

const [teacherFile, ...files] = process.argv.slice(2)
if (teacherFile === undefined) {
  console.error('usage: node tools/train/teach.ts TEACHER.onnx CROPS.u8…')
  process.exit(2)
}
const teacher = arcface.create(await openSession(readFileSync(teacherFile), 1), mobilefacenet112)
for (const file of files) {
  const answer = file.replace(/\.u8$/, '.f32')
  if (existsSync(answer)) continue
  const crops = readFileSync(file)
  const vectors: Float32Array[] = []
  for (let at = 0; at < crops.length; at += cropBytes) {
    const data = crops.subarray(at, at + cropBytes)
    vectors.push(await teacher.embed({ data, width: cropEdge, height: cropEdge, channels: 3 }))
  }
  // Under its own name only when it is whole, so that an interrupted run goes on where it was.
  writeFileSync(`${answer}.part`, Buffer.concat(vectors.map((vector) => new Uint8Array(vector.buffer))))
  renameSync(`${answer}.part`, answer)
}
