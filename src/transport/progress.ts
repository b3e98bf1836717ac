/** Chunks, counted as they pass. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  onProgress?: (sent: number) => void,
): AsyncGenerator<Buffer> {
  let sent = 0
  for await (const chunk of chunks) {
    sent += chunk.length
    yield chunk
    onProgress?.(sent)
  }
}
