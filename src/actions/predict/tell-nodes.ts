import type { Context } from '../../common/context.ts'
import type { CpnError } from '../../common/errors.ts'

/** What is looked at of a fleet. */
interface TellingFleet {
  readonly nodes: readonly { readonly name: string; readonly slots: number; readonly error: CpnError | undefined }[]
  onChange(listener: () => void): () => void
}

/**
 * Says which nodes do no work and why, once per reason, and when one joins or works again. What is returned ends it.
 */
export function tellNodes(fleet: TellingFleet, { notice }: Pick<Context, 'notice'>): () => void {
  const told = new Map<string, string>()
  const working = new Set(fleet.nodes.filter(({ slots }) => slots > 0).map(({ name }) => name))
  const tell = () => {
    for (const { name, slots, error } of fleet.nodes) {
      if (slots > 0 && !error && !working.has(name)) {
        working.add(name)
        if (!told.has(name)) notice(`${name} takes part`)
      }
      if (told.get(name) === error?.code) continue
      notice(error ? describe(name, error) : `${name} works again`)
      if (error) told.set(name, error.code)
      else told.delete(name)
    }
  }
  tell()
  return fleet.onChange(tell)
}

function describe(name: string, { message, code, suggestions }: CpnError): string {
  return [`${name} does no work: ${message} (${code})`, ...suggestions.map((each) => `  → ${each}`)].join('\n')
}
