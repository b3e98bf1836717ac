import type { FleetFolder } from '../fleet-folder.ts'
import { agentProgram } from './keeper.ts'

export function unitName(fleet: string): string {
  return `cpn-${fleet}.service`
}

/** Text of the unit that keeps the agent of one fleet. The condition is what makes stopped stay stopped. */
export function unitText(fleet: FleetFolder): string {
  return `[Unit]
Description=cpn agent of fleet ${specifiers(fleet.id)}
ConditionPathExists=!${specifiers(fleet.stopped)}
StartLimitIntervalSec=0

[Service]
ExecStart=${argument(agentProgram(fleet))} run --kept-by systemd-user
Restart=always
RestartSec=1
RestartSteps=6
RestartMaxDelaySec=60
KillMode=mixed
TimeoutStopSec=45
UMask=0077
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
LimitCORE=0
StandardOutput=append:${specifiers(fleet.crashLog)}
StandardError=append:${specifiers(fleet.crashLog)}

[Install]
WantedBy=default.target
`
}

/** systemd expands %x anywhere and $NAME in arguments. */
function specifiers(text: string): string {
  return text.replaceAll('%', '%%')
}

function argument(text: string): string {
  const escaped = specifiers(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')
  return `"${escaped}"`
}
