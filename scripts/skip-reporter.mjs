// A reporter beside the visible one: one JSON line for every test that was left out, and one for the counts.
export default async function* skipReporter(events) {
  for await (const { type, data } of events) {
    if (type === 'test:summary' && data.file === undefined) yield line({ counts: data.counts })
    if (type !== 'test:pass' || data.skip === undefined) continue
    yield line({ skipped: data.name, reason: typeof data.skip === 'string' ? data.skip : 'no reason given' })
  }
}

function line(value) {
  return `${JSON.stringify(value)}\n`
}
