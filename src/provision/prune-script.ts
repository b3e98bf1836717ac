import { quote } from '../transport/shell.ts'
import { type LockOwner, lockForThisScript, unlockScript } from './lock.ts'
import { sweepBlobs } from './phases/prune-old.ts'

export interface PruneScriptOptions {
  /** remoteDir, absolute. */
  dir: string
  /** sha256 of models that stay. */
  models: string[]
  /** Age in days from which models and logs go; whole days, at least one. */
  days: number
  /** Removes under this lock; only looks without one. */
  owner?: LockOwner
}

/** Something on a host that nothing needs. */
export interface Unneeded {
  /** Relative to remoteDir. */
  path: string
  bytes: number
}

/**
 * Finds, and removes, what nothing on a host uses any more: releases that are no fleet's current or previous one, blobs of
 * no release, and, when they are old, rotated logs and models that no fleet's list has. Models stay wherever more than
 * one fleet is: what another one was sent by a run is on no list. Prints a line for parsePruned for each. Ends with lockedExit
 * and the owner's name when somebody has the host's lock.
 */
export function pruneScript({ dir, models, days, owner }: PruneScriptOptions): string {
  return `LC_ALL=C; export LC_ALL
cd ${quote(dir)} 2>/dev/null || exit 0
umask 077
unlock() { ${owner ? `(\n${unlockScript(dir, owner.token)})` : ':'}; }
${owner ? lockForThisScript(owner) : ''}keep= old=
used=$(for l in fleets/*/current fleets/*/previous; do
  to=$(CDPATH='' cd -P -- "$l" 2>/dev/null && pwd -P) && echo "\${to##*/}"; done)
for r in releases/*; do
  [ -d "$r" ] || continue
  case "
$used
" in *"
\${r#releases/}
"*) keep="$keep $r" ;; *) old="$old $r" ;; esac
done
loose=$(ls -ln blobs 2>/dev/null | while read -r _ links _ _ _ _ _ _ name; do
  [ "$links" = 1 ] && [ -n "$name" ] && printf ' blobs/%s' "$name"; done)
for f in $(find fleets/*/log -type f ! -name agent.log -mtime +${days - 1} 2>/dev/null); do old="$old $f"; done
wanted="${models.join(' ')} $(cat fleets/*/models.json 2>/dev/null)"
set -- fleets/*
for f in $(find models -type f -mtime +${days - 1} 2>/dev/null); do
  name=\${f#models/}
  case $wanted in *"\${name%%.*}"*) ;; *) [ $# -gt 1 ] || old="$old $f" ;; esac
done
[ -n "$old$loose" ] || { unlock; exit 0; }
# A file with several names counts for the first of them.
du -sk $keep $old $loose 2>/dev/null | while read -r size path; do
  case " $old $loose " in *" $path "*) echo "cpn-unneeded $size $path" ;; esac
done
${owner ? `rm -rf $old $loose\n${sweepBlobs}` : ''}unlock
`
}

export function parsePruned(output: string): Unneeded[] {
  return [...output.matchAll(/^cpn-unneeded (\d+) (.+)$/gm)].map(([, kibibytes, path]) => ({
    path: path!,
    bytes: Number(kibibytes) * 1024,
  }))
}
