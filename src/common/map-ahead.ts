/**
 * Maps in order with up to `ahead` calls of `map` in progress before their results are asked for. A result is given as
 * soon as it is there, also while the source is slow. `map` must not reject: it returns failures as values.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const source = items[Symbol.asyncIterator]()
  const queue: Promise<{ result: R }>[] = []
  let next: Promise<IteratorResult<T>> | undefined
  let ended = false
  try {
    while (!ended || queue.length > 0) {
      if (!ended && queue.length <= ahead) next ??= source.next()
      const first = await Promise.race([...(next ? [next] : []), ...queue.slice(0, 1)])
      if ('result' in first) {
        queue.shift()
        yield first.result
        continue
      }
      next = undefined
      if (first.done) ended = true
      else queue.push(map(first.value).then((result) => ({ result })))
    }
  } finally {
    // A source that is being asked answers return() only after that, which may wait for its own input.
    if (!next) await source.return?.()
  }
}
