import { holdingsWords, parseHoldings } from './holdings.ts'
import type { Provisioning } from './provisioning.ts'
import { nothingMissing, parseRequirementState, requirementWords } from './requirement-state.ts'
import { isNothing } from './requirements.ts'

/** Asks what is on the host of what it should have. It follows words that have set $dir to remoteDir, absolute. */
export function whatIsThereWords({ options, requirements }: Provisioning): string {
  const required = isNothing(requirements) ? '' : requirementWords(options.fleetId, requirements)
  return `${required}${holdingsWords(options.fleetId)}`
}

/** Takes up the answer. */
export function noteWhatIsThere(provisioning: Provisioning, answer: string): void {
  const { requirements } = provisioning
  provisioning.holdings = parseHoldings(answer)
  provisioning.missing = isNothing(requirements) ? nothingMissing : parseRequirementState(answer, requirements)
}
