/**
 * Maps in order with up to `ahead` calls of `map` in progress before their results are asked for. `map` must not
 * reject: it returns failures as values.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const queue: Promise<R>[] = []
  for await (const item of items) {
    queue.push(map(item))
    if (queue.length > ahead) yield await queue.shift()!
  }
  while (queue.length > 0) yield await queue.shift()!
}
