// Prints a digest of each label as a painter with the fonts of a folder draws it: node label-digests.ts FOLDER LABEL…
import { LabelPainter } from '../../src/agent/vision/label-painter.ts'
import { sha256 } from '../../src/common/digest.ts'

const [folder = '', ...labels] = process.argv.slice(2)
const painter = new LabelPainter(folder)
const digests: string[] = []
for (const label of labels) {
  const { data, width, height } = await painter.mask(label, 40)
  digests.push(`${width}x${height} ${sha256(data)}`)
}
process.stdout.write(JSON.stringify(digests))
