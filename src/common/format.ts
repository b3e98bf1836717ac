/** 1536 → '1.5 KiB' */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const value = bytes / 1024 ** power
  return `${power > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}

/** 850 → '0.9 s', 75,000 → '1m 15s', 7,500,000 → '2h 05m' */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`
  const minutes = Math.round(whole / 60)
  return minutes < 1440
    ? `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`
    : `${Math.floor(minutes / 1440)}d ${pad(Math.floor((minutes % 1440) / 60))}h`
}

/** Things per second: '0.25', '3.4', '128' */
export function formatRate(perSecond: number): string {
  if (perSecond < 0.995) return perSecond.toFixed(2)
  return perSecond < 9.95 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
