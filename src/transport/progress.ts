/** Chunks, counted as they pass: each when the next one is wanted. */
export async function* counted<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  onProgress?: (sent: number) => void,
): AsyncGenerator<T> {
  let sent = 0
  for await (const chunk of chunks) {
    sent += chunk.length
    yield chunk
    onProgress?.(sent)
  }
}
