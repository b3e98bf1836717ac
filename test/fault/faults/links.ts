import type { Fault } from '../lab/scenario.ts'

/** What may happen to the bytes between master and node. */
export const linkFaults: Record<string, Fault> = {
  'link cut': { strike: ({ victim: { proxy } }) => proxy.cut() },
  'black hole': { strike: ({ victim: { proxy } }) => proxy.stall() },
  'half-open connection': { strike: ({ victim: { proxy } }) => proxy.loseFarSide() },
  'nothing comes from the node': { strike: ({ victim: { proxy } }) => proxy.stall('down') },
  'nothing comes to the node': { strike: ({ victim: { proxy } }) => proxy.stall('up') },
  '300 ms delay': {
    strike: ({ victim: { proxy } }) => {
      proxy.delayMs = 300
    },
  },
  '1 Mbit/s': { strike: ({ victim: { proxy } }) => proxy.limit(125_000) },
  'reset in mid-upload': { strike: ({ victim: { proxy } }) => proxy.cutAfter(100_000, 'up') },
  'flipped byte on the link': { strike: ({ victim: { proxy } }) => proxy.corruptAfter(1, 'down') },
}
