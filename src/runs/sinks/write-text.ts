import { writeFileDurably } from '../write-file.ts'

const chunkLength = 1 << 20

/** Writes a text that comes in pieces, whole or not at all. Rejects as writeFileDurably does. */
export async function writeTextDurably(path: string, pieces: Iterable<string>): Promise<void> {
  await writeFileDurably(path, async (file) => {
    let text = ''
    for (const piece of pieces) {
      text += piece
      if (text.length < chunkLength) continue
      await file.writeFile(text)
      text = ''
    }
    await file.writeFile(text)
  })
}
