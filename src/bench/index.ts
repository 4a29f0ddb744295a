/**
 * Bench: how fast this machine does what a backup is made of, and a whole backup of made data. Measures only: it
 * judges nothing, and leaves nothing behind.
 */
export type { BenchOptions, BenchProgress, Measurement } from './options.ts'
export { measurePrimitives } from './primitives.ts'
export { measureRoundTrip } from './round-trip.ts'
